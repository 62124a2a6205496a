"""Functions, table functions and procedures of a repository, as the engine's catalog wants them.

The engine itself reads each CREATE statement and checks the body, once; what is called afterwards is the signature it
found. Only a body that takes ANY TYPE is read again at every call, because its types are those of the call.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from etl_orchestrator.engines.googlesql.protocol import (
    FunctionEnums,
    FunctionProto,
    FunctionSignatureProto,
    SignatureArgumentKind,
    TableValuedFunctionProto,
    TypeKind,
)
from etl_orchestrator.engines.googlesql.resolved import concrete, kind
from etl_orchestrator.engines.googlesql.text import calls
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.tools import Routine

_SQL = "SQL"
_CONSTRUCTOR = re.compile(r"\s*STRUCT\b", re.IGNORECASE)
_KINDS = {
    "CreateFunctionStmt": "function",
    "CreateTableFunctionStmt": "table function",
    "CreateProcedureStmt": "procedure",
}


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A routine whose CREATE statement the engine has read. `kind` is function, table function or procedure; `language`
    SQL, JS or REMOTE in capitals; `path` the parts of its name, one for a temporary function."""

    path: tuple[str, ...]
    kind: str
    language: str
    arguments: tuple[str, ...]
    body: str
    signature: Any  # FunctionSignatureProto
    aggregate: bool = False
    libraries: tuple[str, ...] = ()  # files of JavaScript that a JavaScript function needs
    quick: tuple[Any, ...] = ()  # signatures to be called by in the place of the body, see `answers`

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_templated(self) -> bool:
        """Whether the result depends on the types of the arguments in a call."""
        taken = [argument.kind for argument in self.signature.argument]
        if self.kind == "table function":
            return SignatureArgumentKind.ARG_TYPE_ARBITRARY in taken or not self.signature.return_type.options.HasField(
                "relation_input_schema"
            )
        return SignatureArgumentKind.ARG_TYPE_ARBITRARY in taken and self.language == _SQL and self.kind == "function"

    def function(self, *, with_body: bool = False) -> FunctionProto:
        """The function as a catalog holds it; `with_body` when a SQL function is to be run and not only called."""
        proto = FunctionProto(
            name_path=self.path,
            group="Quick" if self.quick else "Routine",
            mode=FunctionEnums.AGGREGATE if self.aggregate else FunctionEnums.SCALAR,
            signature=self.quick or [self.signature],
        )
        if self.kind == "procedure":  # a function must give something
            proto.signature[0].return_type.kind = SignatureArgumentKind.ARG_TYPE_FIXED
            proto.signature[0].return_type.type.type_kind = TypeKind.TYPE_INT64
        proto.options.supports_null_handling_modifier = self.aggregate and self.language == "JS"
        proto.options.sql_name = self.name
        proto.options.uses_upper_case_sql_name = False
        if self.kind == "function" and self.language == _SQL and (with_body or (self.is_templated and not self.quick)):
            proto.group = "Templated_SQL_Function"
            proto.templated_sql_function_argument_name.extend(self.arguments)
            proto.parse_resume_location.input = self._called_body
        return proto

    @property
    def _called_body(self) -> str:
        """The body with a constructor of a STRUCT put into a subquery: zetasql 0.1.5 fails inside when it must convert
        the parts of one to the declared type. Remove when a later release does it."""
        if self.aggregate or not _CONSTRUCTOR.match(self.body):
            return self.body
        return f"(SELECT {self.body}\n)"

    def table_function(self, *, with_body: bool = False) -> TableValuedFunctionProto:
        """The table function as a catalog holds it."""
        kind = FunctionEnums.FIXED_OUTPUT_SCHEMA_TVF
        proto = TableValuedFunctionProto(name_path=self.path, signature=self.signature, signatures=[self.signature])
        if with_body or self.is_templated:
            kind = FunctionEnums.TEMPLATED_SQL_TVF
            proto.argument_name.extend(self.arguments)
            proto.parse_resume_location.input = self.body
        proto.type = kind
        return proto


def known_of(path: Sequence[str], statement: Any) -> Known:
    """What a resolved CREATE statement defines."""
    node = concrete(statement)
    name = _KINDS.get(kind(node))
    if name is None:
        raise InvalidInput(f"`{'.'.join(path)}` is not made by a CREATE FUNCTION or CREATE PROCEDURE statement")
    language = (node.language or _SQL).upper()
    aggregate = False
    if name == "function":
        language, aggregate = "REMOTE" if node.is_remote else language, node.is_aggregate
    body = node.procedure_body if name == "procedure" else node.code
    arguments = tuple(node.argument_name_list)
    return Known(tuple(path), name, language, arguments, body, node.signature, aggregate, _libraries(node))


def packed(known: Known) -> str:
    """A routine that was read, as text to be kept."""
    signature = b64encode(known.signature.SerializeToString(deterministic=True)).decode()
    told = (known.path, known.kind, known.language, known.arguments, known.body)
    return json.dumps([*told, signature, known.aggregate, known.libraries])


def unpacked(text: str) -> Known:
    path, name, language, arguments, body, signature, aggregate, libraries = json.loads(text)
    proto = FunctionSignatureProto.FromString(b64decode(signature))
    return Known(tuple(path), name, language, tuple(arguments), body, proto, aggregate, tuple(libraries))


def _libraries(node: Any) -> tuple[str, ...]:
    found: list[str] = []
    for option in node.option_list:
        if option.name.lower() == "library":
            value = concrete(option.value).value.value
            found.extend(item.string_value for item in value.array_value.element or [value])
    return tuple(found)


def called(sql: str, routines: Iterable[Routine]) -> dict[Routine, tuple[Routine, ...]]:
    """The routines that a text calls and those that they call, each with those it calls itself, which come before it.

    BigQuery refuses a routine that calls itself; here the inner call finds nothing to call.
    """
    by_name: dict[tuple[str, str], list[Routine]] = {}
    for routine in routines:
        by_name.setdefault((routine.ref.dataset.lower(), routine.ref.name.lower()), []).append(routine)
    found: dict[Routine, tuple[Routine, ...]] = {}
    entered: set[Routine] = set()

    def visit(text: str) -> tuple[Routine, ...]:
        direct = [routine for name in calls(text) for routine in by_name.get(name, ())] if by_name else []
        for routine in direct:
            if routine not in entered:
                entered.add(routine)
                found[routine] = visit(routine.sql)
        return tuple(routine for routine in dict.fromkeys(direct) if routine in found)

    visit(sql)
    return found
