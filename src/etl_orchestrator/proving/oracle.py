"""What the requirements expect on given rows, worked out without any query: the source of expected values.

A query that a person wrote (`query:`) has nothing behind it that could be worked out, and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl_orchestrator.proving.distance import FAR
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.example import source_of
from etl_orchestrator.proving.grammar import Node, expression, has_aggregate, has_window, path, unwrap
from etl_orchestrator.proving.refusals import Guard, guard
from etl_orchestrator.proving.relations import Block, Item, Machine, Relation, distinct_rows
from etl_orchestrator.proving.values import Unknown, leaves_order_open, load
from etl_orchestrator.requirements import Body, Column, Requirements, Source
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows in no particular order; a column of `unknown` has no cells in them, and a reason here. The arrays of the
    columns `unordered` are in no particular order either."""

    columns: tuple[str, ...]
    rows: list[dict[str, Value]]
    unknown: Mapping[str, str] = field(default_factory=dict)
    unordered: frozenset[str] = frozenset()


def expected_rows(
    requirements: Requirements,
    tables: Mapping[TableRef, TableData],
    parameters: Mapping[str, ParameterValue],
    *,
    is_init: bool = False,
) -> Expected:
    """The rows the table must have after a run on `tables`.

    Raises CannotTell when even the rows are not determined (an undetermined filter or key), and its kind QueryFails
    when the run must end with an error.
    """
    found = Reading(requirements, tables, parameters, is_init=is_init).result()
    unknown: dict[str, str] = {}
    for row in found.rows:
        for name, cell in zip(found.columns, row, strict=True):
            if isinstance(cell, Unknown):
                unknown.setdefault(name, cell.reason)
            elif isinstance(cell, list) and any(element is None for element in cell):
                raise QueryFails(f"`{name}`: an array with a NULL element cannot be written to a table")
    rows = [
        {name: cell for name, cell in zip(found.columns, row, strict=True) if name not in unknown} for row in found.rows
    ]
    unordered = frozenset(name for row in rows for name, cell in row.items() if leaves_order_open(cell))
    return Expected(found.columns, rows, unknown, unordered)


def shortfall(
    requirements: Requirements,
    tables: Mapping[TableRef, TableData],
    parameters: Mapping[str, ParameterValue],
) -> float | None:
    """How far these rows are from a run that is not refused, in which every HAVING keeps a group and rows come out;
    0 when it is one, None when that cannot be told."""
    reading = Reading(requirements, tables, parameters)
    try:
        rows = len(reading.result().rows)
    except QueryFails:
        return sum(reading.machine.missed) or FAR
    except CannotTell:
        return None
    return sum(reading.machine.missed) + (0 if rows else FAR)


