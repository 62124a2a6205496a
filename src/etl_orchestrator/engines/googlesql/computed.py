"""Functions that are computed outside the evaluator, which cannot call out: they are looked up in a table.

A function's body looks its arguments up, as JSON text, in a table of what is known of the function. Where they are not
found the query fails naming them; they are computed, added, and the query is run again. So a query is run once more for
each set of arguments that is new. This holds wherever the call stands: in routines, lambdas, subqueries, branches.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from etl_orchestrator.engines.googlesql.encoding import encode
from etl_orchestrator.engines.googlesql.protocol import SimpleColumnProto, SimpleTableProto, TableContent, ValueProto
from etl_orchestrator.engines.googlesql.types import type_of
from etl_orchestrator.errors import EngineError, InvalidInput
from etl_orchestrator.sql.values import canonical_json, check
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

#: Begins the error of a query that needs a value which is not known yet; number of the function and arguments follow.
UNKNOWN = "the local engine must first compute "
_KEPT = 2_000


class Failed(EngineError):
    """Raised by a function for arguments it refuses; the query fails with this message."""


@dataclass(slots=True)
class Computed:
    """A function and what is known of it. `compute` takes the arguments as the text of a JSON object by name."""

    name: str
    arguments: tuple[Field, ...]
    result: Field
    compute: Callable[[str], Value]
    known: dict[str, tuple[Value, str | None]] = field(default_factory=dict)

    def learn(self, key: str) -> None:
        """Raises EngineError when the function cannot be run at all."""
        if len(self.known) >= _KEPT:
            self.known.pop(next(iter(self.known)))
        try:
            self.known[key] = (self.compute(key), None)
        except Failed as failed:
            self.known[key] = (None, failed.message)

    def body(self, table: str) -> str:
        """The body in SQL; the arguments are called by their names."""
        fields = ", ".join(f"`{argument.name}` AS `{argument.name}`" for argument in self.arguments)
        key = f"TO_JSON_STRING(STRUCT({fields}))" if fields else "'{}'"
        return (
            f"(SELECT IF(known.key IS NULL, ERROR(CONCAT('{UNKNOWN}{table} ', called.key)), "
            "IF(known.failure IS NULL, known.value, ERROR(known.failure))) "
            f"FROM (SELECT {key} AS key) AS called LEFT JOIN `{table}` AS known ON known.key = called.key)"
        )

    def table(self, name: str) -> tuple[SimpleTableProto, TableContent]:
        """What is known, as a table of the engine."""
        proto = SimpleTableProto(name=name, serialization_id=1)
        content = TableContent()
        content.table_data.SetInParent()
        text = Field("key", "STRING")
        for column in ("key", "value", "failure"):
            proto.column.append(
                SimpleColumnProto(name=column, type=type_of(self.result if column == "value" else text))
            )
        for key, (value, failure) in self.known.items():
            cell = ValueProto() if value is None else encode(self.result, value)
            content.table_data.row.add().cell.extend([encode(text, key), cell, encode(text, failure)])
        return proto, content


def unknown_of(message: str) -> tuple[str, str] | None:
    """The table and the arguments which a query's error asks for, if that is what it says."""
    if not message.startswith(UNKNOWN):
        return None
    table, _, key = message[len(UNKNOWN) :].partition(" ")
    return table, key


def typed(field: Field, item: Any) -> Value:
    """A value of this type from JSON in which numbers are text. Raises Failed where it does not fit."""
    if item is None:
        return None
    if field.mode == "REPEATED":
        element = Field(field.name, field.type, fields=field.fields)
        return [typed(element, part) for part in item]
    if field.type == "RECORD":
        return {part.name: typed(part, item.get(part.name)) for part in field.fields}
    try:
        value = _SCALARS[field.type](item)
        check(Field(field.name or "result", field.type), value)
    except (ValueError, InvalidOperation, InvalidInput):
        raise Failed(f"Failed to coerce output value {item} to type {field.type}") from None
    return value


_SCALARS: Mapping[str, Callable[[Any], Value]] = {
    "STRING": str,
    "INTEGER": int,
    "FLOAT": float,
    "BOOLEAN": bool,
    "NUMERIC": Decimal,
    "BIGNUMERIC": Decimal,
    "BYTES": lambda text: base64.b64decode(text, validate=True),
    "DATE": lambda text: date.fromisoformat(text[:10]),
    "TIMESTAMP": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC),
    "JSON": lambda text: canonical_json(json.loads(text)),
}
