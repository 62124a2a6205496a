"""Google's SQL analyzer and reference evaluator, compiled to WebAssembly and run in this process.

It has no network, no files and no way to any table but those it is given. What it lacks is supplied (see `supplied`,
`computed`, `javascript`) or refused by name, as geography is.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from etl_orchestrator.engines.googlesql.catalog import Scope
from etl_orchestrator.engines.googlesql.instance import MEMORY_BYTES, OutOfMemory, Refusal
from etl_orchestrator.engines.googlesql.module import load
from etl_orchestrator.engines.googlesql.narrowing import narrowed
from etl_orchestrator.engines.googlesql.problems import RoutineRefused, problem_of
from etl_orchestrator.engines.googlesql.script_names import names_of
from etl_orchestrator.engines.googlesql.script_reading import ScriptReading, read_script
from etl_orchestrator.engines.googlesql.session import Session, started
from etl_orchestrator.engines.googlesql.text import Spelled, beyond_one_query, connections
from etl_orchestrator.engines.googlesql.wildcards import with_wildcards
from etl_orchestrator.errors import EngineCrashed, InvalidInput, TimedOut, Unavailable
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import (
    Analysis,
    Answers,
    ParameterValue,
    Routine,
    Rows,
    ScriptResult,
    SqlProblem,
    TableData,
    View,
)

if TYPE_CHECKING:
    from etl_orchestrator.engines.googlesql.evaluation import Evaluator

#: The moment every query is run at, so that a test that reads the clock gives the same rows tomorrow.
NOW = datetime(2025, 6, 15, 12, 0, 0, tzinfo=UTC)
#: Gates ask again and again of one model; what a reading keeps of a wide query is megabytes.
_SCRIPTS = 16
_OUT_OF_RANGE = 11
_LARGE_BYTES = 1000 << 20

Answer = TypeVar("Answer")


class GoogleSql:
    """Plays Analyzer and Runner. Starts at first use; may be shared by threads, which take turns.

    `on_compile` is told when the engine must be compiled, which happens once per machine; `seconds` bounds one query;
    `answers` keeps between runs how routines were read.
    """

    name = "googlesql"

    def __init__(
        self,
        cache_folder: Path | None = None,
        on_compile: Callable[[str], None] | None = None,
        now: datetime = NOW,
        seconds: float = 30.0,
        answers: Answers | None = None,
    ) -> None:
        self._cache_folder = cache_folder
        self._on_compile = on_compile
        self._now = now
        self._seconds = seconds
        self._answers = answers
        self._session: Session | None = None
        self._evaluator: Evaluator | None = None  # until something is run
        self._scripts: OrderedDict[object, tuple[Scope, ScriptReading | SqlProblem]] = OrderedDict()
        self._too_large: dict[object, tuple[object, str]] = {}
        self._turn = threading.RLock()
        self._note = ""  # of the work done last

    def analyze(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine] = (),
    ) -> Analysis:
        """See `tools.Analyzer`. Raises Unsupported for a routine or type that is not known here."""
        with self._turn:
            found, notes = self._script(sql, schemas, parameters, routines), tuple(filter(None, [self._note]))
        if not isinstance(found, SqlProblem):
            last = found.last
            written = tuple(sorted(found.written, key=str))
            return Analysis(last.columns, tuple(sorted(found.tables)), last.lineage, written=written, notes=notes)
        short = {f"{table.dataset}.{table.name}": table for table in sorted(schemas, reverse=True)}
        try:
            named = {short.get(str(table), table) for table in self.references(sql)}
        except InvalidInput:
            named = set()
        tables = tuple(sorted(table for table in named if isinstance(table, TableRef)))
        return Analysis(tables=tables, problem=found, notes=notes)

    def _script(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine],
    ) -> ScriptReading | SqlProblem:
        known = with_wildcards(sql, {table: TableData(schema) for table, schema in schemas.items()})
        seen = {table: data.schema for table, data in known.items()}

        def reading(session: Session) -> ScriptReading | SqlProblem:
            try:
                scope = Scope(seen, session.routines(sql, routines, seen), frozenset(connections(sql)))
            except RoutineRefused as refused:
                return SqlProblem(str(refused))
            key = (session, sql, scope.key, tuple(parameters.items()))
            _, found = self._scripts.get(key) or (scope, _read(session, sql, scope, parameters))
            self._scripts[key] = scope, found  # the scope is kept, so that the identity of its parts stays theirs
            self._scripts.move_to_end(key)
            while len(self._scripts) > _SCRIPTS:
                self._scripts.popitem(last=False)
            if isinstance(found, ScriptReading) and found.unknown:
                raise Unavailable(found.unknown[0])
            return found

        tables = frozenset((table, id(schema)) for table, schema in seen.items())
        asked = (sql, tables, tuple(parameters.items()), tuple(routines))
        if asked in self._too_large:
            raise OutOfMemory(self._too_large[asked][1])
        try:
            return self._served(reading, more_memory=True)
        except OutOfMemory as full:
            # The schemas are kept, so that their identity stays theirs; not the error, which holds what was worked on.
            self._too_large[asked] = seen, str(full)
            raise

    def references(self, sql: str) -> tuple[TableRef | str, ...]:
        """See `tools.Analyzer`; of a script also what its branches, loops and procedures name, but not what it makes."""
        try:
            paths = self._served(lambda session: names_of(session, sql))
        except Refusal as refusal:
            problem = problem_of(refusal, Spelled(sql, sql, ()))
            place = f"line {problem.line}, column {problem.column}" if problem.line else None
            raise InvalidInput(problem.message, at=place, fix="mend the statement") from None
        return tuple(dict.fromkeys(_reference(".".join(path)) for path in paths))

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        """See `tools.Runner`. The clock stands still at `now`, the time zone is UTC."""
        return self.run_script(sql, tables, parameters, routines).rows

    def run_script(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> ScriptResult:
        """See `tools.Runner`."""
        from etl_orchestrator.engines.googlesql.encoding import NullElement
        from etl_orchestrator.engines.googlesql.evaluation import Evaluator, Failure, Surroundings, check_tables
        from etl_orchestrator.engines.googlesql.script_state import Frame, State
        from etl_orchestrator.engines.googlesql.scripts import ScriptRun

        check_tables(tables)
        evaluator = self._evaluator = self._evaluator or Evaluator(self._seconds)

        def result(session: Session) -> ScriptResult:
            if not beyond_one_query(sql):
                return ScriptResult(evaluator.query(session, sql, Surroundings(tables, parameters, routines)), tables)
            state = State(dict(tables), list(routines))
            ScriptRun(session, evaluator, state, self._seconds).run(Frame(sql, parameters))
            return ScriptResult(state.rows, state.tables)

        try:
            with self._turn:
                made = self._served(result)
                return replace(made, rows=replace(made.rows, note=self._note)) if self._note else made
        except Failure as failure:
            return ScriptResult(Rows(problem=failure.problem), {})
        except NullElement as null:
            return ScriptResult(Rows(problem=SqlProblem(null.message)), {})

    def _served(self, work: Callable[[Session], Answer], more_memory: bool = False) -> Answer:
        """The work done by a live session: after a crash once more by a new one, whose memory is whole.

        With `more_memory`, what took too much is done by an engine for it alone: views of thousands of columns take 500
        to 800 MB, and no engine gives back what it took.
        """
        with self._turn:
            self._note = ""
            used = self._session is not None
            try:
                self._session = self._session or self._started()
                return work(self._session)
            except EngineCrashed as crash:
                self._forget()
                full = isinstance(crash, OutOfMemory)
                if isinstance(crash, TimedOut) or (full and not used and not more_memory):
                    raise
                self._note = f"asked again of a new engine, because {crash.message}"
            alone = full and more_memory
            try:
                self._session = self._started(_LARGE_BYTES if alone else MEMORY_BYTES)
                return work(self._session)
            except EngineCrashed:
                alone = True
                raise
            finally:
                if alone:
                    self._forget()
                    gc.collect()

    def _forget(self) -> None:
        self._session = None
        if self._evaluator:
            self._evaluator.forget()
        self._scripts.clear()

    def _started(self, memory_bytes: int = MEMORY_BYTES) -> Session:
        return started(
            load(self._cache_folder, self._on_compile), self._now, self._seconds, memory_bytes, self._answers
        )


def _read(session: Session, sql: str, scope: Scope, parameters: Mapping[str, str]) -> ScriptReading | SqlProblem:
    narrow = narrowed(sql, scope.schemas)
    if narrow is not None:
        found = read_script(session, sql, replace(scope, schemas=narrow.schemas), parameters)
        if not isinstance(found, SqlProblem):
            found.last = replace(found.last, columns=narrow.restored(found.last.columns))
            return found
    return read_script(session, sql, scope, parameters)


def _reference(name: str) -> TableRef | str:
    try:
        return TableRef.parse(name)
    except InvalidInput:
        return name
