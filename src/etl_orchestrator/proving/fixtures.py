"""Small, readable sets of input rows that tell a right query from a slightly wrong one.

Made from the requirement alone: the rows are chosen by evaluating its conditions, never by running a query. The same
requirement gives the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from etl_orchestrator.layout.sql_test import FIRST_RUN, PARAMETERS
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.exercise import Exercise
from etl_orchestrator.proving.frames import Frame, frames, init_frames, members, names_read, stars
from etl_orchestrator.proving.growth import MOST, Growth, demands
from etl_orchestrator.proving.oracle import Expected, Reading, expected_rows, shortfall
from etl_orchestrator.proving.pools import gather, parameter_values
from etl_orchestrator.proving.relations import Machine
from etl_orchestrator.proving.situations import Variant
from etl_orchestrator.proving.variants import repeats, variants
from etl_orchestrator.proving.witnesses import Material, Row, Witness, start
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

MAX_ROWS = 12
MAX_CASES = 6
_FEW = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One set of rows. `why` is the sentence for its expectation; `comments` by place: a table (`p.d.t`), or one of
    its rows from 0 (`p.d.t:2`)."""

    name: str
    why: str
    tables: Mapping[TableRef, TableData]
    parameters: Mapping[str, ParameterValue]
    comments: Mapping[str, str] = field(default_factory=dict)


_THEMES = (
    ("groups", "test_happy_path", "Rows that meet every condition: equal rows, NULLs, a second key."),
    ("days", "test_neighbour_days", "Rows at the edges of the day and just outside of it."),
    ("filters", "test_rows_left_out", "Rows that miss exactly one condition."),
    ("joins", "test_unmatched_rows", "Rows without a partner, with a NULL key, with two partners."),
    (
        "arms",
        "test_arms_and_boundaries",
        "Rows on each side of every condition inside of the columns, and array shapes.",
    ),
    ("having", "test_groups_left_out", "Groups on each side of the condition for whole groups."),
)


def cases(requirements: Requirements, schemas: Mapping[TableRef, Schema]) -> tuple[Case, ...]:
    """At most six cases of at most twelve rows; every case has every source, if only as an empty table.

    The expectation of each can be determined, unless the requirement is one that the oracle cannot evaluate at all.
    """
    if requirements.request.python is not None or not requirements.sources:
        return ()
    builder = _Builder(requirements, schemas)
    found = [case for theme in _THEMES if (case := builder.case(*theme))]
    if requirements.request.on_init is not None or requirements.reads_itself:
        found = [*found[: MAX_CASES - 1], builder.init()]
    return tuple(found[:MAX_CASES])


@dataclass(frozen=True, slots=True)
class GuardCase:
    """A condition of `refuse_when` with rows for which it holds; `case` is None where no such rows were found."""

    condition: str
    message: str
    case: Case | None


def guard_cases(requirements: Requirements, schemas: Mapping[TableRef, Schema]) -> tuple[GuardCase, ...]:
    """For each condition of `refuse_when` one case that it refuses."""
    refusals = requirements.request.refuse_when
    if not refusals or requirements.request.query is not None or requirements.request.python is not None:
        return ()
    builder = _Builder(requirements, schemas)
    return tuple(
        GuardCase(refusal.condition, refusal.message, builder.refused(number))
        for number, refusal in enumerate(refusals)
    )


def blocking(requirements: Requirements, schemas: Mapping[TableRef, Schema]) -> tuple[str, ...]:
    """The conditions of `refuse_when` which, each by itself, hold on every set of rows that is small enough to read."""
    found: list[str] = []
    for refusal in requirements.request.refuse_when:
        alone = replace(requirements, request=replace(requirements.request, refuse_when=(refusal,)))
        for case in cases(alone, schemas)[:1]:
            try:
                (guard,) = Reading(alone, case.tables, case.parameters).guards()
            except CannotTell:
                continue
            found += [refusal.condition] if guard.fires else []
    return tuple(found)


