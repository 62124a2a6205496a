"""What a script has made so far: tables with their rows, variables, functions, and how rows are changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from etl_orchestrator.engines.googlesql.contents import check_rows
from etl_orchestrator.engines.googlesql.encoding import decode
from etl_orchestrator.engines.googlesql.evaluation import Failure, Surroundings
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.types import type_name
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.values import empty
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, Rows, SqlProblem, TableData, Value, View

#: The project of a table that a script makes without naming one, where no other table tells it.
_PROJECT = "local-project"


@dataclass(slots=True)
class State:
    """Shared by a script, the procedures it calls and the text it executes. `made` are columns' defaults by table."""

    tables: dict[TableRef, TableData | View]
    routines: list[Routine]
    temporary: dict[str, TableData] = field(default_factory=dict)
    functions: dict[str, Known] = field(default_factory=dict)
    defaults: dict[TableRef | str, dict[str, str]] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    row_count: int | None = None
    error: str | None = None
    before: tuple[dict[TableRef, TableData | View], dict[str, TableData]] | None = None  # a transaction

    def resolve(self, path: Sequence[str]) -> TableRef | str:
        """The table of that name, whether it is there or not: a name of one part is temporary."""
        if len(path) == 1 or path[0].upper() == "_SESSION":
            return next((name for name in self.temporary if name.lower() == path[-1].lower()), path[-1])
        if len(path) == 2:
            known = [table for table in self.tables if table.dataset == path[0]]
            same = [table for table in known if table.name == path[1]]
            projects = {table.project for table in same or known or self.tables}
            return TableRef(projects.pop() if len(projects) == 1 else _PROJECT, path[0], path[1])
        return TableRef.parse(".".join(path))

    def has(self, table: TableRef | str) -> bool:
        return table in (self.tables if isinstance(table, TableRef) else self.temporary)

    def data(self, table: TableRef | str) -> TableData:
        """Raises Failure when there is none."""
        found = self.tables.get(table) if isinstance(table, TableRef) else self.temporary.get(table)
        if not isinstance(found, TableData):
            raise failed(f"Table not found: {table}")
        return found

    def put(self, table: TableRef | str, data: TableData) -> None:
        """Raises Failure for a row that the table cannot hold."""
        name = table if isinstance(table, TableRef) else TableRef(_PROJECT, "temporary", "table")
        try:
            check_rows(name, data)
        except InvalidInput as error:
            raise failed(error.message) from None
        if isinstance(table, TableRef):
            self.tables[table] = data
        else:
            self.temporary[table] = data

    def drop(self, table: TableRef | str) -> None:
        self.defaults.pop(table, None)
        if isinstance(table, TableRef):
            self.tables.pop(table, None)
        else:
            self.temporary.pop(table, None)

    def around(
        self, variables: Mapping[str, tuple[Field, Value]], parameters: Mapping[str, ParameterValue]
    ) -> Surroundings:
        """What the next statement sees."""
        functions = tuple(self.functions.values())
        return Surroundings(self.tables, parameters, self.routines, self.temporary, variables, functions)


Variables = dict[str, tuple[Field, Value]]


@dataclass(slots=True)
class Frame:
    """A text that is being run with what only it sees: variables, the innermost block last, and parameters."""

    text: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    scopes: list[Variables] = field(default_factory=lambda: [{}])

    @property
    def variables(self) -> Variables:
        seen: Variables = {}
        for scope in self.scopes:
            seen |= scope
        return seen

    def scope_of(self, name: str) -> Variables:
        """Raises Failure for a variable that is not declared."""
        for scope in reversed(self.scopes):
            if name.lower() in scope:
                return scope
        raise failed(f"Undeclared variable: {name}")


def failed(message: str) -> Failure:
    return Failure(SqlProblem(message))


def changed(data: TableData, changes: Iterable[Any], fill: Mapping[str, Value]) -> tuple[TableData, int]:
    """The table after the changes, and how many there were; `fill` are values of columns an INSERT does not name."""
    kept: list[Mapping[str, Value] | None] = list(data.rows)
    added: list[Mapping[str, Value]] = []
    count = 0
    for change in changes:
        count += 1
        operation = change.DESCRIPTOR.fields_by_name["operation"].enum_type.values_by_number[change.operation].name
        cells = zip(data.schema, change.cell, strict=False)  # columns that `SELECT *` leaves out stand behind
        if operation == "INSERT":
            added.append({column.name: _cell(column, cell) for column, cell in cells} | dict(fill))
            continue
        number = change.old_primary_key[0].int64_value
        old = data.rows[number]
        kept[number] = None if operation == "DELETE" else {**old, **{c.name: _cell(c, cell) for c, cell in cells}}
    return replace(data, rows=(*(row for row in kept if row is not None), *added)), count


def _cell(column: Field, cell: Any) -> Value:
    value = decode(column, cell)
    return empty(column) if value is None else value


def coerced(value: Value, given: Field, wanted: Field) -> Value:
    """The value of one type where another is wanted, as an assignment of a part of a struct allows. Raises Failure."""
    same = (given.type, given.mode == "REPEATED") == (wanted.type, wanted.mode == "REPEATED")
    if value is None or same:
        return value
    change = _COERCIONS.get((given.type, wanted.type))
    if change is None or "REPEATED" in (given.mode, wanted.mode):
        raise failed(f"Cannot assign a value of type {type_name(given)} to `{wanted.name}`, a {type_name(wanted)}")
    return change(value)


_COERCIONS: Mapping[tuple[str, str], Any] = {
    ("INTEGER", "FLOAT"): float,
    ("INTEGER", "NUMERIC"): Decimal,
    ("INTEGER", "BIGNUMERIC"): Decimal,
    ("NUMERIC", "BIGNUMERIC"): Decimal,
    ("NUMERIC", "FLOAT"): float,
    ("BIGNUMERIC", "FLOAT"): float,
    ("DATE", "DATETIME"): lambda day: datetime(day.year, day.month, day.day) if isinstance(day, date) else day,
}
