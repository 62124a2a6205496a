"""A Runner that is no judge: fast, and different from BigQuery in ways that tests/conformance lists."""

from __future__ import annotations

import importlib.util
import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from etl_orchestrator.engines.duckdb.dialect import translate
from etl_orchestrator.engines.duckdb.worker import Answer, Job
from etl_orchestrator.engines.googlesql.types import parse_type
from etl_orchestrator.errors import EngineCrashed, Unavailable, Unsupported
from etl_orchestrator.sql.values import check, empty
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import ParameterValue, Routine, Rows, SqlProblem, TableData

_START = 60.0  # seconds a child may take to begin, on a machine that is busy


class DuckDb:
    """DuckDB as a second opinion, never the source of an expected value.

    The query is translated by sqlglot and run in a child process with `megabytes` of memory, killed after `seconds`."""

    name = "duckdb"

    def __init__(self, seconds: float = 5.0, megabytes: int = 512) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._child: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        """See `tools.Runner`. What DuckDB does not run as translated is Unsupported, for it may be right in BigQuery."""
        if routines:
            raise Unsupported(f"the engine duckdb runs no routines (`{routines[0].ref}`)")
        for data in tables.values():
            for row in data.rows:
                for column in data.schema:
                    check(column, row.get(column.name, empty(column)))
        kinds = {name: parse_type(name, parameter.type) for name, parameter in parameters.items()}
        translated = translate(sql, {table: data.schema for table, data in tables.items()}, kinds)
        job = Job(
            translated.sql,
            {name: (tables[table].schema, tables[table].rows) for name, table in translated.tables.items()},
            {name: parameters[name].value for name in translated.parameters},
        )
        with self._turn:
            answer = self._asked(job)
        if answer.refused:
            raise Unsupported(answer.refused, fix="run it with the engine `googlesql`")
        if answer.problem:
            return Rows(problem=SqlProblem(answer.problem))
        return Rows(answer.columns, answer.rows)

    def close(self) -> None:
        """Ends the child; the next query starts another."""
        child, self._child = self._child, None
        if child:
            child.kill()
            child.communicate()

    def _asked(self, job: Job) -> Answer:
        child = self._child
        if child is None:
            child = self._child = self._started()
            self._answer(child, _START)
        assert child.stdin
        try:
            pickle.dump(job, child.stdin)
            child.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise EngineCrashed("the DuckDB process ended between two queries") from None
        return self._answer(child, self._seconds)

    def _answer(self, child: subprocess.Popen[bytes], seconds: float) -> Answer:
        assert child.stdout
        ready, _, _ = select.select([child.stdout], [], [], seconds)
        if not ready:
            self.close()
            raise EngineCrashed(f"DuckDB took longer than {seconds:g} s")
        try:
            answer: Answer = pickle.load(child.stdout)
        except (EOFError, pickle.UnpicklingError):
            self.close()
            raise EngineCrashed("the DuckDB process ended without an answer") from None
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if importlib.util.find_spec("duckdb") is None:
            raise Unavailable("the library duckdb is not installed", fix="pip install 'etl-orchestrator[duckdb]'")
        program = f"from etl_orchestrator.engines.duckdb.worker import main; main({self._megabytes})"
        return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __del__(self) -> None:
        self.close()
