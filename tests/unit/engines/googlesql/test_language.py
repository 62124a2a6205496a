"""What BigQuery's language has beyond the core, each as its documentation of 2026 writes it."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import Unavailable, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import TableData

RIDES = TableRef("acme-data", "shop", "rides_v1")
SCHEMA = (
    Field("rider", "STRING"), Field("day", "DATE"), Field("price", "INTEGER"),
)  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 10, delta = .01, max_groups_contributed = 1, privacy_unit_column = rider) "
         "day, AVG(price, contribution_bounds_per_group => (0, 100)) AS a, COUNT(*) AS n FROM shop.rides_v1 GROUP BY day",
         "day DATE, a FLOAT, n INTEGER"),
        ("SELECT WITH AGGREGATION_THRESHOLD OPTIONS (threshold = 3, privacy_unit_column = rider) day, COUNT(*) AS n "
         "FROM shop.rides_v1 GROUP BY day",
         "day DATE, n INTEGER"),
        ("SELECT rider, AVG(SUM(price) GROUP BY day) AS daily FROM shop.rides_v1 GROUP BY rider", "rider STRING, daily FLOAT"),
        ("SELECT * FROM shop.rides_v1 MATCH_RECOGNIZE (PARTITION BY rider ORDER BY day MEASURES FIRST(low.price) AS lowest "
         "PATTERN (low high+) DEFINE low AS price < 10, high AS price > 20)",
         "rider STRING, lowest INTEGER"),
        ("FROM shop.rides_v1 |> AGGREGATE SUM(price) AS total GROUP AND ORDER BY rider DESC |> EXTEND total + 1 AS more |> DROP total",
         "rider STRING, more INTEGER"),
        ("SELECT rider LIKE ANY UNNEST(['a%']) AS fits FROM shop.rides_v1", "fits BOOLEAN"),
        ("CREATE TEMP AGGREGATE FUNCTION f(x INT64) RETURNS FLOAT64 LANGUAGE js AS 'x'; "
         "SELECT f(price) AS a, f(price IGNORE NULLS) AS b FROM shop.rides_v1",
         "a FLOAT, b FLOAT"),
        ("CREATE TABLE shop.t (a INT64, b STRUCT<c INT64>); ALTER TABLE shop.t ALTER COLUMN a SET DATA TYPE NUMERIC; "
         "ALTER TABLE shop.t SET OPTIONS (description = 'x'); SELECT a, b.c FROM shop.t",
         "a NUMERIC, c INTEGER"),
        ("CREATE VIEW shop.v (r OPTIONS (description = 'who'), p) AS SELECT rider, price FROM shop.rides_v1", "r STRING, p INTEGER"),
        ("CREATE MODEL shop.m OPTIONS (model_type = 'linear_reg') AS SELECT price, day FROM shop.rides_v1", "price INTEGER, day DATE"),
        ("CREATE MODEL shop.m REMOTE WITH CONNECTION `acme-data.us.link` OPTIONS (endpoint = 'x')", ""),
        ("CREATE EXTERNAL TABLE shop.e WITH PARTITION COLUMNS (k STRING) WITH CONNECTION DEFAULT OPTIONS (format = 'CSV')", ""),
        ("CREATE EXTERNAL TABLE shop.e WITH CONNECTION us.link OPTIONS (format = 'CSV')", ""),
        ("CREATE PROCEDURE `acme-data.shop.p`(n INT64) WITH CONNECTION `acme-data.us.link` OPTIONS (engine = 'SPARK') LANGUAGE PYTHON "
         "AS 'print(1)'",
         ""),
        ("ALTER SCHEMA shop ADD REPLICA `EU` OPTIONS (location = 'eu')", ""),
        ("CREATE RESERVATION `acme-data.region-us.main` OPTIONS (slot_capacity = 100)", ""),
    ],
)  # fmt: skip
def test_it_is_read(engine: GoogleSql, sql: str, columns: str) -> None:
    analysis = engine.analyze(sql, {RIDES: SCHEMA}, {})
    assert analysis.problem is None, analysis.problem
    assert ", ".join(f"{column.name} {column.type}" for column in analysis.columns) == columns


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT AVG(SUM(price)) AS a FROM shop.rides_v1", "requires the enclosing aggregate function"),
        ("SELECT SUM(price GROUP BY rider) AS a FROM shop.rides_v1", "neither grouped nor aggregated"),
        ("SELECT CONTAINS_SUBSTR(rider) AS a FROM shop.rides_v1", "No matching signature for function CONTAINS_SUBSTR"),
        ("CREATE ROLE x", "ROLE is not a supported object type"),
        ("FROM shop.rides_v1 |> ASSERT price > 0", "Pipe ASSERT not supported"),
        ("FROM shop.rides_v1 |> FORK (|> SELECT rider), (|> SELECT price)", "Pipe FORK not supported"),
        ("FROM shop.rides_v1 |> SELECT rider |> CREATE TABLE shop.t", "Pipe CREATE TABLE not supported"),
        ("EXPLAIN SELECT 1", "Statement not supported: ExplainStatement"),
        ("CREATE SEQUENCE shop.s", "Statement not supported: CreateSequenceStatement"),
    ],
)
def test_it_is_refused(engine: GoogleSql, sql: str, message: str) -> None:
    problem = engine.analyze(sql, {RIDES: SCHEMA}, {}).problem
    assert problem
    assert message in problem.message
    assert "EXTERNAL" not in problem.message


def test_a_property_graph_is_not_known_here(engine: GoogleSql) -> None:
    with pytest.raises(Unavailable, match=r"the property graph shop\.graph is not known"):
        engine.analyze("SELECT * FROM GRAPH_TABLE(shop.graph MATCH (n) RETURN n.x AS x)", {}, {})


def test_the_keys_of_tables_are_not_known_here(engine: GoogleSql) -> None:
    nodes = "CREATE TABLE shop.n (id INT64, PRIMARY KEY (id) NOT ENFORCED)"
    with pytest.raises(Unsupported, match="keys of tables"):
        engine.analyze(f"{nodes}; CREATE PROPERTY GRAPH shop.g NODE TABLES (shop.n)", {}, {})


def test_what_is_read_here_can_be_run_here(engine: GoogleSql) -> None:
    rides = {
        RIDES: TableData(SCHEMA, ({"rider": "a", "price": 1}, {"rider": "a", "price": 30}, {"rider": "b", "price": 5}))
    }
    averages = "SELECT AVG(SUM(price) GROUP BY rider) AS a FROM shop.rides_v1"
    assert engine.run(averages, rides, {}).rows == ((18.0,),)
    runs = (
        "SELECT * FROM shop.rides_v1 MATCH_RECOGNIZE (PARTITION BY rider ORDER BY price MEASURES LAST(high.price) AS top "
        "PATTERN (low high+) DEFINE low AS price < 10, high AS price > 20)"
    )
    assert engine.run(runs, rides, {}).rows == (("a", 30),)