class _Builder:
    """Everything that the cases of one requirement share."""

    def __init__(self, requirements: Requirements, schemas: Mapping[TableRef, Schema]) -> None:
        self.requirements = requirements
        self.schemas = {table: schemas.get(table, ()) for table in requirements.sources}
        self.parameters, self.told = _readable(requirements)
        self.material, self.witnesses = self._solved(frames(requirements, _offered(self.schemas.values())))
        self.ground: list[tuple[TableRef, Row]] = []
        self.times = 1
        self._enlarge()
        self._grow()
        self.most = max(MAX_ROWS, _Draft(self, self.witnesses).size + 4)
        self._exercise()
        self.variants = [variant for witness in self.witnesses for variant in variants(witness)]

    def _exercise(self) -> None:
        """Every output column is to have a value in some expected row."""
        if self.structured:
            nodes = [node for witness in self.witnesses for node in witness.frame.nodes]
            text = " ".join(node.sql(dialect="bigquery") for node in nodes)
            expected = lambda: self.expected(_Draft(self, self.witnesses).tables())  # noqa: E731
            Exercise(self.witnesses, self.material, expected, text).run()

    def _solved(self, shapes: tuple[Frame, ...]) -> tuple[Material, list[Witness]]:
        evaluator = Machine(self.parameters).evaluator
        nodes = [node for shape in shapes for node in shape.nodes]
        read = {table: _cut(self.schemas[table], table, shapes) for table in self.schemas}
        material = Material(read, gather(nodes, evaluator), evaluator)
        solved: list[Witness] = []
        for shape in shapes:
            witness = start(shape, material).solve()
            for source in shape.sources:
                for name, value in (witness.rows.get(source.alias) or {}).items() if source.step else ():
                    if value is not None:
                        material.wishes.setdefault(name.lower(), []).append(value)
            solved.append(witness)
            if shape.name:
                material.steps[shape.name.lower()] = witness
        for name, first in members(self.requirements).items():
            if first in material.steps:
                material.steps[name] = material.steps[first]
        return material, solved

    def _enlarge(self) -> None:
        """More rows like the first ones, until the requirement expects a row (HAVING COUNT(*) >= 5)."""
        if not self.structured or _Draft(self, self.witnesses).seen() != 0:
            return
        for count in range(1, MAX_ROWS - 2):
            for new_keys in (False, True):
                for chosen in [*([witness] for witness in self.witnesses), self.witnesses]:
                    self.ground = [row for one in chosen for row in repeats(one, count, new_keys=new_keys)]
                    if _Draft(self, self.witnesses).seen():
                        self.times = count + 1
                        return
        self.ground = []

    def _grow(self) -> None:
        """Until every HAVING keeps a group and no `refuse_when` holds."""
        self.ungrown = _Draft(self, self.witnesses).tables()
        if self.structured and any(demands(witness.frame) for witness in self.witnesses):
            judge = lambda: shortfall(self.requirements, _Draft(self, self.witnesses).tables(), self.parameters)  # noqa: E731
            Growth(self.witnesses, self.material, self.ground, judge).run()

    def case(self, theme: str, name: str, why: str) -> Case | None:
        """The rows that fit, then one changed row after the other as long as the expectation stays determined."""
        wanted = [variant for variant in self.variants if variant.theme == theme]
        if not wanted and theme != "groups":
            return None
        draft = _Draft(self, self.witnesses)
        if theme == "groups" and not draft.determined() and self.structured:
            draft.thin()
        added = 0
        for variant in wanted:
            if draft.size >= self.most:
                break
            added += draft.add(variant)
        return draft.case(name, why) if added or theme == "groups" else None

    def init(self) -> Case:
        """The very first run: the table itself is empty."""
        first = init_frames(self.requirements)
        witnesses = self._solved((*first,))[1] if first else self.witnesses
        draft = _Draft(self, [*witnesses, *self.witnesses] if first else witnesses, without=self.requirements.table)
        return draft.case(FIRST_RUN, "The very first run: the table does not exist yet.")

    def refused(self, number: int) -> Case | None:
        """Rows for which one condition of `refuse_when` holds: none at all, those of the start, or some walked to."""
        name, why = f"test_refused_{number + 1}", "Rows of a run that must fail."
        for tables in ({table: TableData(schema) for table, schema in self.schemas.items()}, self.ungrown):
            if self._to_fire(number, tables) == 0:
                return Case(name, why, tables, dict(self.parameters))
        ground, witnesses = self.ground, [witness.copy() for witness in self.witnesses]
        judge = lambda: self._to_fire(number, _Draft(self, witnesses).tables())  # noqa: E731
        self.ground = list(ground)
        try:
            if Growth(witnesses, self.material, self.ground, judge).run() != 0:
                return None
            return Case(name, why, _Draft(self, witnesses).tables(), dict(self.parameters))
        finally:
            self.ground = ground

    def _to_fire(self, number: int, tables: Mapping[TableRef, TableData]) -> float | None:
        try:
            return Reading(self.requirements, tables, self.parameters).guards()[number].to_fire
        except CannotTell:
            return None

    @property
    def structured(self) -> bool:
        return self.requirements.request.query is None

    def expected(self, tables: Mapping[TableRef, TableData]) -> Expected | None:
        """What the requirement says of these rows; None when it cannot be told."""
        try:
            return expected_rows(self.requirements, tables, self.parameters)
        except CannotTell:
            return None


