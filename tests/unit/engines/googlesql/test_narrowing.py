"""Wide schemas are narrowed to what a query can mean, and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.narrowing import narrowed, narrowed_rows
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.table import walk as walk_fields
from etl_orchestrator.tools import TableData

PINGS = TableRef("acme-data", "app_stable", "pings_v1")
DAYS = TableRef("acme-data", "app_derived", "days_v1")


def _many(prefix: str, count: int = 60) -> tuple[Field, ...]:
    return tuple(Field(f"{prefix}_{number}", "INTEGER") for number in range(count))


WIDE: Schema = (
    Field("client_id", "STRING"),
    Field("day", "DATE"),
    Field("payload", "JSON"),
    Field(
        "metrics",
        "RECORD",
        fields=(
            Field("counter", "RECORD", fields=(Field("clicks", "INTEGER"), *_many("counter"))),
            Field("labels", "RECORD", "REPEATED", fields=(Field("key", "STRING"), Field("value", "INTEGER"))),
            Field("text", "RECORD", fields=_many("text")),
        ),
    ),
    *_many("column", 40),
)
FEW: Schema = (Field("day", "DATE"), Field("number", "INTEGER"))


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def _left(sql: str, schema: Schema = WIDE) -> list[str]:
    found = narrowed(sql, {PINGS: schema, DAYS: FEW})
    if found is None:
        return ALL
    assert found.schemas[DAYS] is FEW
    return [path for path, _ in walk_fields(found.restored(found.schemas[PINGS]))]


ALL = [path for path, _ in walk_fields(WIDE)]
NARROW = {
    "named columns": (
        "SELECT client_id, COUNT(*) AS n, 2 * COUNT(*) AS m FROM `acme-data.app_stable.pings_v1` GROUP BY client_id",
        ["client_id"],
    ),
    "the way to a field of a struct": (
        "SELECT SUM(p.metrics.counter.clicks) FROM `acme-data`.app_stable.pings_v1 AS p WHERE p.day = '2026-01-01'",
        ["day", "metrics", "metrics.counter", "metrics.counter.clicks"],
    ),
    "an array of structs is left whole": (
        "SELECT l.key FROM app_stable.pings_v1, UNNEST(metrics.labels) AS l",
        ["metrics", "metrics.labels", "metrics.labels.key", "metrics.labels.value"],
    ),
    "a star of which only names are used": (
        "WITH base AS (SELECT *, DATE(day) AS d FROM app_stable.pings_v1 WHERE day IS NOT NULL)"
        " SELECT client_id, ANY_VALUE(d) AS d FROM base AS b GROUP BY client_id",
        ["client_id", "day"],
    ),
    "a star through two CTEs": (
        "WITH a AS (SELECT * FROM app_stable.pings_v1), b AS (SELECT * EXCEPT (day) FROM a) SELECT client_id FROM b",
        ["client_id", "day"],
    ),
    "a star of another table": (
        "SELECT d.* FROM app_derived.days_v1 AS d WHERE d.day IN (SELECT day FROM app_stable.pings_v1)",
        ["day"],
    ),
    "the star of an expression, and a name given anew": (
        "WITH a AS (SELECT * FROM app_stable.pings_v1),"
        " b AS (SELECT (SELECT AS STRUCT 1 AS one, 2 AS two).*, [metrics.counter.clicks] AS metrics FROM a GROUP BY 3)"
        " SELECT m, one FROM b, UNNEST(metrics) AS m",
        ["metrics", "metrics.counter", "metrics.counter.clicks"],
    ),
    "a field of the name of a keyword": (
        "SELECT client_id FROM app_stable.pings_v1 WHERE metrics.update IS NULL",
        ["client_id", "metrics", *(path for path in ALL if path.startswith("metrics."))],
    ),
}
WHOLE = {
    "a star": "SELECT * FROM app_stable.pings_v1",
    "the star of an alias": "SELECT p.* FROM app_stable.pings_v1 AS p JOIN app_derived.days_v1 AS d USING (day)",
    "a star in a CTE that is selected whole": "WITH a AS (SELECT * FROM app_stable.pings_v1) SELECT * FROM a",
    "a star in a subquery": "SELECT client_id FROM (SELECT * FROM app_stable.pings_v1)",
    "distinct rows": "WITH a AS (SELECT DISTINCT * FROM app_stable.pings_v1) SELECT client_id FROM a",
    "a union": (
        "WITH a AS (SELECT * FROM app_stable.pings_v1 UNION ALL SELECT * FROM app_stable.pings_v1) SELECT client_id FROM a"
    ),
    "a star that is grouped": (
        "WITH a AS (SELECT * FROM app_stable.pings_v1 GROUP BY client_id) SELECT client_id FROM a"
    ),
    "a row as a value": "SELECT TO_JSON_STRING(p) FROM app_stable.pings_v1 AS p",
    "a row of the table's name as a value": "SELECT TO_JSON_STRING(pings_v1) FROM app_stable.pings_v1",
    "a row of a CTE as a value": "WITH a AS (SELECT * FROM app_stable.pings_v1) SELECT TO_JSON_STRING(a) FROM a",
    "pivot": "SELECT client_id FROM app_stable.pings_v1 PIVOT (SUM(column_1) FOR day IN ('2026-01-01'))",
    "pipes": "FROM app_stable.pings_v1 |> WHERE day IS NULL",
    "a change": "INSERT app_stable.pings_v1 (client_id) SELECT client_id FROM app_stable.pings_v1",
    "two CTEs of one name": (
        "WITH a AS (SELECT * FROM app_stable.pings_v1) SELECT client_id FROM a"
        " WHERE EXISTS (WITH a AS (SELECT 1 AS x) SELECT x FROM a)"
    ),
    "a text that does not end": "SELECT 'client_id FROM app_stable.pings_v1",
}


@pytest.mark.parametrize(("sql", "left"), NARROW.values(), ids=NARROW)
def test_what_the_text_does_not_name_is_left_out(sql: str, left: list[str]) -> None:
    assert _left(sql) == left


@pytest.mark.parametrize("sql", WHOLE.values(), ids=WHOLE)
def test_a_table_whose_columns_count_unnamed_is_left_whole(sql: str) -> None:
    assert _left(sql) == ALL


def test_few_fields_are_not_worth_the_trouble() -> None:
    assert narrowed("SELECT day FROM app_derived.days_v1", {DAYS: FEW}) is None


@pytest.mark.parametrize("sql", [sql for sql, _ in NARROW.values() if "update" not in sql] + list(WHOLE.values()))
def test_the_engine_says_the_same_of_both(engine: GoogleSql, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = {PINGS: WIDE, DAYS: FEW}
    narrow = engine.analyze(sql, schemas, {})
    lineage = dict(narrow.lineage)
    with monkeypatch.context() as patched:
        patched.setattr("etl_orchestrator.engines.googlesql.engine.narrowed", lambda sql, schemas: None)
        whole = GoogleSql().analyze(sql, schemas, {})
    assert (narrow.columns, narrow.tables, narrow.problem) == (whole.columns, whole.tables, whole.problem)
    assert lineage == dict(whole.lineage)


def test_a_refusal_tells_the_nearest_name_of_the_whole_schema(engine: GoogleSql) -> None:
    problem = engine.analyze("SELECT colum_7 FROM app_stable.pings_v1", {PINGS: WIDE}, {}).problem
    assert problem is not None
    assert "column_7" in problem.message


def test_what_a_star_hands_on_unnamed_is_small_on_the_way_and_whole_in_the_end(engine: GoogleSql) -> None:
    sql = "SELECT * EXCEPT (payload) FROM app_stable.pings_v1"
    found = narrowed(sql, {PINGS: WIDE})
    assert found is not None
    assert len(walk_fields(found.schemas[PINGS])) < len(ALL) / 2
    columns = engine.analyze(sql, {PINGS: WIDE}, {}).columns
    assert columns == tuple(column for column in WIDE if column.name != "payload")


OTHER = TableRef("acme-data", "app_stable", "other_v1")


def _with_metrics(*more: Field) -> Schema:
    return tuple(replace(f, fields=(*f.fields, *more)) if f.name == "metrics" else f for f in WIDE)


@pytest.mark.parametrize(
    ("schema", "accepted"),
    [(WIDE, True), (_with_metrics(Field("more", "INTEGER")), False)],
    ids=["equal structs", "another field"],
)
def test_only_equal_structs_go_together(engine: GoogleSql, schema: Schema, accepted: bool) -> None:
    sql = "SELECT * FROM app_stable.pings_v1 UNION ALL SELECT * FROM app_stable.other_v1"
    found = engine.analyze(sql, {PINGS: WIDE, OTHER: schema}, {})
    assert (found.problem is None) is accepted
    assert not accepted or found.columns == WIDE


def test_rows_are_run_with_the_fields_that_the_query_may_mean(engine: GoogleSql) -> None:
    sql = "SELECT SUM(p.metrics.counter.clicks) AS clicks, COUNT(*) AS n FROM app_stable.pings_v1 AS p"
    rows = ({"client_id": "a", "metrics": {"counter": {"clicks": 2, "counter_7": 1}, "labels": []}}, {"column_3": 1})
    data = TableData(WIDE, rows)
    narrow = narrowed_rows(sql, {PINGS: data})[PINGS]
    assert [path for path, _ in walk_fields(narrow.schema)] == ["metrics", "metrics.counter", "metrics.counter.clicks"]
    assert narrow.rows == ({"metrics": {"counter": {"clicks": 2}}}, {})
    assert engine.run(sql, {PINGS: data}, {}).rows == ((2, 2),)
