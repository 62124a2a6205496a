"""The schema that BigQuery's autodetection gives rows loaded as JSON, for fixtures whose table nobody described.

An inference from what loads are seen to do, not from a specification: text that looks like a number, a truth value, a day,
a time or an instant becomes one (also `"007"`); an instant without a zone is UTC; a column that is nowhere filled is
STRING; columns come sorted by name. Where the rows of a column disagree it is STRING, whole numbers and fractions are
FLOAT. https://cloud.google.com/bigquery/docs/schema-detect
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.table import Field, Schema

_WORDS = (
    ("BOOLEAN", re.compile(r"true\Z|false\Z", re.IGNORECASE)),
    ("INTEGER", re.compile(r"[+-]?\d+\Z")),
    ("FLOAT", re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?\Z")),
    ("DATE", re.compile(r"\d{4}-(0?[1-9]|1[012])-(0?[1-9]|[12]\d|3[01])\Z")),
    ("TIME", re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,6})?\Z")),
    (
        "TIMESTAMP",
        re.compile(
            r"\d{4}-\d{1,2}-\d{1,2}[Tt ]\d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,9})?)?\s*([+-]\d{1,2}(:?\d{2})?|[Zz]|UTC)?\Z"
        ),
    ),
)
_INT64 = range(-(2**63), 2**63)
_NUMBERS = frozenset({"INTEGER", "FLOAT"})


@dataclass(slots=True)
class _Seen:
    """What the rows hold in one column."""

    types: set[str] = field(default_factory=set)
    repeated: bool = False
    single: bool = False
    parts: dict[str, _Seen] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # as first written, by lower case

    def add(self, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, list):
            self.repeated = True
            for item in value:
                self.add_one(item)
        else:
            self.single = True
            self.add_one(value)

    def add_one(self, value: Any) -> None:
        if isinstance(value, Mapping):
            self.types.add("RECORD")
            self.add_parts(value)
        elif value is not None:
            self.types.add(_type_of(value))

    def add_parts(self, row: Mapping[str, Any]) -> None:
        for name, value in row.items():
            key = str(name).lower()
            self.names.setdefault(key, str(name))
            self.parts.setdefault(key, _Seen()).add(value)

    def fields(self) -> Schema:
        return tuple(self.parts[key].field(self.names[key]) for key in sorted(self.parts))

    def field(self, name: str) -> Field:
        kind = _agreed(self.types)
        if kind == "RECORD" and self.types != {"RECORD"}:
            raise InvalidInput(f"`{name}` holds records and single values", fix="give the fixture a schema")
        if kind != "RECORD" and self.repeated and self.single:
            raise InvalidInput(f"`{name}` holds arrays and single values", fix="give the fixture a schema")
        return Field(name, kind, "REPEATED" if self.repeated else "NULLABLE", None, self.fields())


def detected(rows: Iterable[Mapping[str, Any]]) -> Schema:
    """The schema of rows of JSON values. Raises InvalidInput where a column is both a record or array and something else."""
    seen = _Seen()
    for row in rows:
        seen.add_parts(row)
    return seen.fields()


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "INTEGER" if value in _INT64 else "FLOAT"
    if isinstance(value, float):
        return "FLOAT"
    if not isinstance(value, str):
        return "STRING"
    text = value.strip()
    found = next((kind for kind, pattern in _WORDS if pattern.match(text)), "STRING")
    return "FLOAT" if found == "INTEGER" and int(text) not in _INT64 else found


def _agreed(types: set[str]) -> str:
    if "RECORD" in types:
        return "RECORD"
    if types == _NUMBERS:
        return "FLOAT"
    return next(iter(types)) if len(types) == 1 else "STRING"
