"""DuckDB as a second opinion: what it refuses, what it is kept from, what happens when its process ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from etl_orchestrator.engines.duckdb import DuckDb
from etl_orchestrator.errors import EngineCrashed, InvalidInput, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, TableData

pytest.importorskip("duckdb", reason="an optional extra")
RIDES = TableRef("proj-one", "city", "rides")
SCHEMA = (
    Field("id", "INTEGER"),
    Field("at", "TIMESTAMP"),
    Field("price", "NUMERIC"),
    Field("stops", "RECORD", "REPEATED", fields=(Field("name", "STRING"), Field("at", "TIMESTAMP"))),
)
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
ROWS = ({"id": 1, "at": NOON, "price": Decimal("1.5"), "stops": [{"name": "a", "at": NOON}]}, {"id": 2})
TABLES = {RIDES: TableData(SCHEMA, ROWS)}


@pytest.fixture
def engine() -> Iterator[DuckDb]:
    made = DuckDb(seconds=3.0, megabytes=100)
    yield made
    made.close()


def test_values_of_all_shapes_come_back(engine: DuckDb) -> None:
    rows = engine.run("SELECT * FROM `proj-one.city.rides` ORDER BY id", TABLES, {})
    assert rows.columns == SCHEMA
    assert rows.rows == (
        (1, NOON, Decimal("1.5"), [{"name": "a", "at": NOON}]),
        (2, None, None, []),
    )


def test_parameters_have_their_type(engine: DuckDb) -> None:
    parameters = {"day": ParameterValue("DATE", date(2025, 6, 1)), "ids": ParameterValue("ARRAY<INT64>", [2, 3])}
    rows = engine.run("SELECT @day AS day, id FROM city.rides WHERE id IN UNNEST(@ids)", TABLES, parameters)
    assert rows.dicts() == [{"day": date(2025, 6, 1), "id": 2}]


def test_a_row_that_does_not_fit_is_refused(engine: DuckDb) -> None:
    with pytest.raises(InvalidInput):
        engine.run("SELECT 1 AS a", {RIDES: TableData(SCHEMA, ({"id": "one"},))}, {})


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT FORMAT('%d', 1) AS f", "FORMAT"),
        ("SELECT BIGNUMERIC '1' AS b", "BIGNUMERIC"),
        ("DELETE FROM t WHERE TRUE", "one query"),
        ("SELECT 1; SELECT 2", "one query"),
        ("SELECT a FROM `proj-one.city.nowhere`", "nowhere"),
        ("SELECT NET.REG_DOMAIN('x') AS d", "reg_domain"),
        ("SELECT * FROM read_csv('/etc/passwd')", "cannot run"),
    ],
)
def test_what_is_not_the_same_is_refused_by_name(engine: DuckDb, sql: str, word: str) -> None:
    with pytest.raises(Unsupported, match=word):
        engine.run(sql, TABLES, {})


def test_routines_are_refused_by_name(engine: DuckDb) -> None:
    with pytest.raises(Unsupported, match=r"proj-one\.fn\.f"):
        engine.run(
            "SELECT fn.f() AS a", {}, {}, [Routine(TableRef("proj-one", "fn", "f"), "CREATE FUNCTION fn.f() AS (1)")]
        )


def test_a_query_that_fails_on_its_rows_is_a_problem(engine: DuckDb) -> None:
    rows = engine.run("SELECT 1 / (id - 1) AS x FROM city.rides", TABLES, {})
    assert rows.problem
    assert "division by zero" in rows.problem.message


def test_tables_of_one_query_are_gone_in_the_next(engine: DuckDb) -> None:
    for count in (2, 1):
        data = TableData(SCHEMA, ROWS[:count])
        assert engine.run("SELECT COUNT(*) AS c FROM city.rides", {RIDES: data}, {}).rows == ((count,),)


def test_a_query_that_does_not_end_is_killed_and_the_next_one_runs(engine: DuckDb) -> None:
    endless = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT MAX(n) AS m FROM t"
    with pytest.raises(EngineCrashed, match="longer than 3 s"):
        engine.run(endless, {}, {})
    assert engine.run("SELECT 1 AS a", {}, {}).rows == ((1,),)


def test_a_query_that_needs_too_much_memory_gets_neither_it_nor_files(
    engine: DuckDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wide = "SELECT COUNT(DISTINCT CONCAT(REPEAT('x', 2000), CAST(n AS STRING))) AS c FROM UNNEST(GENERATE_ARRAY(1, 200000)) AS n"
    with pytest.raises((Unsupported, EngineCrashed), match=r"Out of Memory|longer|ended"):
        engine.run(wide, {}, {})
    assert list(tmp_path.rglob("*")) == []
    assert engine.run("SELECT 1 AS a", {}, {}).rows == ((1,),)
