"""An engine that answers what it was told to: for tests of rooms that need an Analyzer or a Runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Analysis, ParameterValue, Routine, Rows, ScriptResult, SqlProblem, TableData, View


@dataclass
class Scripted:
    """Answers by the text of the query, or by a function of the call; `asked` keeps what was asked, in order.

    A query without an answer is a problem.
    """

    analyses: Mapping[str, Analysis] | Callable[[str], Analysis] = field(default_factory=dict)
    results: Mapping[str, Rows] | Callable[[str, Mapping[TableRef, TableData]], Rows] = field(default_factory=dict)
    named: Mapping[str, tuple[TableRef | str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    name: str = "scripted"

    def analyze(
        self,
        sql: str,
        schemas: Mapping[TableRef, Schema],
        parameters: Mapping[str, str],
        routines: Sequence[Routine] = (),
    ) -> Analysis:
        self.asked.append(sql)
        if callable(self.analyses):
            return self.analyses(sql)
        return self.analyses.get(sql, Analysis(problem=SqlProblem("no analysis was scripted for this query")))

    def references(self, sql: str) -> tuple[TableRef | str, ...]:
        return self.named.get(sql, ())

    def run(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> Rows:
        self.asked.append(sql)
        if callable(self.results):
            return self.results(sql, {table: data for table, data in tables.items() if isinstance(data, TableData)})
        return self.results.get(sql, Rows(problem=SqlProblem("no rows were scripted for this query")))

    def run_script(
        self,
        sql: str,
        tables: Mapping[TableRef, TableData | View],
        parameters: Mapping[str, ParameterValue],
        routines: Sequence[Routine] = (),
    ) -> ScriptResult:
        return ScriptResult(self.run(sql, tables, parameters, routines), tables)
