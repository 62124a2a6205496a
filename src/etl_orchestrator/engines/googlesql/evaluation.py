"""Running a query on given rows: what the evaluator lacks is put into its text and catalog before it gets them."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from etl_orchestrator.engines.googlesql.bigquery import OF_SAFE
from etl_orchestrator.engines.googlesql.catalog import Scope, add_routines, base_catalog, own_columns, table_proto
from etl_orchestrator.engines.googlesql.computed import Computed, unknown_of
from etl_orchestrator.engines.googlesql.contents import check_parameter, check_rows, content_of
from etl_orchestrator.engines.googlesql.encoding import decode, encode
from etl_orchestrator.engines.googlesql.functions import function_of, javascript_of, stub_of, template_of
from etl_orchestrator.engines.googlesql.instance import Refusal
from etl_orchestrator.engines.googlesql.models import model_functions
from etl_orchestrator.engines.googlesql.narrowing import narrowed_rows
from etl_orchestrator.engines.googlesql.native import native_functions
from etl_orchestrator.engines.googlesql.problems import RoutineRefused, failure_of, problem_of
from etl_orchestrator.engines.googlesql.reading import Reading, Scan, columns_of, duplicate_in, read, scans_of
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited, kind, walk
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.session import Contents, Registered, Session
from etl_orchestrator.engines.googlesql.supplied import LACKS, PREFIX, TEMPLATES, supplied
from etl_orchestrator.engines.googlesql.text import Edit, Spelled, connections, edited, spell
from etl_orchestrator.engines.googlesql.text_tables import begins_value, tables_in
from etl_orchestrator.engines.googlesql.types import type_of
from etl_orchestrator.engines.googlesql.wildcards import with_wildcards
from etl_orchestrator.errors import EngineError, TimedOut, Unsupported
from etl_orchestrator.sql.tokens import Kind, tokenize
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, Rows, SqlProblem, TableData, Value, View

_OUT_OF_RANGE = 11
#: Functions that the evaluator has for itself, see `Session.functions_run`.
_FOR_ITSELF = re.compile(rf"\b(?:{'|'.join(OF_SAFE)})\b", re.IGNORECASE)
_READINGS, _FUNCTIONS = 64, 256


class Failure(EngineError):
    """Raised when it is the query that fails: see `problem`."""

    def __init__(self, problem: SqlProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a statement can see. `temporary` tables, `variables` and `functions` are those of a script, by name."""

    tables: Mapping[TableRef, TableData | View]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    routines: Sequence[Routine] = ()
    temporary: Mapping[str, TableData] = field(default_factory=dict)
    variables: Mapping[str, tuple[Field, Value]] = field(default_factory=dict)
    functions: tuple[Known, ...] = ()


@dataclass(slots=True)
class Runnable:
    """A text the evaluator takes, and what its catalog must hold: tables by their flat names, functions by name."""

    text: str = ""
    data: dict[TableRef, TableData] = field(default_factory=dict)
    flat: dict[TableRef | str, str] = field(default_factory=dict)
    supplied: set[str] = field(default_factory=set)
    routines: tuple[Known, ...] = ()

    def name_of(self, table: TableRef | str) -> str:
        return self.flat.setdefault(table, f"table_{len(self.flat) + 1}")


@dataclass(frozen=True, slots=True)
class _Heard:
    """A text on its way: as the engine spells it, the catalog it is read with, the texts of the views it may name."""

    spelled: Spelled
    catalog: Registered
    views: Mapping[TableRef, str]
    routines: tuple[Known, ...]


