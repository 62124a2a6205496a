"""An engine by its name, imported when it is first asked something: a plan asks it nothing as a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from etl_orchestrator.engines import ENGINES
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Analysis, Answers, ParameterValue, Routine, Rows, ScriptResult, TableData, View

if TYPE_CHECKING:
    from etl_orchestrator.engines.googlesql import GoogleSql


class Deferred:
    """Plays Analyzer and Runner through the engine `name` of `ENGINES`, which is made with `on_compile` and `answers`."""

    def __init__(
        self, name: str, on_compile: Callable[[str], None] | None = None, answers: Answers | None = None
    ) -> None:
        self.name = name
        self._on_compile = on_compile
        self._answers = answers

    @cached_property
    def _engine(self) -> GoogleSql:
        return dict(ENGINES)[self.name](self._on_compile, self._answers)

    def analyze(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine] = (),
    ) -> Analysis:
        return self._engine.analyze(sql, schemas, parameters, routines)

    def references(self, sql: str) -> tuple[TableRef | str, ...]:
        return self._engine.references(sql)

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        return self._engine.run(sql, tables, parameters, routines)

    def run_script(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> ScriptResult:
        return self._engine.run_script(sql, tables, parameters, routines)
