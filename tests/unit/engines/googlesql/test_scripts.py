"""Statements beyond one query, and scripts: what they give, read and write, and what is wrong in them."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import InvalidInput, Unavailable, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Routine

VISITS = TableRef("proj-one", "web", "visits_v1")
DAILY = TableRef("proj-one", "web", "daily_v1")
SCHEMAS = {
    VISITS: (Field("day", "DATE"), Field("n", "INTEGER"), Field("page", "STRING")),
    DAILY: (Field("day", "DATE"), Field("total", "INTEGER")),
}
LOADING = Routine(
    TableRef("proj-one", "web", "load_day"),
    "CREATE PROCEDURE web.load_day(d DATE, OUT total INT64) BEGIN SET total = (SELECT SUM(n) FROM web.visits_v1 WHERE day = d); END",
)


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.mark.parametrize(
    ("sql", "columns", "tables", "written"),
    [
        ("CREATE OR REPLACE VIEW `proj-one.web.v` OPTIONS (description = 'x') AS SELECT day, n AS m FROM web.visits_v1",
         "day DATE, m INTEGER", "visits_v1", "proj-one.web.v"),
        ("CREATE MATERIALIZED VIEW `proj-one.web.v` CLUSTER BY page AS SELECT page, COUNT(*) AS c FROM web.visits_v1 GROUP BY page",
         "page STRING, c INTEGER", "visits_v1", "proj-one.web.v"),
        ("CREATE TABLE web.t PARTITION BY day CLUSTER BY n OPTIONS (require_partition_filter = TRUE) AS SELECT day, n FROM web.visits_v1",
         "day DATE, n INTEGER", "visits_v1", "web.t"),
        ("CREATE VIEW web.v(a, b) AS SELECT day, n FROM web.visits_v1", "a DATE, b INTEGER", "visits_v1", "web.v"),
        ("EXPORT DATA OPTIONS (uri = 'x') AS SELECT n FROM web.visits_v1", "n INTEGER", "visits_v1", ""),
        ("INSERT INTO web.daily_v1 (day, total) SELECT day, SUM(n) FROM web.visits_v1 GROUP BY day",
         "", "daily_v1 visits_v1", "proj-one.web.daily_v1"),
        ("UPDATE web.daily_v1 SET total = 1 WHERE day = @day", "", "daily_v1", "proj-one.web.daily_v1"),
        ("DELETE FROM web.daily_v1 WHERE day = @day", "", "daily_v1", "proj-one.web.daily_v1"),
        ("TRUNCATE TABLE web.daily_v1", "", "daily_v1", "proj-one.web.daily_v1"),
        ("MERGE INTO web.daily_v1 AS t USING (SELECT day, SUM(n) AS s FROM web.visits_v1 GROUP BY day) AS v ON t.day = v.day "
         "WHEN MATCHED THEN UPDATE SET total = s WHEN NOT MATCHED THEN INSERT (day, total) VALUES (day, s) "
         "WHEN NOT MATCHED BY SOURCE THEN DELETE",
         "", "daily_v1 visits_v1", "proj-one.web.daily_v1"),
        ("DROP TABLE IF EXISTS web.daily_v1", "", "", "proj-one.web.daily_v1"),
        ("ALTER TABLE web.daily_v1 ADD COLUMN x INT64; SELECT x, total FROM web.daily_v1", "x INTEGER, total INTEGER", "", "proj-one.web.daily_v1"),
        ("ASSERT (SELECT COUNT(*) FROM web.daily_v1) > 0 AS 'rows'", "", "daily_v1", ""),
        ("CREATE TABLE web.copy CLONE web.daily_v1; SELECT * FROM web.copy", "day DATE, total INTEGER", "daily_v1", "web.copy"),
        ("CREATE SNAPSHOT TABLE web.copy CLONE web.daily_v1; SELECT * FROM web.copy", "day DATE, total INTEGER", "daily_v1", "web.copy"),
        ("CREATE TABLE web.twin LIKE web.daily_v1; SELECT * FROM web.twin", "day DATE, total INTEGER", "", "web.twin"),
        ("CREATE TEMP TABLE twin LIKE web.daily_v1; INSERT INTO twin SELECT * FROM web.daily_v1; SELECT * FROM twin",
         "day DATE, total INTEGER", "daily_v1", ""),
        ("CREATE TABLE web.twin LIKE web.daily_v1 AS SELECT day, n FROM web.visits_v1; SELECT * FROM web.twin",
         "day DATE, total INTEGER", "visits_v1", "web.twin"),
    ],
)  # fmt: skip
def test_statements(engine: GoogleSql, sql: str, columns: str, tables: str, written: str) -> None:
    analysis = engine.analyze(sql, SCHEMAS, {"day": "DATE"})
    assert analysis.problem is None, analysis.problem
    assert ", ".join(f"{column.name} {column.type}" for column in analysis.columns) == columns
    assert " ".join(table.name for table in analysis.tables) == tables
    assert " ".join(str(table) for table in analysis.written) == written


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("CREATE TEMP FUNCTION f(a INT64) AS (a + 1); CREATE TEMP FUNCTION g(a ANY TYPE) AS (f(1) + a); SELECT g(1.5) AS x, f(2) AS y", "x FLOAT, y INTEGER"),
        ("DECLARE a, b INT64 DEFAULT 3; DECLARE c DEFAULT ['x']; SET (a, b) = (1, 2); SELECT a + b AS s, c AS c", "s INTEGER, c STRING"),
        ("CREATE TEMP TABLE t AS SELECT n AS m FROM web.visits_v1; CREATE TEMP TABLE u (k STRING, v ARRAY<INT64>); SELECT m, k FROM t, u", "m INTEGER, k STRING"),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT a FROM _SESSION.t", "a INTEGER"),
        ("CREATE OR REPLACE TABLE `proj-one.web.daily_v1` AS SELECT 'x' AS total; SELECT total FROM web.daily_v1", "total STRING"),
        ("CREATE TABLE IF NOT EXISTS web.daily_v1 (z STRING); SELECT total FROM web.daily_v1", "total INTEGER"),
        ("FOR row IN (SELECT day, n FROM web.visits_v1) DO SELECT row.n + 1 AS x, row.day AS d; END FOR", "x INTEGER, d DATE"),
        ("BEGIN DECLARE x INT64; IF x > 1 THEN SELECT x AS a; ELSE SELECT 'no' AS b; END IF; EXCEPTION WHEN ERROR THEN SELECT @@error.message AS e; END", "e STRING"),
        ("BEGIN TRANSACTION; INSERT web.daily_v1 VALUES (CURRENT_DATE(), 1); COMMIT TRANSACTION", ""),
        ("EXECUTE IMMEDIATE 'SELECT 1 AS a, @p AS b' USING 'x' AS p", "a INTEGER, b STRING"),
        ("EXECUTE IMMEDIATE 'SELECT ? + 1 AS a, ? AS b, \\'?\\' AS c' USING 1, DATE '2025-01-01'", "a INTEGER, b DATE, c STRING"),
        ("DECLARE n INT64; EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM web.visits_v1' INTO n; SELECT n", "n INTEGER"),
        ("DECLARE total INT64; CALL web.load_day('2025-01-01', total); SELECT total", "total INTEGER"),
        ("CREATE PROCEDURE web.p(a INT64, OUT b STRING) BEGIN SET b = CAST(a AS STRING); END; SELECT 1 AS one", "one INTEGER"),
        ("SELECT 1; SELECT 2 AS two", "two INTEGER"),
        ("SELECT @@project_id AS p, @@row_count AS r, @@script.creation_time AS t", "p STRING, r INTEGER, t TIMESTAMP"),
    ],
)  # fmt: skip
def test_scripts(engine: GoogleSql, sql: str, columns: str) -> None:
    analysis = engine.analyze(sql, SCHEMAS, {}, (LOADING,))
    assert analysis.problem is None, analysis.problem
    assert ", ".join(f"{column.name} {column.type}" for column in analysis.columns) == columns


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("SELECT 1 AS a;\nSELECT nothing", 2, "Unrecognized name: nothing"),
        ("DECLARE a INT64;\nDECLARE b DATE DEFAULT 1;", 2, "cannot be coerced"),
        ("DECLARE a INT64;\nSET a = 'x'", 2, "STRING which cannot be coerced to target type INT64"),
        ("SET nothing = 1", 1, "Undeclared variable: nothing"),
        ("BEGIN DECLARE a INT64; END;\nSELECT a", 2, "Unrecognized name: a"),
        ("DECLARE a INT64; DECLARE A STRING", 1, "redeclaration"),
        ("DECLARE a NOTHING", 1, "is not a GoogleSQL type"),
        ("\nIF 1 THEN SELECT 1; END IF", 2, "BOOL"),
        ("CREATE TEMP FUNCTION f(a INT64) AS (a);\nSELECT f('x')", 2, "No matching signature for function f"),
        ("CREATE TEMP FUNCTION f(a INT64) AS (\n b);\nSELECT 1", 2, "Unrecognized name: b"),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a;\nSELECT b FROM t", 2, "Unrecognized name: b"),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a; DROP TABLE t;\nSELECT a FROM t", 2, "Table not found: t"),
        ("INSERT INTO web.daily_v1 (day, total)\nSELECT day, page FROM web.visits_v1", 2, "cannot be inserted into column total"),
        ("CREATE TABLE web.twin LIKE web.daily_v1 AS SELECT 1", 1, "number of columns in the LIKE table"),
        ("DELETE FROM web.daily_v1", 1, "DELETE must have a WHERE clause"),
        ("\nCALL web.load_day('2025-01-01')", 2, "No matching signature for function proj-one.web.load_day"),
        ("DECLARE s STRING;\nCALL web.load_day('2025-01-01', s)", 2, "No matching signature"),
        ("\nEXECUTE IMMEDIATE 'SELECT ? + ?' USING 1", 2, "positional_2"),
        ("\nEXECUTE IMMEDIATE 'SELECT nothing'", 2, "in the text of EXECUTE IMMEDIATE: Unrecognized name: nothing"),
        ("CREATE PROCEDURE web.p(a INT64) BEGIN\nSELECT nothing; END", 2, "Unrecognized name: nothing"),
        ("SELECT 1;\nEND", 2, "END"),
        ("IF TRUE THEN SELECT 1;", 1, "Syntax error"),
        (" -- nothing", 0, "there is no statement"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_script(engine: GoogleSql, sql: str, line: int, message: str) -> None:
    problem = engine.analyze(sql, SCHEMAS, {}, (LOADING,)).problem
    assert problem
    assert message in problem.message
    assert problem.line == line


def test_a_text_that_is_made_while_the_script_runs_is_not_known(engine: GoogleSql) -> None:
    sql = "DECLARE t STRING DEFAULT 'x';\nEXECUTE IMMEDIATE CONCAT('SELECT * FROM ', t)"
    with pytest.raises(Unavailable, match="the text of EXECUTE IMMEDIATE in line 2, column 1 is known only when"):
        engine.analyze(sql, {}, {})
    problem = engine.analyze(f"{sql}; SELECT nothing", {}, {}).problem
    assert problem
    assert "nothing" in problem.message


@pytest.mark.parametrize(
    "sql", ["LOAD DATA INTO a.b FROM FILES (format = 'CSV', uris = ['x'])", "SET @@dataset_id = 'x'"]
)
def test_what_it_cannot_judge_is_said(engine: GoogleSql, sql: str) -> None:
    with pytest.raises(Unsupported):
        engine.analyze(sql, {}, {})


def test_lineage_goes_through_tables_that_the_script_makes(engine: GoogleSql) -> None:
    sql = (
        "CREATE TEMP TABLE t AS SELECT n AS m, COUNT(*) AS c FROM web.visits_v1 GROUP BY n; SELECT m, c + m AS s FROM t"
    )
    found = engine.analyze(sql, SCHEMAS, {}).lineage
    assert (found["m"].kind, found["m"].sources) == ("copied", ((VISITS, "n"),))
    assert (found["s"].kind, found["s"].sources) == ("aggregated", ((VISITS, "n"),))


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT * FROM t, `proj-one.a.b`, _SESSION.t", "proj-one.a.b"),
        ("CREATE OR REPLACE TABLE a.b AS SELECT * FROM a.b; SELECT * FROM a.b, a.c", "a.b a.c"),
        (
            "FOR r IN (SELECT * FROM a.b) DO IF (SELECT TRUE FROM a.c) THEN SELECT 1 FROM a.d; END IF; END FOR",
            "a.b a.c a.d",
        ),
        ("CREATE PROCEDURE a.p() BEGIN DECLARE x DEFAULT (SELECT 1 FROM a.b); SELECT * FROM a.c; END", "a.b a.c"),
        ("INSERT INTO a.b SELECT * FROM a.c", "a.b a.c"),
        ("ALTER TABLE a.b ADD COLUMN c INT64", "a.b"),
        (
            "BEGIN SELECT 1 FROM a.b; EXCEPTION WHEN ERROR THEN RAISE USING MESSAGE = (SELECT x FROM a.c); END",
            "a.b a.c",
        ),
    ],
)
def test_references_of_scripts(engine: GoogleSql, sql: str, names: str) -> None:
    assert " ".join(str(name) for name in engine.references(sql)) == names


def test_references_of_a_broken_script(engine: GoogleSql) -> None:
    with pytest.raises(InvalidInput, match="Syntax error"):
        engine.references("IF TRUE THEN SELECT 1")