class Evaluator:
    """Runs statements one after the other in a session that is given with each. Keeps what it learnt of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._readings: OrderedDict[object, Reading] = OrderedDict()
        self._native = native_functions()
        self._javascript: OrderedDict[Known, Computed] = OrderedDict()

    def forget(self) -> None:
        """Forgets what was told by a session that is no more."""
        self._readings.clear()

    def read(self, session: Session, sql: str, around: Surroundings) -> tuple[Reading, Runnable]:
        """What the statement means, and how it is run. Raises Failure."""
        runnable = Runnable()
        reading = self._prepare(session, sql, around, runnable, ())
        return reading, runnable

    def rows(self, session: Session, runnable: Runnable, around: Surroundings, identified: str = "") -> Any:
        """The rows of a query as the evaluator gives them; the rows of `identified` carry their number. Raises Failure."""
        types = _types(around)
        return self._asked(
            session,
            runnable,
            around,
            lambda contents, values: session.evaluate(runnable.text, contents, types, values)[1],
            identified,
        )

    def query(self, session: Session, sql: str, around: Surroundings) -> Rows:
        """The rows of a query. Raises Failure."""
        rows = self._rows_at_once(session, sql, around)
        if rows is None:
            reading, runnable = self.read(session, sql, around)
            rows = rows_of(reading, self.rows(session, runnable, around))
        return rows

    def _rows_at_once(self, session: Session, sql: str, around: Surroundings) -> Rows | None:
        """The rows of a query that is read by the engine only once, while it runs; None where that does not do: views,
        tables that the words alone do not tell, functions that it has for itself, and whatever fails, for which `read`
        has the better words."""
        data = {table: given for table, given in around.tables.items() if isinstance(given, TableData)}
        if around.temporary or len(data) < len(around.tables) or begins_value(sql) or _FOR_ITSELF.search(sql):
            return None
        runnable = Runnable()
        runnable.data |= narrowed_rows(sql, with_wildcards(sql, data))
        known = {table: given.schema for table, given in runnable.data.items()}
        spelled, models = _spelled(sql, known)
        edits, certain = tables_in(spelled.text, runnable.data, runnable.name_of)
        if not certain:
            return None
        runnable.routines = (*self._routines(session, spelled, around, known), *models)
        changes, runnable.supplied = supplied(spelled.text)
        runnable.text = edited(spelled.text, [*edits, *changes])
        types = _types(around)
        try:
            columns, rows = self._asked(
                session,
                runnable,
                around,
                lambda contents, values: session.evaluate(runnable.text, contents, types, values),
            )
        except (Failure, Unsupported):
            return None
        named = columns_of(columns)
        return None if duplicate_in(named) else rows_of(Reading(named), rows)

    def statement(self, session: Session, sql: str, around: Surroundings) -> tuple[Any, Runnable]:
        """The resolved statement, which is no query, and how it is run. Raises Failure."""
        runnable = Runnable()
        heard = self._heard(session, sql, around, runnable, ())
        try:
            node = concrete(session.analyze(heard.spelled.text, heard.catalog, _types(around)))
        except Refusal as refusal:
            raise Failure(problem_of(refusal, heard.spelled)) from None
        scans = scans_of(tuple(walk(node)), heard.spelled.text, heard.catalog)
        inserted = inherited(node, "parse_location_range") if kind(node) == "InsertStmt" else None
        if inserted is not None and scans:  # the target of an INSERT takes no alias
            scans = (replace(scans[0], named=True), *scans[1:])
        self._write(heard, scans, runnable)
        return node, runnable

    def changes(self, session: Session, runnable: Runnable, around: Surroundings, identified: str = "") -> Any:
        """What an INSERT, UPDATE or DELETE changes; the rows of the table `identified` carry their number."""
        types = _types(around)
        return self._asked(
            session,
            runnable,
            around,
            lambda contents, values: session.modify(runnable.text, contents, types, values),
            identified,
        )

    # --- from the text given to the text run

    def _prepare(
        self, session: Session, sql: str, around: Surroundings, runnable: Runnable, inside: tuple[TableRef, ...]
    ) -> Reading:
        """Reads the query and sets `runnable.text`; `inside` are the views that this text is in."""
        heard = self._heard(session, sql, around, runnable, inside)
        reading = self._reading(session, heard, around)
        if reading.problem:
            raise Failure(reading.problem)
        self._write(heard, reading.scans, runnable)
        return reading

    def _write(self, heard: _Heard, scans: Sequence[Scan], runnable: Runnable) -> None:
        changes, used = supplied(heard.spelled.text)
        runnable.supplied |= used
        runnable.routines = tuple(dict.fromkeys((*runnable.routines, *heard.routines)))
        sources = [_source(scan, heard.views, runnable) for scan in scans]
        runnable.text = edited(heard.spelled.text, [*sources, *changes])

    def _heard(
        self, session: Session, sql: str, around: Surroundings, runnable: Runnable, inside: tuple[TableRef, ...]
    ) -> _Heard:
        """The text with the catalog that it is read with."""
        data = {table: given for table, given in around.tables.items() if isinstance(given, TableData)}
        runnable.data |= with_wildcards(sql, data)
        known = {table: given.schema for table, given in runnable.data.items()}
        views: dict[TableRef, str] = {}
        for table, given in around.tables.items():
            if isinstance(given, View) and table not in inside and re.search(rf"\b{re.escape(table.name)}\b", sql):
                known[table] = self._view(session, table, given, around, runnable, inside)
                views[table] = runnable.text
        spelled, models = _spelled(sql, known)
        routines = (*self._routines(session, spelled, around, known), *models)
        scope = Scope(
            known,
            routines,
            frozenset(connections(spelled.text)),
            {name: column for name, (column, _) in around.variables.items()},
            {name: table.schema for name, table in around.temporary.items()},
        )
        return _Heard(spelled, session.catalog(scope), views, routines)

    def _routines(
        self, session: Session, spelled: Spelled, around: Surroundings, known: Mapping[TableRef, Schema]
    ) -> tuple[Known, ...]:
        texts = "\n".join([spelled.text, *(function.body for function in around.functions)])
        try:
            return (*session.routines(texts, around.routines, known), *around.functions)
        except RoutineRefused as refused:
            raise Failure(SqlProblem(str(refused))) from None

    def _view(
        self,
        session: Session,
        table: TableRef,
        view: View,
        around: Surroundings,
        runnable: Runnable,
        inside: tuple[TableRef, ...],
    ) -> Schema:
        try:
            bare = replace(around, parameters={}, variables={}, temporary={}, functions=())
            return self._prepare(session, _one_query(view.sql), bare, runnable, (*inside, table)).columns
        except Failure as failure:
            problem = failure.problem
            raise Failure(SqlProblem(f"the view {table} is refused: {problem.message}")) from None

    def _reading(self, session: Session, heard: _Heard, around: Surroundings) -> Reading:
        types = _types(around)
        key = (session, heard.catalog.number, heard.spelled.text, tuple(types.items()))
        found = self._readings.get(key) or read(session, heard.spelled, heard.catalog, types)
        self._readings[key] = found
        self._readings.move_to_end(key)
        while len(self._readings) > _READINGS:
            self._readings.popitem(last=False)
        return found

    # --- the catalog

    def _asked(
        self,
        session: Session,
        runnable: Runnable,
        around: Surroundings,
        ask: Callable[[Contents, dict[str, Any]], Any],
        identified: str = "",
    ) -> Any:
        """The answer, asked again for every value that a computed function must give first."""
        values = {name: encode(check_parameter(name, given), given.value) for name, given in around.parameters.items()}
        began = time.thread_time()
        fixed, computed = self._contents(session, runnable, around)
        if identified:
            fixed = fixed.identified(identified)
        while True:
            contents = fixed.with_tables({name: function.table(name) for name, function in computed.items()})
            try:
                return ask(contents, values)
            except Refusal as refusal:
                asked = unknown_of(refusal.message)
                if asked is None:
                    raise _failure(refusal, runnable.text) from None
                computed[asked[0]].learn(asked[1])
            if time.thread_time() - began > self._seconds:
                raise TimedOut(f"the functions this query calls did not end within {self._seconds:g} s")

    def _contents(
        self, session: Session, runnable: Runnable, around: Surroundings
    ) -> tuple[Contents, dict[str, Computed]]:
        catalog = base_catalog(session.functions_run)
        bodies = [self._body(known, runnable) for known in runnable.routines if known.kind != "procedure"]
        add_routines(catalog, [known for known, _ in bodies])
        computed = {name: function for _, found in bodies for name, function in found.items()}
        for name in sorted(runnable.supplied):
            if name in TEMPLATES:
                catalog.custom_function.append(function_of(TEMPLATES[name]))
            else:
                memo = f"{PREFIX}known_{name}"
                function = self._native[name]
                catalog.custom_function.append(function_of(template_of(name, function, memo)))
                computed[memo] = function
        for variable, (column, value) in around.variables.items():
            constant = catalog.constant.add(name_path=[variable], type=type_of(column))
            constant.value.SetInParent()
            if value is not None:
                constant.value.CopyFrom(encode(column, value))
        tables: dict[str, tuple[Any, Any]] = {}
        for table, flat in runnable.flat.items():
            data = runnable.data[table] if isinstance(table, TableRef) else around.temporary[table]
            tables[flat] = (table_proto(flat, len(tables) + 1, table, data.schema), content_of(table, data))
        return Contents(catalog, tables), computed

    def _body(self, known: Known, runnable: Runnable) -> tuple[Known, dict[str, Computed]]:
        """The routine with a body that the evaluator can run."""
        if known.language == "SQL":
            edits, used = supplied(known.body)
            runnable.supplied |= used
            tables = tables_in(known.body, runnable.data, runnable.name_of)[0]
            return replace(known, body=edited(known.body, [*edits, *tables])), {}
        if known.path[0] == "AI":
            return stub_of(known), {}
        function = self._computed(known)
        table = f"{PREFIX}known_{'_'.join(known.path).replace('-', '_')}"
        return replace(known, language="SQL", body=function.body(table)), {table: function}

    def _computed(self, known: Known) -> Computed:
        if known not in self._javascript:
            self._javascript[known] = javascript_of(known)
            while len(self._javascript) > _FUNCTIONS:
                self._javascript.popitem(last=False)
        return self._javascript[known]


def check_tables(tables: Mapping[TableRef, TableData | View]) -> None:
    """Raises InvalidInput for a value that does not fit its column."""
    for table, given in tables.items():
        if isinstance(given, TableData):
            check_rows(table, given)


def rows_of(reading: Reading, rows: Any) -> Rows:
    """What the evaluator gave, as the columns that the query has. Raises NullElement."""
    decoded = []
    for row in rows:
        if reading.struct:
            whole = decode(reading.struct, row.cell[0]) or {}
            decoded.append(tuple(whole.get(column.name) for column in reading.columns))
        else:
            decoded.append(tuple(decode(column, cell) for column, cell in zip(reading.columns, row.cell, strict=True)))
    return Rows(reading.columns, tuple(decoded))


def _types(around: Surroundings) -> dict[str, str]:
    return {name: parameter.type for name, parameter in around.parameters.items()}


def _failure(refusal: Refusal, text: str) -> EngineError:
    """A statement that runs has been analyzed: what is refused for another reason than its data is a gap of ours."""
    if refusal.message.startswith(LACKS):
        return Unsupported(refusal.message, fix="run this query in BigQuery")
    if refusal.code != _OUT_OF_RANGE:
        return failure_of(refusal)
    return Failure(problem_of(refusal, Spelled(text, text, ())))


def _one_query(sql: str) -> str:
    """The text without the semicolon that may end it."""
    ends = [token.start for token in tokenize(sql) if token.kind is Kind.SEMICOLON]
    return sql[: ends[0]] if ends else sql


def _spelled(sql: str, tables: Mapping[TableRef, Schema]) -> tuple[Spelled, tuple[Known, ...]]:
    """The text as the engine spells it, and the functions over models that it calls."""
    names = {str(table) for table in tables} | {f"{table.dataset}.{table.name}" for table in tables}
    edits, models = model_functions(sql)
    return spell(sql, names.__contains__, own_columns(tables).__contains__, edits), models


def _source(scan: Scan, views: Mapping[TableRef, str], runnable: Runnable) -> Edit:
    """The evaluator takes contents only for tables with a name of one part; the alias keeps what the query calls it.
    A view is a subquery in the place of its name."""
    name = scan.table.name if isinstance(scan.table, TableRef) else scan.table
    view = views.get(scan.table) if isinstance(scan.table, TableRef) else None
    text = runnable.name_of(scan.table) if view is None else f"({view}\n)"
    return Edit(scan.start, scan.end, text + ("" if scan.named else f" AS `{name}`"))
