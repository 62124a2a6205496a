"""Schemas without what a query cannot mean: the engine's work grows with the square of the fields of a wide table.

A column whose name is nowhere in the text is left out, and so is a field of a struct that the text only goes through
(`metrics.uuid.client_id`). Told by tokens, so on the safe side: a table whose columns count unnamed is left whole (its
alias used as a value, PIVOT, DML, a `*` that leads to the output), and so is a struct whose name is ever not followed by a
field. A `*` in a CTE leads as far as that CTE's own columns count unnamed. Of what a `*` hands on to the output, large
structs that the text does not name are handed on as small ones.
A query that is accepted so is accepted with the whole schemas too, with the same columns; one that is refused must be
asked again with them, for its message may name what was left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from etl_orchestrator.engines.googlesql.query_names import QueryNames
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.tokens import words
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import TableData

#: Each column of a table costs the engine a third of a millisecond wherever the table stands; below this it may.
_WIDE = 40
_SHARED = 256
#: A struct of fewer fields is not worth a stand-in, which has a field for each bit of its number.
_LARGE = 30
_BITS = 8


@dataclass(frozen=True, slots=True)
class Narrowed:
    """`hidden` are the fields of structs for which others stand in, by the name of the first of those."""

    schemas: Mapping[TableRef, Schema]
    hidden: Mapping[str, Schema]

    def restored(self, columns: Schema) -> Schema:
        """The columns of a query on the narrow schemas, as they are on the whole ones."""
        if not self.hidden:
            return columns
        return tuple(self._restored(field) if field.fields else field for field in columns)

    def _restored(self, field: Field) -> Field:
        known = self.hidden.get(field.fields[0].name)
        return replace(field, fields=self.restored(field.fields) if known is None else known)


def narrowed(sql: str, schemas: Mapping[TableRef, Schema], *, hide: bool = True) -> Narrowed | None:
    """None where there is nothing to gain. Only with `hide` are there stand-ins, which no rows fit."""
    if not any(_size(schema) >= _WIDE for schema in schemas.values()):
        return None
    try:
        text = QueryNames(words(sql))
    except InvalidInput:
        return None
    if text.unclear:
        return None
    rows = text.rows(schemas)
    whole, hiding = text.whole(schemas, rows), _Hiding(text)
    found = {}
    for table, schema in schemas.items():
        found[table] = schema
        if _size(schema) >= _WIDE and table not in rows:
            if table not in whole:
                found[table] = _shared(_kept(schema, text))
            elif hide:
                found[table] = hiding.schema(schema)
    if all(found[table] is schema for table, schema in schemas.items()):
        return None
    return Narrowed(found, hiding.hidden)


def narrowed_rows(sql: str, tables: Mapping[TableRef, TableData]) -> Mapping[TableRef, TableData]:
    """The tables of a query that is to be run, their rows fitting the narrow schemas."""
    narrow = narrowed(sql, {table: data.schema for table, data in tables.items()}, hide=False)
    if narrow is None:
        return tables
    return {
        table: data
        if narrow.schemas[table] is data.schema
        else TableData(narrow.schemas[table], tuple(_part(row, narrow.schemas[table]) for row in data.rows))
        for table, data in tables.items()
    }


def _part(row: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    found = {}
    for field in schema:
        if field.name in row:
            cell = row[field.name]
            found[field.name] = _part(cell, field.fields) if field.fields and isinstance(cell, Mapping) else cell
    return found


def _size(schema: Schema) -> int:
    """The number of fields, those of structs included; no more than _WIDE are counted."""
    waiting, count = [schema], 0
    while waiting and count < _WIDE:
        fields = waiting.pop()
        count += len(fields)
        waiting.extend(field.fields for field in fields if field.fields)
    return count


def _kept(schema: Schema, text: QueryNames, parent: str = "") -> Schema:
    return tuple(_narrow(field, text, parent) for field in schema if text.names(field, parent))


@lru_cache(_SHARED)
def _shared(schema: Schema) -> Schema:
    """One object for equal schemas: the engine's catalogs are told apart by identity."""
    return schema


def _narrow(field: Field, text: QueryNames, parent: str) -> Field:
    if field.type != "RECORD" or field.mode == "REPEATED" or text.is_value(field, parent):
        return field
    return replace(field, fields=_kept(field.fields, text, field.name.lower()) or field.fields)


class _Hiding:
    """Puts small structs in the place of large ones that a query hands on without naming them.

    Equal structs get equal ones; of different ones no column of a set operation can be made, as a rule, and never one of
    their stand-ins, each a number in bits: BOOL and BYTES do not go together."""

    def __init__(self, text: QueryNames) -> None:
        self._text = text
        self._numbers: dict[Schema, int] = {}
        self.hidden: dict[str, Schema] = {}

    def schema(self, schema: Schema, parent: str = "") -> Schema:
        if self._text.counts_stars:
            return schema
        found = tuple(self._field(field, parent) if field.fields else field for field in schema)
        return schema if all(new is old for new, old in zip(found, schema, strict=True)) else found

    def _field(self, field: Field, parent: str) -> Field:
        if self._text.names(field, parent):
            if self._text.is_value(field, parent) or field.mode == "REPEATED":
                return field
            inside = self.schema(field.fields, field.name.lower())
            return field if inside is field.fields else replace(field, fields=inside)
        if _size(field.fields) < _LARGE:
            return field
        number = self._numbers.setdefault(bare(field.fields), len(self._numbers))
        if number >> _BITS:
            return field
        bits = [f"stand_in_{number}_{bit}" for bit in range(_BITS)]
        self.hidden[bits[0]] = bare(field.fields)
        fields = tuple(Field(name, "BOOLEAN" if number >> bit & 1 else "BYTES") for bit, name in enumerate(bits))
        return replace(field, fields=fields)


def bare(schema: Schema) -> Schema:
    """Names and types alone, as the engine gives them."""
    return tuple(
        Field(field.name, field.type, "REPEATED" if field.mode == "REPEATED" else "NULLABLE", fields=bare(field.fields))
        for field in schema
    )