class Reading:
    """One evaluation of the requirements: the steps in order, then the body."""

    def __init__(
        self,
        requirements: Requirements,
        tables: Mapping[TableRef, TableData],
        parameters: Mapping[str, ParameterValue],
        *,
        is_init: bool = False,
    ) -> None:
        request = requirements.request
        if request.query is not None or request.python is not None:
            raise CannotTell("the query was given, the requirements have no structure to evaluate")
        self._requirements = requirements
        self._tables = {source_of(table, requirements.sources): data for table, data in tables.items()}
        self._is_init = is_init
        self._steps: dict[str, Relation] = {}
        self._elements: dict[str, dict[str, Field]] = {}
        self.machine = Machine(parameters, self._named)

    def result(self) -> Relation:
        """The rows of the last body; refuse_when is asked on the way."""
        self.run_steps()
        body = self.body
        found = self.relation(body)
        guards = self._guards(body, found)
        self.machine.missed += [guard.to_pass for guard in guards]
        if fires := next((guard for guard in guards if guard.fires), None):
            raise QueryFails(f"the run is refused: {fires.message}")
        if open_ := next((guard for guard in guards if guard.fires is None), None):
            raise CannotTell(f"whether the run is refused ({open_.message})")
        return found

    def guards(self) -> tuple[Guard, ...]:
        """What each condition of `refuse_when` comes to; raises CannotTell when the rows are not determined."""
        self.run_steps()
        return self._guards(self.body, self.relation(self.body))

    def _guards(self, body: Body, found: Relation) -> tuple[Guard, ...]:
        refusals = self._requirements.request.refuse_when
        if not refusals:
            return ()
        block = None if body.union else self.block(body)
        read = None if block is None else (block.items, self.machine.rows_read(block))
        return tuple(
            guard(self.machine.evaluator, refusal.condition, refusal.message, found, read) for refusal in refusals
        )

    @property
    def body(self) -> Body:
        on_init = self._requirements.request.on_init
        return on_init if self._is_init and on_init is not None else self._requirements.body

    def run_steps(self) -> None:
        for step in self._requirements.request.steps:
            body = step.on_init if self._is_init and step.on_init is not None else step.body
            self._steps[step.name.lower()] = self.relation(body)

    def relation(self, body: Body) -> Relation:
        """The rows of one body."""
        if body.union:
            return self._union(body)
        return self.machine.block(self.block(body))

    def block(self, body: Body) -> Block:
        """A body as a SELECT: without aggregates nothing is grouped, else the other columns are the keys."""
        columns = tuple((column.name, _column(column)) for column in body.columns)
        having, qualify = _optional(body.having), _optional(body.qualify)
        conditions = [node for node in (having, qualify) if node is not None]
        grouped = having is not None or any(
            has_aggregate(node) for node in [*(node for _, node in columns), *conditions]
        )
        keys = tuple(node for _, node in columns if not has_aggregate(node) and not has_window(node))
        return Block(
            tuple(self.item(source, body) for source in body.sources),
            columns,
            where=_optional(body.where),
            keys=keys if grouped else None,
            having=having,
            qualify=qualify,
            distinct=body.distinct,
        )

    def item(self, source: Source, body: Body) -> Item:
        """One source with its rows."""
        relation = None if source.table is None else self._read(source.table)
        array = _optional(source.unnest)
        return Item(
            source.alias,
            relation,
            array,
            source.offset,
            _optional(source.filter),
            source.join,
            _optional(source.on),
            None if array is None else self._fields(array, body),
            one=source.matches == "one",
        )

    def _read(self, name: str) -> Relation:
        found = self._named(name)
        if found is None:
            raise CannotTell(f"`{name}` has no rows to read")
        return found

    def _named(self, name: str) -> Relation | None:
        """A step or a table by the name it has in the requirements."""
        if "." not in name:
            return self._steps.get(name.lower())
        table = TableRef.parse(name, self._requirements.table.project)
        data = self._tables.get(table)
        if data is None:
            return None
        rows = [load(row, data.schema) for row in data.rows]
        columns = tuple(column.name for column in data.schema)
        return Relation(columns, tuple(tuple(row[name] for name in columns) for row in rows))

    def _fields(self, array: Node, body: Body) -> tuple[str, ...] | None:
        """The names of an array's elements, found by following its path through the schemas of the body's sources."""
        names = path(unwrap(array))
        if not names:
            return None
        schemas: dict[str, Schema] = {}
        for source in body.sources:
            if source.table and "." in source.table:
                data = self._tables.get(TableRef.parse(source.table, self._requirements.table.project))
                schemas[source.alias.lower()] = data.schema if data else ()
        starts = [schemas[names[0].lower()]] if names[0].lower() in schemas else list(schemas.values())
        rest = names[1:] if names[0].lower() in schemas else names
        for schema in starts:
            found = _follow(schema, rest)
            if found is not None:
                return tuple(part.name for part in found.fields)
        return None

    def _union(self, body: Body) -> Relation:
        """By position; the names are those of the first step."""
        parts = [self._read(name) for name in body.union]
        columns = parts[0].columns
        if any(len(part.columns) != len(columns) for part in parts):
            raise CannotTell("the steps of a union have different numbers of columns")
        rows = [row for part in parts for row in part.rows]
        return Relation(columns, tuple(distinct_rows(rows) if body.union_distinct else rows))


def _follow(schema: Schema, names: list[str]) -> Field | None:
    found: Field | None = None
    for name in names:
        found = next((part for part in schema if part.name.lower() == name.lower()), None)
        if found is None:
            return None
        schema = found.fields
    return found


def _optional(text: str | None) -> Node | None:
    return None if text is None or not text.strip() else expression(text)


def _column(column: Column) -> Node:
    return unwrap_alias(expression(column.sql))


def unwrap_alias(node: Node) -> Node:
    """The expression under `AS name`."""
    from sqlglot import exp

    return node.this if isinstance(node, exp.Alias) else node
