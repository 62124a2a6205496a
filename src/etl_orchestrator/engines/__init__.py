"""Who plays Analyzer and Runner, by name. An engine's library is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl_orchestrator.engines.duckdb import DuckDb
    from etl_orchestrator.engines.googlesql import GoogleSql
    from etl_orchestrator.tools import Answers


def _googlesql(on_compile: Callable[[str], None] | None = None, answers: Answers | None = None) -> GoogleSql:
    from etl_orchestrator.engines.googlesql import GoogleSql

    return GoogleSql(on_compile=on_compile, answers=answers)


def _duckdb(on_compile: Callable[[str], None] | None = None, answers: Answers | None = None) -> DuckDb:
    from etl_orchestrator.engines.duckdb import DuckDb

    return DuckDb()


#: Name and factory; a factory takes what to call with a line of progress when the engine must be made ready first,
#: and what keeps answers between runs.
ENGINES = (("googlesql", _googlesql),)
#: Those that only run queries, and whose rows are no verdict.
SECOND_OPINIONS = (("duckdb", _duckdb),)