class _Draft:
    """A case that grows."""

    def __init__(self, builder: _Builder, witnesses: list[Witness], without: TableRef | None = None) -> None:
        self.builder = builder
        self.rows: dict[TableRef, list[tuple[Row, str]]] = {table: [] for table in builder.schemas}
        for witness in witnesses:
            for source in witness.frame.sources:
                row = witness.rows.get(source.alias)
                if source.table in self.rows and row is not None and source.table != without:
                    self._put(source.table, row, "meets every condition")
        named = {source.table for witness in witnesses for source in witness.frame.sources}
        for table, schema in builder.material.schemas.items():
            if table not in named and table != without:
                self._put(table, builder.material.row(schema), "a row of its own")
        for table, row in builder.ground:
            if table != without:
                self._put(table, row, "meets every condition, too", twice=True)
        self.unknown: frozenset[str] | None = None

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    def _put(self, table: TableRef, row: Row, why: str, *, twice: bool = False) -> bool:
        required = [column for column in self.builder.schemas[table] if column.mode == "REQUIRED"]
        if any(column.name in row and row[column.name] is None for column in required):
            return False  # such a row cannot be
        row = {**row, **{column.name: _plain(column) for column in required if column.name not in row}}
        if not twice and any(row == other for other, _ in self.rows[table]):
            return False
        self.rows[table].append((row, why))
        return True

    def tables(self) -> dict[TableRef, TableData]:
        return {
            table: TableData(self.builder.schemas[table], tuple(row for row, _ in rows))
            for table, rows in self.rows.items()
        }

    def seen(self) -> int | None:
        """The number of rows expected; none of a run that is refused."""
        try:
            return len(expected_rows(self.builder.requirements, self.tables(), self.builder.parameters).rows)
        except QueryFails:
            return 0
        except CannotTell:
            return None

    def determined(self) -> bool:
        """Whether the requirement tells the expectation, and of no fewer columns than before."""
        if not self.builder.structured:
            return True
        found = self.builder.expected(self.tables())
        if found is None or (self.unknown is not None and not set(found.unknown) <= self.unknown):
            return False
        self.unknown = frozenset(found.unknown)
        return True

    def add(self, variant: Variant) -> bool:
        """Takes a variant in, unless it would leave the expectation open."""
        before = {table: list(rows) for table, rows in self.rows.items()}
        if self.unknown is None:
            self.determined()
        for times in dict.fromkeys((1 if variant.theme in ("groups", "arms", "having") else self.builder.times, 1)):
            fresh = [self._put(table, row, variant.why, twice=variant.twice) for table, row in variant.rows]
            for table, row in variant.rows[:1] * (times - 1):
                self._put(table, row, variant.why, twice=True)
            if any(fresh) and self.size <= self.builder.most and self.determined():
                return True
            self.rows = {table: list(rows) for table, rows in before.items()}
        return False

    def thin(self) -> None:
        """Leaves rows out, the last first, until the expectation is determined."""
        for table in reversed(list(self.rows)):
            while len(self.rows[table]) > 1:
                self.rows[table].pop()
                if self.determined():
                    return

    def case(self, name: str, why: str) -> Case:
        comments = {
            f"{table}:{number}": reason for table, rows in self.rows.items() for number, (_, reason) in enumerate(rows)
        }
        if self.builder.told:
            comments[PARAMETERS] = self.builder.told
        return Case(name, why, self.tables(), dict(self.builder.parameters), comments)


def _readable(requirements: Requirements) -> tuple[dict[str, ParameterValue], str]:
    """The parameters of the tests, and what is to be said of them: a large number that a condition of `refuse_when`
    compares with is a small one, for no test that people read has thousands of rows."""
    values = parameter_values(requirements.parameters)
    conditions = " ".join(refusal.condition for refusal in requirements.request.refuse_when)
    told = []
    for name, given in values.items():
        large = isinstance(given.value, int) and not isinstance(given.value, bool) and given.value > MOST
        if large and re.search(rf"@{re.escape(name)}\b", conditions, re.IGNORECASE):
            values[name] = replace(given, value=_FEW)
            told.append(
                f"@{name} is {_FEW} here and {given.value} in the requirements: a test has no such number of rows."
            )
    return values, "\n".join(told)


def _plain(column: Field) -> Value:
    """A value for a REQUIRED column that nobody reads: the same in every row, since it means nothing."""
    if column.type == "RECORD":
        return {part.name: _plain(part) for part in column.fields if part.mode == "REQUIRED"}
    plain: dict[str, Value] = {
        "STRING": column.name,
        "BYTES": b"x",
        "INTEGER": 1,
        "FLOAT": 1.0,
        "NUMERIC": Decimal(1),
        "BIGNUMERIC": Decimal(1),
        "BOOLEAN": True,
        "DATE": date(2025, 1, 1),
        "DATETIME": datetime(2025, 1, 1),
        "TIMESTAMP": datetime(2025, 1, 1, tzinfo=UTC),
        "TIME": time(0, 0),
        "JSON": "{}",
    }
    return plain.get(column.type, column.name)


def _offered(schemas: Iterable[Schema]) -> frozenset[str]:
    return frozenset(column.name.lower() for schema in schemas for column in schema)


def _cut(schema: Schema, table: TableRef, shapes: tuple[Frame, ...]) -> Schema:
    """The columns of a table that are read: those whose name occurs anywhere, all of them under a star."""
    names = names_read(node for shape in shapes for node in shape.nodes)
    starred = any(
        source.table == table and source.alias.lower() in stars(shape) for shape in shapes for source in shape.sources
    )
    if starred or not shapes:
        return schema
    return _named(schema, names) or schema[:1]


def _named(schema: Schema, names: frozenset[str]) -> Schema:
    found: list[Field] = []
    for column in schema:
        if column.name.lower() not in names:
            continue
        inner = _named(column.fields, names)
        found.append(replace(column, fields=inner) if inner else column)
    return tuple(found)
