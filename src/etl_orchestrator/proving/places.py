"""Places in the rows of fixtures where a value can be put."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from etl_orchestrator.table import Field, Schema
from etl_orchestrator.tools import Value

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a row where a value can be put."""

    alias: str
    holder: Any  # dict or list
    key: Any
    field: Field

    def get(self) -> Value:
        return self.holder[self.key]

    def put(self, value: Value) -> None:
        self.holder[self.key] = value


def descend(slot: Slot, names: Sequence[str]) -> Slot | None:
    """The place of a part of a record; None where the path ends nowhere, or at a whole record."""
    for name in names:
        holder = slot.get()
        column = next((part for part in slot.field.fields if part.name.lower() == name.lower()), None)
        if column is None or not isinstance(holder, dict) or slot.field.mode == "REPEATED":
            return None
        holder.setdefault(column.name, [] if column.mode == "REPEATED" else None)
        slot = Slot(slot.alias, holder, column.name, column)
    return slot if slot.field.type != "RECORD" or slot.field.mode == "REPEATED" else None


def inside(row: dict[str, Value], schema: Schema) -> Iterator[tuple[Any, Any, Field]]:
    """Where a value can be put in a row: columns, parts of records, the first element of arrays."""
    for column in schema:
        value = row.get(column.name)
        holder: Any = row
        key: Any = column.name
        if column.mode == "REPEATED":
            if not value:
                continue
            holder, key, value = value, 0, value[0]
        if column.type != "RECORD":
            if key in holder or isinstance(holder, list):
                yield holder, key, column
        elif isinstance(value, dict):
            yield from inside(value, column.fields)
