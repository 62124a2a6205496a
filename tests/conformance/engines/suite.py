"""The queries every Runner must answer as BigQuery does, read from `cases/`, and the gaps of each engine from `gaps/`.

A file of cases holds `source` (the page of Google's documentation its expectations come from), `tables` that all its
cases may read, and `cases`: name, sql, and either `expect` (rows, written by hand) or `problem` (what the message of the
refusal matches); optional are tables, parameters, routines (CREATE statements), columns (their types), ordered, source.

A file of gaps holds `refused` (a word of the engine's refusal: the cases refused with it, `topic: *` for all of a topic) and `wrong` (a reason: the cases
answered otherwise). Both are strict: a gap that closes fails the suite until its line is removed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from etl_orchestrator.engines.googlesql.types import parse_type
from etl_orchestrator.sql.values import parse_cell
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, TableData, Value

HERE = Path(__file__).parent
_ROUTINE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:AGGREGATE\s+|TABLE\s+)?(?:FUNCTION|PROCEDURE)\s+([`\w.-]+)", re.I
)


@dataclass(frozen=True, slots=True)
class Case:
    """One query and its answer: `expect` when it has rows, `problem` when BigQuery refuses it."""

    name: str  # file: name
    sql: str
    source: str
    expect: Sequence[Mapping[str, Any]] | None = None
    problem: str = ""
    columns: Sequence[str] | None = None
    ordered: bool = False
    tables: Mapping[TableRef, TableData] = field(default_factory=dict)
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    routines: Sequence[Routine] = ()

    def rows(self, schema: Schema) -> list[dict[str, Value]]:
        """The expected rows as values of the columns that the engine says it gives."""
        return [typed(schema, row) for row in self.expect or ()]


@dataclass(frozen=True, slots=True)
class Gaps:
    """By case name (`topic: *` for a whole topic): the word of a refusal, and the reason of a wrong answer."""

    refused: Mapping[str, str]
    wrong: Mapping[str, str]

    def refusal(self, case: Case) -> str:
        """The word the engine must refuse the case with, or nothing."""
        return self.refused.get(case.name) or self.refused.get(case.name.partition(": ")[0] + ": *", "")


def cases() -> list[Case]:
    """All cases, files in order of name."""
    found = []
    for file in sorted((HERE / "cases").rglob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for written in content["cases"]:
            found.append(_case(file.stem, content, written))
    return found


def gaps(engine: str) -> Gaps:
    file = HERE / "gaps" / f"{engine}.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    return Gaps(_by_case(content.get("refused") or {}), _by_case(content.get("wrong") or {}))


def typed(schema: Schema, row: Mapping[str, Any]) -> dict[str, Value]:
    return {column.name: parse_cell(column, row[column.name]) for column in schema if column.name in row}


def _by_case(written: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: reason for reason, names in written.items() for name in names}


def _case(topic: str, content: Mapping[str, Any], written: Mapping[str, Any]) -> Case:
    unknown = set(written) - {
        "name", "sql", "source", "expect", "problem", "columns", "ordered", "tables", "parameters", "routines"
    }  # fmt: skip
    if unknown:
        raise ValueError(f"{topic}: {written['name']}: unknown keys {sorted(unknown)}")
    return Case(
        f"{topic}: {written['name']}",
        written["sql"],
        written.get("source", content["source"]),
        written.get("expect"),
        written.get("problem", ""),
        written.get("columns"),
        written.get("ordered", False),
        _tables({**content.get("tables", {}), **written.get("tables", {})}),
        {name: _parameter(name, *cell) for name, cell in written.get("parameters", {}).items()},
        tuple(_routine(sql) for sql in [*content.get("routines", ()), *written.get("routines", ())]),
    )


def _field(written: Mapping[str, Any]) -> Field:
    parts = tuple(_field(part) for part in written.get("fields", ()))
    return Field(written["name"], written["type"], written.get("mode", "NULLABLE"), None, parts)


def _tables(written: Mapping[str, Any]) -> dict[TableRef, TableData]:
    tables = {}
    for name, table in written.items():
        schema = tuple(_field(column) for column in table["schema"])
        tables[TableRef.parse(name)] = TableData(schema, tuple(typed(schema, row) for row in table.get("rows", ())))
    return tables


def _parameter(name: str, kind: str, cell: object) -> ParameterValue:
    return ParameterValue(kind, parse_cell(parse_type(name, kind), cell))


def _routine(sql: str) -> Routine:
    found = _ROUTINE.search(sql)
    if not found:
        raise ValueError(f"no CREATE FUNCTION or PROCEDURE in {sql!r}")
    return Routine(TableRef.parse(found.group(1)), sql)
