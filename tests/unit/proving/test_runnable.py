"""What the engine lacks is told in phase 2, with the expression that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.unit.proving.material import ORDERS, OUTPUT, SCHEMAS, columns, orders, requirements

from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.proving.trial import run_on_nothing
from etl_orchestrator.requirements import Body, Requirements
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Analysis, Rows, SqlProblem, TableData, Tools

ASKED = requirements(Body((orders(),), columns("day", "cell = MAX(ST_GEOHASH(country))", "number = COUNT(*)")))


def _run(message: str | None, required: Requirements = ASKED, problem: SqlProblem | None = None) -> list[int]:
    """The rows of the fixtures with which the query was run."""
    seen: list[int] = []

    def results(_: str, tables: Mapping[TableRef, TableData]) -> Rows:
        seen.extend(len(data.rows) for data in tables.values())
        if message:
            raise Unsupported(message)
        return Rows()

    engine = Scripted(analyses=lambda _: Analysis(problem=problem), results=results)
    model = Model(OUTPUT, required, artifacts=(Artifact(paths.query_sql(OUTPUT), "SELECT 1", "query"),))
    run_on_nothing(model, Tools(engine, engine, Memory(schemas=SCHEMAS), RulesAuthor()))
    return seen


def test_the_query_is_run_on_an_empty_table_for_each_source() -> None:
    assert _run(None) == [0]


def test_the_output_column_and_its_line_are_told_with_the_function() -> None:
    lines = replace(ASKED, request=replace(ASKED.request, lines={"columns.cell": 7}))
    with pytest.raises(Unsupported, match=r"lacks ST_GEOHASH, which `columns.cell.expression` at x.yaml:7 calls"):
        _run("the local engine lacks ST_GEOHASH", lines)


def test_a_gap_that_no_expression_calls_is_told_as_it_is() -> None:
    with pytest.raises(Unsupported, match=r"^this query is too deeply nested\Z"):
        _run("this query is too deeply nested")


def test_a_refused_query_and_an_unknown_source_are_for_the_gates() -> None:
    assert _run("never asked", problem=SqlProblem("no such column")) == []
    unknown = requirements(Body((orders(table=f"{ORDERS}x"),), columns("day")))
    assert _run("never asked", unknown) == []
