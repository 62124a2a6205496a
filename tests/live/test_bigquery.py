"""The conformance cases in BigQuery itself: `pytest tests/live`, never in the default run. Needs the extra `bigquery` and
default credentials with a project; the queries read no table."""

from __future__ import annotations

from functools import cache

import pytest
from tests.conformance.engines.suite import Case, cases
from tests.conformance.engines.test_runners import check

from etl_orchestrator.engines.bigquery import BigQuery
from etl_orchestrator.errors import Unavailable, Unsupported


@cache
def _runner() -> BigQuery:
    pytest.importorskip("google.cloud.bigquery", reason="the extra bigquery is not installed")
    runner = BigQuery()
    try:
        runner.run("SELECT 1 AS a", {}, {})
    except Unavailable as error:
        pytest.skip(error.message)
    return runner


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_case(case: Case) -> None:
    try:
        rows = _runner().run(case.sql, case.tables, case.parameters, case.routines)
    except Unsupported as error:
        pytest.skip(error.message)
    check("bigquery", case, rows)
