"""Scripts and changes of rows: what the tables hold afterwards, what fails, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.merge import merge_of
from etl_orchestrator.errors import EngineCrashed, Unsupported
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, Routine, TableData

_STOCK = TableRef("a-project", "shop", "stock_v1")
_ROWS = TableData(
    (Field("item", "STRING"), Field("n", "INTEGER"), Field("tags", "STRING", "REPEATED")),
    ({"item": "tea", "n": 5, "tags": ["hot"]}, {"item": "pie", "n": 2}, {"item": "jam", "n": None}),
)


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def left(engine: GoogleSql, sql: str, routines: Sequence[Routine] = (), **parameters: ParameterValue) -> list[Any]:
    """Item and number of each row of the stock behind the script."""
    result = engine.run_script(sql, {_STOCK: _ROWS}, parameters, routines)
    assert result.rows.problem is None
    data = result.tables[_STOCK]
    assert isinstance(data, TableData)
    return [(row["item"], row["n"]) for row in data.rows]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO `a-project.shop.stock_v1` (item) VALUES ('fig')", [("tea", 5), ("pie", 2), ("jam", None), ("fig", None)]),
        ("UPDATE shop.stock_v1 SET n = 7, item = UPPER(item) WHERE stock_v1.n = 5", [("TEA", 7), ("pie", 2), ("jam", None)]),
        ("UPDATE shop.stock_v1 s SET s.tags = ['x'], n = 1 WHERE ARRAY_LENGTH(tags) = 0", [("tea", 5), ("pie", 1), ("jam", 1)]),
        ("DELETE shop.stock_v1 WHERE n IS NULL; DELETE shop.stock_v1 WHERE n > 4", [("pie", 2)]),
        ("TRUNCATE TABLE shop.stock_v1", []),
        (
            "MERGE shop.stock_v1 USING (SELECT 'tea' AS item, 1 AS m UNION ALL SELECT 'nut', 2) AS s "
            "ON stock_v1.item = s.item WHEN MATCHED AND CASE WHEN m = 1 THEN TRUE END THEN DELETE "
            "WHEN NOT MATCHED BY TARGET THEN INSERT (item, n, tags) VALUES (s.item, m * 2, DEFAULT) "
            "WHEN NOT MATCHED BY SOURCE AND n IS NULL THEN UPDATE SET n = 0",
            [("pie", 2), ("jam", 0), ("nut", 4)],
        ),
        ("BEGIN DELETE shop.stock_v1 WHERE item = @name; END", [("tea", 5), ("jam", None)]),
        ("CREATE OR REPLACE TABLE shop.stock_v1 AS SELECT 'one' AS item, 1 AS n", [("one", 1)]),
    ],
)  # fmt: skip
def test_tables_are_left_as_the_script_leaves_them(engine: GoogleSql, sql: str, expected: list[Any]) -> None:
    assert left(engine, sql, name=ParameterValue("STRING", "pie")) == expected


def test_a_script_changes_nothing_outside(engine: GoogleSql) -> None:
    before = list(_ROWS.rows)
    left(engine, "DELETE shop.stock_v1 WHERE TRUE; CREATE TABLE shop.other (a INT64)")
    assert list(_ROWS.rows) == before
    assert engine.run("SELECT COUNT(*) AS c FROM shop.stock_v1", {_STOCK: _ROWS}, {}).rows == ((3,),)


def test_procedures_functions_and_blocks(engine: GoogleSql) -> None:
    procedure = Routine(
        TableRef("a-project", "fn", "sell"),
        "CREATE PROCEDURE fn.sell(name STRING, OUT rest INT64) BEGIN "
        "UPDATE shop.stock_v1 SET n = n - 1 WHERE item = name; SET rest = (SELECT n FROM shop.stock_v1 WHERE item = name); "
        "END",
    )
    sql = """
        DECLARE rest INT64;
        CREATE TEMP FUNCTION half(x INT64) AS (DIV(x, 2));
        BEGIN
          DECLARE names ARRAY<STRING> DEFAULT ['tea', 'pie'];
          FOR each IN (SELECT name FROM UNNEST(names) AS name ORDER BY name) DO
            CALL fn.sell(each.name, rest);
            IF rest < 2 THEN UPDATE shop.stock_v1 SET n = half(100) WHERE item = each.name; END IF;
          END FOR;
        END;
    """
    assert left(engine, sql, [procedure]) == [("tea", 4), ("pie", 50), ("jam", None)]


@pytest.mark.parametrize(
    ("sql", "message", "line"),
    [
        ("SELECT 1 AS a;\nSELECT nothing", "Unrecognized name: nothing", 2),
        ("SELECT 1 AS a;\n\nEND", "begins no statement", 3),
        ("INSERT INTO shop.stock_v1 (item, n) VALUES ('a', 'b')", "STRING", 1),
        ("SET x = 1", "Undeclared variable: x", 0),
        ("DECLARE x DATE DEFAULT 1", "", 0),
        ("CREATE TABLE shop.stock_v1 AS SELECT 1 AS a", "Already Exists", 0),
        ("CREATE TABLE shop.made AS SELECT 1", "must be named", 0),
        ("DROP TABLE shop.made", "Not found", 0),
        ("CALL fn.nothing()", "Procedure not found", 0),
        ("BEGIN SELECT ERROR('a') AS e; EXCEPTION WHEN ERROR THEN RAISE; END", "a", 0),
    ],
)
def test_a_script_that_fails(engine: GoogleSql, sql: str, message: str, line: int) -> None:
    result = engine.run_script(sql, {_STOCK: _ROWS}, {})
    assert result.rows.problem is not None
    assert message in result.rows.problem.message
    assert not line or result.rows.problem.line == line
    assert result.tables == {}


def test_what_scripts_cannot_do_here_is_named(engine: GoogleSql) -> None:
    with pytest.raises(Unsupported, match="EXPORT DATA"):
        engine.run("EXPORT DATA OPTIONS (uri = 'gs://a/*.csv') AS SELECT 1 AS a; SELECT 2 AS b", {}, {})


def test_a_script_without_end_is_stopped() -> None:
    with pytest.raises(EngineCrashed, match="did not end within 1 s"):
        GoogleSql(seconds=1).run("DECLARE x INT64 DEFAULT 0; LOOP SET x = x + 1; END LOOP", {}, {})


def test_a_merge_in_parts() -> None:
    merge = merge_of("MERGE INTO t AS `x` USING s AS y ON x.a = y.a WHEN MATCHED AND y.b THEN UPDATE SET c = y.c")
    assert (merge.table, merge.target, merge.source, merge.condition) == ("t", "t AS `x`", "s AS y", "x.a = y.a")
    assert [(clause.kind, clause.condition, clause.action, clause.rest) for clause in merge.clauses] == [
        ("MATCHED", "y.b", "UPDATE", "SET c = y.c")
    ]
