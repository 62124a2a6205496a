"""BigQuery's functions over models and other systems, which the engine lacks: their types where the text tells them, and
what nobody can know from the text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from etl_orchestrator.engines.googlesql.protocol import FunctionEnums, FunctionSignatureProto, SignatureArgumentKind
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.text import Edit
from etl_orchestrator.engines.googlesql.types import parse_type, type_of
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.sql.tokens import Kind, Token, words

_FULL = "full_response JSON, status STRING"
#: The functions of https://cloud.google.com/bigquery/docs/generative-ai-overview that give one value, by what they give;
#: the answer of AI.GENERATE has the fields of its output_schema in the place of `result`.
_GIVEN = {
    "GENERATE": f"STRUCT<result STRING, {_FULL}>",
    "GENERATE_BOOL": f"STRUCT<result BOOL, {_FULL}>",
    "GENERATE_INT": f"STRUCT<result INT64, {_FULL}>",
    "GENERATE_DOUBLE": f"STRUCT<result FLOAT64, {_FULL}>",
    "EMBED": "STRUCT<result ARRAY<FLOAT64>, status STRING>",
    "SIMILARITY": "FLOAT64",
    "SCORE": "FLOAT64",
    "CLASSIFY": "STRING",
    "IF": "BOOL",
}
_OPTIONS = {
    "endpoint": "STRING", "connection_id": "STRING", "output_schema": "STRING", "request_type": "STRING",
    "task_type": "STRING", "title": "STRING", "model": "STRING", "output_mode": "STRING",
    "optimization_mode": "STRING", "model_params": "JSON", "categories": "", "max_error_ratio": "FLOAT64",
}  # fmt: skip
#: What each takes in its place; all others are options by name.
_TAKEN = {"EMBED": ("content",), "SIMILARITY": ("content1", "content2"), "CLASSIFY": ("input", "categories")}
#: Table functions and namespaces whose columns depend on a model, an index or another system.
_UNKNOWABLE = frozenset({"EXTERNAL_QUERY", "GAP_FILL", "APPENDS", "CHANGES"})
_NAMESPACES = frozenset({"ML", "AI"})


def model_functions(sql: str) -> tuple[tuple[Edit, ...], tuple[Known, ...]]:
    """The AI functions that a text calls, and the edits that give calls with different answers different names.

    Raises Unavailable naming a call whose answer the text does not tell.
    """
    if not any(word in sql.upper() for word in (*_UNKNOWABLE, "AI.", "ML.")):
        return (), ()
    tokens = words(sql)
    edits: list[Edit] = []
    found: dict[Known, None] = {}
    for index, token in enumerate(tokens):
        following = [other.text.upper() for other in tokens[index + 1 : index + 4]]
        word = token.text.upper()
        if token.kind is not Kind.NAME or (index and tokens[index - 1].text == "."):
            continue
        if word in _UNKNOWABLE and following[:1] == ["("]:
            raise _unavailable(word, tokens[index + 2 :])
        if word in _NAMESPACES and following[0:1] == ["."] and following[2:3] == ["("]:
            name = following[1]
            if word != "AI" or name not in _GIVEN:
                raise _unavailable(f"{word}.{name}", tokens[index + 4 :])
            known = _function(name, _output_schema(tokens[index + 3 :]))
            found[known] = None
            place = tokens[index + 2]
            edits.append(Edit(place.start, place.end, f"`{known.path[-1]}`"))
    return tuple(edits), tuple(found)


def _unavailable(name: str, behind: Sequence[Token]) -> Unavailable:
    argument = behind[0].text if behind and behind[0].kind is Kind.STRING else ""
    over = f" over {argument}" if argument else ""
    return Unavailable(
        f"the columns that {name}{over} gives are not known here",
        fix="declare the schema of the table inline, or ask BigQuery",
    )


def _output_schema(behind: Sequence[Token]) -> str:
    """The literal given as output_schema in the call whose parenthesis comes first."""
    depth = 0
    for index, token in enumerate(behind):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0:
            return ""
        if depth == 1 and token.text.lower() == "output_schema" and behind[index + 1].text == "=>":
            given = behind[index + 2]
            if given.kind is not Kind.STRING:
                raise Unavailable("the columns that AI.GENERATE gives depend on an output_schema that is no literal")
            return given.text.strip("rR").strip("'\"")
    return ""


@lru_cache(maxsize=256)
def _function(name: str, schema: str) -> Known:
    given = f"STRUCT<{schema}, {_FULL}>" if schema and name == "GENERATE" else _GIVEN[name]
    try:
        answer = parse_type("answer", given)
    except InvalidInput as error:
        raise Unavailable(f"the output_schema `{schema}` of AI.{name} cannot be read: {error.message}") from None
    signature = FunctionSignatureProto()
    places = _TAKEN.get(name, ("prompt",))
    for argument in (*places, *(option for option in _OPTIONS if option not in places)):
        added = signature.argument.add(num_occurrences=-1)
        kind = "" if argument in places else _OPTIONS[argument]
        added.kind = SignatureArgumentKind.ARG_TYPE_FIXED if kind else SignatureArgumentKind.ARG_TYPE_ARBITRARY
        if kind:
            added.type.CopyFrom(type_of(parse_type(argument, kind)))
        added.options.argument_name = argument
        if argument not in places:
            added.options.cardinality = FunctionEnums.OPTIONAL
            added.options.named_argument_kind = FunctionEnums.NAMED_ONLY
    signature.return_type.kind = SignatureArgumentKind.ARG_TYPE_FIXED
    signature.return_type.type.CopyFrom(type_of(answer))
    path = ("AI", f"{name} {schema}" if schema else name)
    return Known(path, "function", "REMOTE", (), "", signature)
