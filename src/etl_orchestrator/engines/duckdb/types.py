"""Types and values between BigQuery and DuckDB; what DuckDB has no equal of is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.values import canonical_json
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

_SPELLED = {
    "STRING": "VARCHAR", "BYTES": "BLOB", "INTEGER": "BIGINT", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN", "DATE": "DATE",
    "DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMPTZ", "TIME": "TIME", "NUMERIC": "DECIMAL(38, 9)", "JSON": "JSON",
}  # fmt: skip
_NAMES = {
    "varchar": "STRING", "blob": "BYTES", "double": "FLOAT", "float": "FLOAT", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "DATETIME", "timestamp with time zone": "TIMESTAMP", "time": "TIME", "json": "JSON", "decimal": "NUMERIC",
    "bigint": "INTEGER", "integer": "INTEGER", "smallint": "INTEGER", "tinyint": "INTEGER", "hugeint": "INTEGER",
    "ubigint": "INTEGER", "uinteger": "INTEGER", "usmallint": "INTEGER", "utinyint": "INTEGER", "uhugeint": "INTEGER",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = range(-(2**63), 2**63)


class OutOfRange(ValueError):
    """A result that BigQuery cannot hold where DuckDB can."""


def spelled(field: Field) -> str:
    """The type of a column as DuckDB writes it."""
    if field.mode == "REPEATED":
        return spelled(Field(field.name, field.type, fields=field.fields)) + "[]"
    if field.type == "RECORD":
        parts = ", ".join(f'"{part.name}" {spelled(part)}' for part in field.fields)
        return f"STRUCT({parts})"
    if field.type not in _SPELLED:
        raise Unsupported(f"the engine duckdb has no {field.type} (`{field.name}`)")
    return _SPELLED[field.type]


def field_of(name: str, kind: Any) -> Field:
    """The column a DuckDB type (`DuckDBPyType`) makes."""
    if kind.id in ("list", "array"):
        element = field_of(name, dict(kind.children)["child"])
        if element.mode == "REPEATED":
            raise Unsupported(f"`{name}` is an array of arrays, which BigQuery cannot hold")
        return Field(name, element.type, "REPEATED", fields=element.fields)
    if kind.id == "struct":
        return Field(name, "RECORD", fields=tuple(field_of(part, inner) for part, inner in kind.children))
    text = "json" if str(kind) == "JSON" else "decimal" if kind.id == "decimal" else str(kind).lower()
    if text == '"null"':
        return Field(name, "INTEGER")
    if text not in _NAMES:
        raise Unsupported(f"the engine duckdb gives `{name}` as {kind}, which BigQuery has not")
    return Field(name, _NAMES[text])


def readable(expression: str, kind: Any, depth: int = 0) -> str:
    """An expression of a type that Python can read without a library of time zones: instants as microseconds."""
    text = str(kind)
    if "TIME ZONE" not in text and "TIMESTAMPTZ" not in text:
        return expression
    if kind.id in ("list", "array"):
        item = f"item{depth}"
        return f"list_transform({expression}, lambda {item}: {readable(item, dict(kind.children)['child'], depth + 1)})"
    if kind.id == "struct":
        quoted = [(f'"{name}"', inner) for name, inner in kind.children]
        parts = ", ".join(f"{name} := {readable(f'({expression}).{name}', inner, depth)}" for name, inner in quoted)
        return f"CASE WHEN {expression} IS NULL THEN NULL ELSE struct_pack({parts}) END"
    return f"epoch_us({expression})"


def value_of(field: Field, found: Any) -> Value:
    """The value of a column as `tools` describes values. Raises OutOfRange."""
    if field.mode == "REPEATED":
        items = [value_of(Field(field.name, field.type, fields=field.fields), item) for item in found or ()]
        if any(item is None for item in items):
            raise OutOfRange(f"array `{field.name}` has a NULL element, which BigQuery cannot write")
        return items
    if found is None:
        return None
    if field.type == "RECORD":
        return {part.name: value_of(part, found[part.name]) for part in field.fields}
    if field.type == "TIMESTAMP":
        try:
            return _EPOCH + timedelta(microseconds=found)
        except OverflowError:
            raise OutOfRange(f"`{field.name}` is beyond the calendar") from None
    if field.type == "INTEGER":
        if int(found) not in _INT64:
            raise OutOfRange(f"integer overflow in `{field.name}`")
        return int(found)
    if field.type == "JSON":
        return canonical_json(json.loads(found))
    if field.type == "NUMERIC":
        return Decimal(found)
    return bytes(found) if field.type == "BYTES" else found
