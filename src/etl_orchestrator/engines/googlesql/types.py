"""Field to GoogleSQL type and back, and types as people write them (`ARRAY<STRUCT<a INT64>>`)."""

from __future__ import annotations

import re
from dataclasses import replace

from etl_orchestrator.engines.googlesql.protocol import (
    TypeKind,
    TypeProto,
)
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import LEGACY_TYPES, TYPES, Field

_KINDS = {
    "STRING": TypeKind.TYPE_STRING, "BYTES": TypeKind.TYPE_BYTES, "INTEGER": TypeKind.TYPE_INT64,
    "FLOAT": TypeKind.TYPE_DOUBLE, "BOOLEAN": TypeKind.TYPE_BOOL, "DATE": TypeKind.TYPE_DATE,
    "DATETIME": TypeKind.TYPE_DATETIME, "TIME": TypeKind.TYPE_TIME, "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
    "NUMERIC": TypeKind.TYPE_NUMERIC, "BIGNUMERIC": TypeKind.TYPE_BIGNUMERIC, "JSON": TypeKind.TYPE_JSON,
    "GEOGRAPHY": TypeKind.TYPE_GEOGRAPHY, "INTERVAL": TypeKind.TYPE_INTERVAL,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}
_TYPE_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|`[^`]+`|\d+|[<>(),])")


def type_of(field: Field) -> TypeProto:
    """Raises Unsupported for a RANGE, whose element type a schema file does not tell."""
    made = TypeProto()
    _fill(made, field)
    return made


def _fill(made: TypeProto, field: Field) -> None:
    """Makes it the type of the field; in its place, for a wide struct would be copied into each one around it."""
    if field.mode == "REPEATED":
        made.type_kind = TypeKind.TYPE_ARRAY
        made = made.array_type.element_type
    if field.type == "RECORD":
        made.type_kind = TypeKind.TYPE_STRUCT
        made.struct_type.SetInParent()
        for part in field.fields:
            _fill(made.struct_type.field.add(field_name=part.name).field_type, part)
    elif field.type in _KINDS:
        made.type_kind = _KINDS[field.type]
    else:
        raise Unsupported(f"this engine does not know the element type of `{field.name}` ({field.type})")


def field_of(name: str, proto: TypeProto) -> Field:
    """Raises Unsupported for a type that a BigQuery table cannot hold (arrays of arrays, UUID, graph elements)."""
    if proto.type_kind == TypeKind.TYPE_ARRAY:
        element = field_of(name, proto.array_type.element_type)
        if element.mode == "REPEATED":
            raise Unsupported(f"`{name}` is an array of arrays, which BigQuery cannot hold")
        return replace(element, mode="REPEATED")
    if proto.type_kind == TypeKind.TYPE_STRUCT:
        parts = [
            field_of(part.field_name or f"_field_{index}", part.field_type)
            for index, part in enumerate(proto.struct_type.field, start=1)
        ]
        return Field(name, "RECORD", fields=tuple(parts))
    if proto.type_kind == TypeKind.TYPE_RANGE:
        return Field(name, "RANGE")
    if proto.type_kind not in _NAMES:
        kind = TypeKind.name_of(proto.type_kind).removeprefix("TYPE_")
        raise Unsupported(f"`{name}` is of type {kind}, which BigQuery cannot hold")
    return Field(name, _NAMES[proto.type_kind])


def spelling(field: Field) -> str:
    """The GoogleSQL type of a field, as `parse_type` reads it."""
    if field.mode == "REPEATED":
        return f"ARRAY<{spelling(replace(field, mode='NULLABLE'))}>"
    if field.type == "RECORD":
        return f"STRUCT<{', '.join(f'`{part.name}` {spelling(part)}' for part in field.fields)}>"
    return field.type


def parse_type(name: str, text: str) -> Field:
    """A GoogleSQL type as text, as a field of that name; lengths and precisions are read and dropped."""
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        found = _TYPE_TOKEN.match(text, position)
        if not found:
            raise _not_a_type(text)
        tokens.append(found.group(1).strip("`"))
        position = found.end()
    field, rest = _read_type(name, tokens, text)
    if rest:
        raise _not_a_type(text)
    return field


def _not_a_type(text: str) -> InvalidInput:
    return InvalidInput(f"`{text}` is not a GoogleSQL type", fix="write one such as DATE or ARRAY<STRING>")


def _read_type(name: str, tokens: list[str], text: str) -> tuple[Field, list[str]]:
    head, rest = (tokens[0].upper(), tokens[1:]) if tokens else ("", [])
    if head == "ARRAY" and rest[:1] == ["<"]:
        element, rest = _read_type(name, rest[1:], text)
        if rest[:1] != [">"] or element.mode == "REPEATED":
            raise _not_a_type(text)
        return replace(element, mode="REPEATED"), rest[1:]
    if head == "STRUCT" and rest[:1] == ["<"]:
        return _read_struct(name, rest[1:], text)
    kind = LEGACY_TYPES.get(head, head)
    if kind not in TYPES or kind == "RECORD":
        raise _not_a_type(text)
    if rest[:1] == ["("]:
        if ")" not in rest:
            raise _not_a_type(text)
        rest = rest[rest.index(")") + 1 :]
    return Field(name, kind), rest


def _read_struct(name: str, tokens: list[str], text: str) -> tuple[Field, list[str]]:
    parts: list[Field] = []
    while True:
        named = len(tokens) > 1 and tokens[1] not in "<>(),"
        part, rest = _read_type(tokens[0] if named else f"_field_{len(parts) + 1}", tokens[named:], text)
        parts.append(part)
        if rest[:1] == [">"]:
            return Field(name, "RECORD", fields=tuple(parts)), rest[1:]
        if rest[:1] != [","]:
            raise _not_a_type(text)
        tokens = rest[1:]


_SPELLED = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def type_name(column: Field) -> str:
    """The type as GoogleSQL spells it."""
    if column.mode == "REPEATED":
        return f"ARRAY<{type_name(replace(column, mode='NULLABLE'))}>"
    if column.type == "RECORD":
        return f"STRUCT<{', '.join(f'`{part.name}` {type_name(part)}' for part in column.fields)}>"
    if column.type == "RANGE":
        raise Unsupported("the local engine lacks variables of type RANGE")
    return _SPELLED.get(column.type, column.type)
