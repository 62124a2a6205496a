"""Near names beside those that are not known, and where a column is given twice."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.outline import Outline
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import SqlProblem

SCHEMAS = {
    TableRef("proj-one", "web", "visits_v1"): (Field("event_method", "STRING"), Field("visit_day", "DATE")),
    TableRef("proj-one", "web", "pages_v1"): (Field("page_title", "STRING"), Field("event_code", "STRING")),
}


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def refused(engine: GoogleSql, sql: str) -> SqlProblem:
    problem = engine.analyze(sql, SCHEMAS, {"day": "DATE"}).problem
    assert problem is not None
    return problem


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        ("SELECT e.event_methd FROM `proj-one.web.visits_v1` AS e", "event_method"),
        ("SELECT visits_v1.event_methd FROM web.visits_v1", "event_method"),
        ("SELECT p.page_titel FROM web.visits_v1 v, web.pages_v1 p", "page_title"),
        ("SELECT p.page_titel FROM web.visits_v1 v LEFT JOIN web.pages_v1 AS p ON TRUE", "page_title"),
        ("SELECT e.event_methd FROM (SELECT * FROM web.visits_v1) AS e", "event_method"),
        ("WITH a AS (SELECT event_method AS way FROM web.visits_v1), b AS (SELECT way AS ways FROM a) SELECT x.wayz FROM b AS x", "ways"),
        # An alias means another table in the subquery than around it.
        ("SELECT (SELECT MAX(e.page_titel) FROM web.pages_v1 AS e) FROM web.visits_v1 AS e", "page_title"),
        ("SELECT v.event_method FROM web.visits_v1 v WHERE EXISTS (SELECT 1 FROM web.pages_v1 p WHERE v.visit_dai = @day)", "visit_day"),
        ("WITH overactive AS (SELECT 1 AS a) SELECT * FROM overactiv", "overactive"),
        ("CREATE TEMP TABLE interim AS SELECT 1 AS number; SELECT i.numbr FROM interim AS i", "number"),
        ("INSERT INTO web.visits_v1 (visit_day, event_methd) VALUES (@day, 'a')", "event_method"),
        ("UPDATE web.visits_v1 t SET t.event_methd = 'a' WHERE TRUE", "event_method"),
        ("MERGE INTO web.visits_v1 AS t USING (SELECT @day AS that_day) AS s ON t.visit_day = s.tha_day WHEN MATCHED THEN DELETE", "that_day"),
        ("SELECT e.* EXCEPT (visit_dya) FROM web.visits_v1 e", "visit_day"),
        ("SELECT 1 FROM web.visits_v1 AS a JOIN web.visits_v1 AS b USING (visit_dya)", "visit_day"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_told(engine: GoogleSql, sql: str, meant: str) -> None:
    assert refused(engine, sql).message.endswith(f"; Did you mean {meant}?")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT e.zebra FROM web.visits_v1 AS e",
        "SELECT e.page_titel FROM web.visits_v1 AS e, web.pages_v1 AS p",
        "SELECT * FROM later_one; WITH later_on AS (SELECT 1) SELECT 1",
        "WITH a AS (SELECT * FROM bb_names), bb_name AS (SELECT 1 AS x) SELECT * FROM a",
        "SELECT e.nam FROM (SELECT nothing AS name FROM web.visits_v1) AS e",
        "SELECT u.visit_dai FROM UNNEST([STRUCT(1 AS b)]) AS u",
    ],
)
def test_nothing_is_told_where_nothing_is_near(engine: GoogleSql, sql: str) -> None:
    assert "Did you mean" not in refused(engine, sql).message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT visit_day AS wau, event_method AS |wau FROM web.visits_v1",
        "SELECT *, |visit_day FROM web.visits_v1",
        "SELECT\n  v.visit_day,\n  MAX(IF(TRUE, v.event_method, '')) AS n,\n  v.|visit_day,\nFROM web.visits_v1 AS v\nGROUP BY 1, 3",
        "WITH a AS (SELECT 1 AS n, 2 AS m) SELECT n, (SELECT 3 AS n) AS |n, m FROM a UNION ALL SELECT 1, 2, 3 ",
        "CREATE VIEW web.v AS SELECT visit_day AS wau, event_method AS |wau FROM web.visits_v1",
        "SELECT 1 AS a; SELECT visit_day AS wau, event_method AS |WAU FROM web.visits_v1",
        "SELECT 1 AS a, STRUCT(1 AS x, 2 AS x) AS |s",
        "|SELECT * FROM web.visits_v1, web.visits_v1 AS again",
    ],
)
def test_a_column_that_is_given_twice_is_pointed_at(engine: GoogleSql, sql: str) -> None:
    before, _, behind = sql.partition("|")
    problem = refused(engine, before + behind)
    assert "uplicate" in problem.message
    assert (problem.line, problem.column) == (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


@pytest.mark.parametrize("sql", ["", "x", "SELECT", "WITH a AS (SELECT", "FROM", ")", "SELECT a, a FROM ("])
def test_an_outline_of_anything(sql: str) -> None:
    outline = Outline(sql)
    for offset in range(len(sql) + 1):
        outline.ctes(offset)
        outline.sources(offset)
    outline.column("a")
