"""What the engine understood of one query: columns, tables and lineage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any

from etl_orchestrator.engines.googlesql.grouping import ungroupable
from etl_orchestrator.engines.googlesql.instance import Refusal
from etl_orchestrator.engines.googlesql.lineage import Origin, Origins, lineage_of
from etl_orchestrator.engines.googlesql.outline import Outline
from etl_orchestrator.engines.googlesql.problems import offset_of, problem_of
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited, kind, walk
from etl_orchestrator.engines.googlesql.session import Registered, Session
from etl_orchestrator.engines.googlesql.text import Spelled, character
from etl_orchestrator.engines.googlesql.types import field_of
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.table import walk as walk_fields
from etl_orchestrator.tools import Lineage, SqlProblem

_DUPLICATE = "Duplicate column name in the result"
_TWICE = re.compile(r"\ACREATE [A-Z ]+ has columns with duplicate name `?(\w+)`?\Z")


@dataclass(frozen=True, slots=True)
class Scan:
    """Where a table stands in the text, in characters; a temporary one is a name. `named` when it is given an alias."""

    start: int
    end: int
    table: TableRef | str
    named: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """With a `problem` nothing else is known. A `struct` is the one cell of a SELECT AS STRUCT, whose fields are the
    columns."""

    columns: Schema = ()
    struct: Field | None = None
    lineage: Mapping[str, Lineage] = field(default_factory=dict)
    scans: tuple[Scan, ...] = ()
    problem: SqlProblem | None = None
    statement: Any = None  # the resolved statement

    @property
    def tables(self) -> tuple[TableRef, ...]:
        return tuple(sorted({scan.table for scan in self.scans if isinstance(scan.table, TableRef)}))


def read(
    session: Session,
    sql: Spelled,
    catalog: Registered,
    parameters: Mapping[str, str],
    targets: Sequence[Field] = (),
    made: Mapping[tuple[str, str], Origin] | None = None,
) -> Reading:
    """Reads one statement. `made` are the origins of the columns of tables that the script has made.

    Raises EngineError when the engine fails; a fault of the statement is a `problem`.
    """
    try:
        statement = concrete(session.analyze(sql.text, catalog, parameters, targets))
    except Refusal as refusal:
        problem, offset = problem_of(refusal, sql), offset_of(refusal, sql)
        if offset is not None:
            from etl_orchestrator.engines.googlesql.suggestions import with_suggestion  # for what is refused only

            problem = with_suggestion(problem, sql.text, offset, session, catalog, parameters)
        if twice := _TWICE.search(problem.message):
            problem = _at_column(problem, sql, twice[1])
        return Reading(problem=problem)
    columns, struct = _columns(statement)
    nodes = tuple(walk(statement))
    if refused := ungroupable(nodes):
        line, column = sql.place_at(character(sql.text, refused.start))
        return Reading(problem=SqlProblem(refused.message, line, column))
    scans = scans_of(nodes, sql.text, catalog)
    duplicate = duplicate_in(columns)
    if duplicate:
        return Reading(problem=_at_column(SqlProblem(f"{_DUPLICATE}: {duplicate}"), sql, duplicate))
    misspelt = _wrong_case(scans, sql)
    if misspelt:
        return Reading(problem=misspelt)
    origins = Origins(nodes, catalog.table_of, made)
    lineage = LazyLineage(statement, origins, columns, struct)
    return Reading(columns, struct, lineage, scans, statement=statement)


def _outputs(statement: Any) -> Any:
    return inherited(statement, "output_column_list", ())


def _columns(statement: Any) -> tuple[Schema, Field | None]:
    """Columns as BigQuery names them: those without a name are f0_, f1_ ..."""
    outputs = _outputs(statement)
    if outputs and inherited(statement, "is_value_table", False):
        only = field_of("f0_", outputs[0].column.type)
        return (only.fields, only) if only.type == "RECORD" and only.mode != "REPEATED" else ((only,), None)
    return _named((output.name, output.column.type) for output in outputs), None


def columns_of(outputs: Iterable[Any]) -> Schema:
    """Columns that the engine names with its own names, which begin with $ where they have none."""
    return _named((output.name, output.type) for output in outputs)


def _named(outputs: Iterable[tuple[str, Any]]) -> Schema:
    anonymous = count()
    return tuple(
        field_of(name if name and not name.startswith("$") else f"f{next(anonymous)}_", given)
        for name, given in outputs
    )


def duplicate_in(columns: Schema) -> str:
    """The name that two columns have, which BigQuery refuses, "" when all names differ."""
    seen: set[str] = set()
    for path, _ in walk_fields(columns):
        if path.lower() in seen:
            return path
        seen.add(path.lower())
    return ""


def _at_column(problem: SqlProblem, sql: Spelled, path: str) -> SqlProblem:
    """The problem at the place where the output is given a column of this name a second time."""
    try:
        offset = Outline(sql.text).column(path.partition(".")[0])
    except InvalidInput:
        return problem
    line, column = sql.place_at(offset)
    return replace(problem, line=line, column=column)


def scans_of(nodes: Iterable[Any], text: str, catalog: Registered) -> tuple[Scan, ...]:
    """Where tables stand in the text, in order."""
    found: set[Scan] = set()
    for node in nodes:
        if kind(node) == "TableScan":
            place = inherited(node, "parse_location_range")
            start, end = character(text, place.start), character(text, place.end)
            found.add(Scan(start, end, catalog.table_of(node), bool(node.alias)))
    return tuple(sorted(found, key=lambda scan: scan.start))


def _wrong_case(scans: tuple[Scan, ...], sql: Spelled) -> SqlProblem | None:
    """BigQuery tells names of tables apart by case, the engine does not."""
    for scan in scans:
        if isinstance(scan.table, str):
            continue
        written = re.sub(r"[`\s]", "", sql.text[scan.start : scan.end])
        if not f".{scan.table}".endswith(f".{written}"):
            line, column = sql.place_at(scan.start)
            return SqlProblem(f"Table not found: {written}; Did you mean {scan.table}?", line, column)
    return None


def literal(statement: Any) -> str | None:
    """The text that a query of one string literal gives, None for every other statement."""
    project = concrete(statement.query) if kind(statement) == "QueryStmt" else None
    if project is None or kind(project) != "ProjectScan" or len(project.expr_list) != 1:
        return None
    made = concrete(project.expr_list[0].expr)
    return (
        str(made.value.value.string_value)
        if kind(made) == "Literal" and made.value.value.HasField("string_value")
        else None
    )


class LazyLineage(Mapping[str, Lineage]):
    """The lineage of a statement, followed when it is first asked for."""

    def __init__(self, statement: Any, origins: Origins, columns: Schema, struct: Field | None) -> None:
        self._statement = statement
        self._origins = origins
        self._columns = columns
        self._struct = struct

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """Those of the columns in order; raises Unsupported when the query is too deep to follow."""
        try:
            found = [self._origins.column(output.column.column_id) for output in _outputs(self._statement)]
            if self._struct:
                return tuple(found[0].field(index, part.name) for index, part in enumerate(self._struct.fields))
        except RecursionError:
            raise Unsupported("this query is too deeply nested for the local engine") from None
        return tuple(found)

    @cached_property
    def _found(self) -> dict[str, Lineage]:
        return {column.name: lineage_of(origin) for column, origin in zip(self._columns, self.origins, strict=True)}

    def __getitem__(self, name: str) -> Lineage:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._columns)
