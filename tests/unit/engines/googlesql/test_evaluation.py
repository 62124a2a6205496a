"""Routines, JavaScript and views where queries run."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, Rows, TableData, View

_SHOP = TableRef("a-project", "shop", "orders_v1")
_ORDERS = TableData(
    (Field("id", "INTEGER"), Field("buyer", "STRING"), Field("tags", "STRING", "REPEATED")),
    ({"id": 1, "buyer": "ann", "tags": ["x", "y"]}, {"id": 2, "buyer": None}, {"id": 3, "buyer": "bob", "tags": ["z"]}),
)


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def routine(name: str, rest: str) -> Routine:
    return Routine(TableRef("a-project", "fn", name), f"CREATE OR REPLACE FUNCTION fn.{name}{rest}")


JS = routine(
    "label", '(id INT64, name STRING) RETURNS STRING LANGUAGE js AS """return name === null ? null : name + id;"""'
)


def rows(engine: GoogleSql, sql: str, *routines: Routine, **parameters: ParameterValue) -> Rows:
    return engine.run(sql, {_SHOP: _ORDERS}, parameters, routines)


def test_sql_functions_of_every_shape_run(engine: GoogleSql) -> None:
    routines = (
        routine("twice", "(x INT64) RETURNS INT64 AS (x * 2)"),
        routine("four_times", "(x ANY TYPE) AS (fn.twice(fn.twice(x)))"),
        routine("last", "(items ANY TYPE) AS ((WITH a AS (SELECT i, o FROM UNNEST(items) AS i WITH OFFSET AS o) "
                "SELECT i FROM a ORDER BY o DESC LIMIT 1))"),
        routine("day", "(s STRING) RETURNS DATE AS (SAFE.PARSE_DATE('%F', s))"),
    )  # fmt: skip
    sql = "SELECT fn.four_times(id) AS f, fn.last(tags) AS l, fn.day('2024-01-0' || id) AS d FROM shop.orders_v1 ORDER BY id"
    got = rows(engine, sql, *routines)
    assert [(row[0], row[1], str(row[2])) for row in got.rows] == [
        (4, "y", "2024-01-01"), (8, None, "2024-01-02"), (12, "z", "2024-01-03"),
    ]  # fmt: skip


def test_aggregate_and_table_functions_run(engine: GoogleSql) -> None:
    spread = Routine(
        TableRef("a-project", "fn", "spread"),
        "CREATE AGGREGATE FUNCTION fn.spread(x INT64) RETURNS INT64 AS (MAX(x) - MIN(x))",
    )
    of = Routine(
        TableRef("a-project", "fn", "orders_of"),
        "CREATE TABLE FUNCTION fn.orders_of(name STRING) AS SELECT id, tags FROM `a-project.shop.orders_v1` WHERE buyer = name",
    )
    assert rows(engine, "SELECT fn.spread(id) AS s FROM shop.orders_v1", spread).rows == ((2,),)
    assert rows(engine, "SELECT id FROM fn.orders_of('bob')", of).rows == ((3,),)


def test_javascript_runs_wherever_it_is_called(engine: GoogleSql) -> None:
    outer = routine("outer", "(id INT64, name STRING) AS (UPPER(fn.label(id, name)))")
    sql = """
        SELECT
          buyer,
          ARRAY_AGG(fn.outer(id, buyer) IGNORE NULLS) AS direct,
          MAX((SELECT MAX(fn.label(id, tag)) FROM UNNEST(tags) AS tag)) AS correlated,
          MAX(IF(id = 1, fn.label(id, 'only'), NULL)) AS branch
        FROM shop.orders_v1 GROUP BY buyer ORDER BY buyer
    """
    assert rows(engine, sql, JS, outer).rows == (
        (None, [], None, None), ("ann", ["ANN1"], "y1", "only1"), ("bob", ["BOB3"], "z3", None),
    )  # fmt: skip


def test_an_error_in_javascript_is_a_problem_of_the_query(engine: GoogleSql) -> None:
    broken = routine("broken", "(x STRING) RETURNS STRING LANGUAGE js AS 'throw new Error(\"bad \" + x)'")
    problem = rows(engine, "SELECT fn.broken(buyer) AS b FROM shop.orders_v1", broken).problem
    assert problem is not None
    assert "Error: bad ann" in problem.message


def test_a_javascript_library_is_refused_by_name(engine: GoogleSql) -> None:
    needs = routine(
        "needs", "(x STRING) RETURNS STRING LANGUAGE js OPTIONS (library = 'gs://a-bucket/lib.js') AS 'return lib(x)'"
    )
    with pytest.raises(Unsupported, match=r"fn\.needs needs gs://a-bucket/lib\.js"):
        rows(engine, "SELECT fn.needs(buyer) AS b FROM shop.orders_v1", needs)


def test_views_read_tables_and_other_views(engine: GoogleSql) -> None:
    tables: dict[TableRef, TableData | View] = {
        _SHOP: _ORDERS,
        TableRef("a-project", "shop", "orders"): View(
            "SELECT * FROM `a-project.shop.orders_v1` WHERE buyer IS NOT NULL;"
        ),
        TableRef("a-project", "shop", "names"): View(
            "SELECT UPPER(buyer) AS name, id FROM `a-project.shop.orders` -- end"
        ),
    }
    sql = (
        "SELECT names.name, o.id FROM `a-project.shop.names` JOIN `a-project.shop.orders` AS o USING (id) ORDER BY o.id"
    )
    assert engine.run(sql, tables, {}).rows == (("ANN", 1), ("BOB", 3))


def test_a_view_that_is_wrong_or_reads_itself_is_named(engine: GoogleSql) -> None:
    view = TableRef("a-project", "shop", "orders")
    problem = engine.run("SELECT 1 FROM shop.orders", {view: View("SELECT nothing FROM UNNEST([1])")}, {}).problem
    assert problem is not None
    assert "the view a-project.shop.orders is refused: Unrecognized name: nothing" in problem.message
    itself = engine.run("SELECT 1 FROM shop.orders", {view: View("SELECT 1 FROM `a-project.shop.orders`")}, {}).problem
    assert itself is not None
    assert "the view a-project.shop.orders is refused: Table not found: `a-project`.shop.orders" in itself.message


def test_a_function_over_a_model_is_a_stub_that_says_so(engine: GoogleSql) -> None:
    sql = "SELECT AI.GENERATE(prompt => buyer, output_schema => 's STRING, n INT64') AS g FROM shop.orders_v1 LIMIT 1"
    answer = rows(engine, sql).rows[0][0]
    label = "stub: AI.GENERATE is not run here"
    assert answer == {"s": label, "n": None, "full_response": None, "status": label}
