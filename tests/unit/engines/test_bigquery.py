"""What is sent to BigQuery, judged by the local engine: the query with its rows inside answers as with its tables."""

from __future__ import annotations

import importlib.util

import pytest
from tests.conformance.engines.suite import Case, cases

from etl_orchestrator.engines.bigquery import BigQuery, inlined
from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import InvalidInput, Unavailable, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Routine, TableData

RIDES = TableRef("proj-one", "city", "rides")
TABLES = {RIDES: TableData((Field("id", "INTEGER"),), ({"id": 1}, {"id": None}))}
TOPICS = ("types", "joins", "join_keys", "arrays", "aggregates", "nulls", "grouping", "windows", "recursion")
READING = [case for case in cases() if case.tables and case.expect and case.name.partition(":")[0] in TOPICS]


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.mark.parametrize("case", READING, ids=lambda case: case.name)
def test_rows_in_the_text_are_the_rows_of_the_tables(case: Case, engine: GoogleSql) -> None:
    if "_TABLE_SUFFIX" in case.sql or "TABLESAMPLE" in case.sql:
        pytest.skip("a wildcard and a sample need a table")
    theirs = engine.run(case.sql, case.tables, case.parameters)
    ours = engine.run(inlined(case.sql, case.tables), {}, case.parameters)
    assert ours.problem is None
    assert ours.columns == theirs.columns
    assert sorted(map(repr, ours.rows)) == sorted(map(repr, theirs.rows))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT rides.id FROM `proj-one.city.rides`",
        "SELECT r.id FROM `proj-one`.city.rides AS r",
        "SELECT id FROM city.rides;",
        "WITH a AS (SELECT id FROM proj-one.city.rides) -- city.rides\nSELECT id FROM a",
    ],
)
def test_every_spelling_of_a_name_is_found(sql: str, engine: GoogleSql) -> None:
    assert sorted(map(repr, engine.run(inlined(sql, TABLES), {}, {}).rows)) == ["(1,)", "(None,)"]


def test_a_query_that_reads_no_table_stays_as_it_is() -> None:
    assert inlined("SELECT 'city.rides' AS t", TABLES) == "SELECT 'city.rides' AS t"


def test_two_tables_of_one_name_are_refused() -> None:
    other = {**TABLES, TableRef("proj-one", "town", "rides"): TABLES[RIDES]}
    with pytest.raises(Unsupported, match="rides"):
        inlined("SELECT 1 AS a FROM city.rides JOIN town.rides ON TRUE", other)


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput):
        inlined("SELECT id FROM city.rides", {RIDES: TableData((Field("id", "INTEGER"),), ({"id": "x"},))})


def test_routines_are_refused_by_name() -> None:
    with pytest.raises(Unsupported, match=r"proj-one\.fn\.f"):
        BigQuery().run(
            "SELECT fn.f() AS a", {}, {}, [Routine(TableRef("proj-one", "fn", "f"), "CREATE FUNCTION fn.f() AS (1)")]
        )


def _installed() -> bool:
    try:
        return importlib.util.find_spec("google.cloud.bigquery") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(_installed(), reason="the library is there")
def test_without_the_library_it_says_what_to_install() -> None:
    with pytest.raises(Unavailable, match="google-cloud-bigquery"):
        BigQuery().run("SELECT 1 AS a", {}, {})
