"""BigQuery's functions over models and other systems, which the engine lacks: their types where the text tells them, and
what nobody can know from the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from etl_orchestrator.engines.googlesql.protocol import FunctionEnums, FunctionSignatureProto, SignatureArgumentKind
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.text import Edit
from etl_orchestrator.engines.googlesql.types import parse_type, type_of
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.sql.tokens import Kind, Token, words
from etl_orchestrator.table import Field

_FULL = "full_response JSON, status STRING"
_WHERE = "endpoint STRING, connection_id STRING"
_GENERATE = f"{_WHERE}, model_params JSON, request_type STRING"
_JUDGED = f"{_WHERE}, examples, embeddings, optimization_mode STRING, max_error_ratio FLOAT64"
#: The functions of https://cloud.google.com/bigquery/docs/generative-ai-overview that give one value: what each takes in
#: its place, what by name (a name without a type takes anything), and what it gives. The answer of AI.GENERATE has the
#: fields of its output_schema in the place of `result`.
_AI = {
    "GENERATE": ("prompt", f"{_GENERATE}, output_schema STRING", f"STRUCT<result STRING, {_FULL}>"),
    "GENERATE_BOOL": ("prompt", _GENERATE, f"STRUCT<result BOOL, {_FULL}>"),
    "GENERATE_INT": ("prompt", _GENERATE, f"STRUCT<result INT64, {_FULL}>"),
    "GENERATE_DOUBLE": ("prompt", _GENERATE, f"STRUCT<result FLOAT64, {_FULL}>"),
    "COUNT_TOKENS": ("input", "endpoint STRING", "STRUCT<result INT64, full_response JSON>"),
    "EMBED": (
        "content", f"{_WHERE}, model STRING, model_params JSON, task_type STRING, title STRING",
        "STRUCT<result ARRAY<FLOAT64>, status STRING>",
    ),
    "SIMILARITY": ("content1, content2", f"{_WHERE}, model STRING, model_params JSON", "FLOAT64"),
    "SCORE": ("prompt", f"{_WHERE}, max_error_ratio FLOAT64", "FLOAT64"),
    "CLASSIFY": ("input, categories", f"{_JUDGED}, output_mode STRING", "STRING"),
    "IF": ("prompt", _JUDGED, "BOOL"),
    "AGG": ("input, instruction", _WHERE, "STRING"),
}  # fmt: skip
_SEVERAL = "ARRAY<STRING>"  # what AI.CLASSIFY gives when the call says an output_mode
_AGGREGATES = frozenset({"AGG"})
_TEXT_OPTIONS = "analyzer STRING, analyzer_options STRING"
_STATISTICS = "count INT64, min FLOAT64, max FLOAT64, stdDev FLOAT64, sum FLOAT64, mean FLOAT64, area FLOAT64"
#: Functions of BigQuery's own that the engine lacks, in the same way; what stands in brackets may be left out.
_LACKING = {
    "SEARCH": ("data_to_search, search_query STRING", f"json_scope STRING, {_TEXT_OPTIONS}", "BOOL"),
    "TEXT_ANALYZE": ("text STRING", _TEXT_OPTIONS, "ARRAY<STRING>"),
    "BAG_OF_WORDS": ("tokenized_document ARRAY<STRING>", "", "ARRAY<STRUCT<term STRING, count INT64>>"),
    "DLP_DETERMINISTIC_ENCRYPT": ("key, plaintext STRING, surrogate STRING, [context STRING]", "", "STRING"),
    "DLP_DETERMINISTIC_DECRYPT": ("key, ciphertext STRING, surrogate STRING, [context STRING]", "", "STRING"),
    "DLP_KEY_CHAIN": ("kms_resource_name STRING, wrapped_key BYTES", "", "STRUCT<STRING, BYTES>"),
    "ST_REGIONSTATS": (
        "geography GEOGRAPHY, raster_id STRING, [band STRING]", "include STRING, options JSON", f"STRUCT<{_STATISTICS}>",
    ),
}  # fmt: skip
#: Functions and namespaces of which what they give depends on a model, an index, a table's columns or another system.
_UNKNOWABLE = frozenset(
    ["EXTERNAL_QUERY", "EXTERNAL_OBJECT_TRANSFORM", "GAP_FILL", "APPENDS", "CHANGES", "RANGE_SESSIONIZE", "VECTOR_SEARCH",
     "TF_IDF", "GRAPH_EXPAND"]
)  # fmt: skip
_NAMESPACES = frozenset({"ML", "AI", "OBJ", "VECTOR_INDEX"})
_WORDS = re.compile(rf"\b(?:{'|'.join((*_UNKNOWABLE, *_NAMESPACES, *_LACKING))})\b", re.IGNORECASE)


def model_functions(sql: str) -> tuple[tuple[Edit, ...], tuple[Known, ...]]:
    """The functions that a text calls and the engine lacks, and the edits that give calls with different answers different
    names. Functions that the text makes itself are none of these.

    Raises Unavailable naming a call whose answer the text does not tell.
    """
    if not _WORDS.search(sql):
        return (), ()
    tokens = words(sql)
    own = {name.text.upper() for word, name in pairwise(tokens) if word.text.upper() == "FUNCTION"}
    edits: list[Edit] = []
    found: dict[Known, None] = {}
    for index, token in enumerate(tokens):
        following = [other.text.upper() for other in tokens[index + 1 : index + 4]]
        word = token.text.upper()
        if token.kind is not Kind.NAME or (index and tokens[index - 1].text == ".") or word in own:
            continue
        if word in _UNKNOWABLE and following[:1] == ["("]:
            raise _unavailable(word, tokens[index + 2 :])
        if word in _LACKING and following[:1] == ["("]:
            found[_lacking(word)] = None
        if word in _NAMESPACES and following[0:1] == ["."] and following[2:3] == ["("]:
            name = following[1]
            if word != "AI" or name not in _AI:
                raise _unavailable(f"{word}.{name}", tokens[index + 4 :])
            known = _function(name, _told(name, tokens[index + 3 :]))
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


def _told(name: str, behind: Sequence[Token]) -> str:
    """What decides on the type of an answer: an output_schema, or that there are several answers."""
    if name == "CLASSIFY":
        return _SEVERAL if _named_argument(behind, "output_mode") else ""
    given = _named_argument(behind, "output_schema") if name == "GENERATE" else None
    if given is None:
        return ""
    if given.kind is not Kind.STRING:
        raise Unavailable("the columns that AI.GENERATE gives depend on an output_schema that is no literal")
    return given.text.strip("rR").strip("'\"")


def _named_argument(behind: Sequence[Token], name: str) -> Token | None:
    """How the argument of this name begins in the call whose parenthesis comes first; None where it has none."""
    depth = 0
    for index, token in enumerate(behind):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0:
            return None
        if depth == 1 and token.text.lower() == name and behind[index + 1].text == "=>":
            return behind[index + 2]
    return None


@lru_cache(maxsize=256)
def _function(name: str, told: str) -> Known:
    taken, options, given = _AI[name]
    if told:
        given = told if name == "CLASSIFY" else f"STRUCT<{told}, {_FULL}>"
    try:
        answer = parse_type("answer", given)
    except InvalidInput as error:
        raise Unavailable(f"the output_schema `{told}` of AI.{name} cannot be read: {error.message}") from None
    return _known(("AI", f"{name} {told}" if told else name), taken, options, answer, name in _AGGREGATES)


@lru_cache(maxsize=16)
def _lacking(name: str) -> Known:
    taken, options, given = _LACKING[name]
    return _known((name,), taken, options, parse_type("answer", given))


def _known(path: tuple[str, ...], taken: str, options: str, answer: Field, aggregate: bool = False) -> Known:
    signature = FunctionSignatureProto()
    told = [(argument, False) for argument in taken.split(", ")]
    told += [(argument, True) for argument in options.split(", ") if argument]
    for argument, is_option in told:
        name, _, kind = argument.strip("[]").partition(" ")
        added = signature.argument.add(num_occurrences=-1)
        added.kind = SignatureArgumentKind.ARG_TYPE_FIXED if kind else SignatureArgumentKind.ARG_TYPE_ARBITRARY
        if kind:
            added.type.CopyFrom(type_of(parse_type(name, kind)))
        added.options.argument_name = name
        if is_option or argument.startswith("["):
            added.options.cardinality = FunctionEnums.OPTIONAL
        if is_option:
            added.options.named_argument_kind = FunctionEnums.NAMED_ONLY
    signature.return_type.kind = SignatureArgumentKind.ARG_TYPE_FIXED
    signature.return_type.type.CopyFrom(type_of(answer))
    return Known(path, "function", "REMOTE", (), "", signature, aggregate)
