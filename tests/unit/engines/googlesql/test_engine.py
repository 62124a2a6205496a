"""The engine itself: names, problems with their place, lineage, refusals."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, Analyzer, ParameterValue, Runner, TableData, Value

CLIENTS = TableRef("proj-one", "telemetry", "clients_v1")
COUNTRIES = TableRef("proj-one", "static", "countries_v1")
EXTRA = Field("extra", "RECORD", "REPEATED", None, (Field("key", "STRING"), Field("value", "STRING")))
SCHEMAS: dict[TableRef, Schema] = {
    CLIENTS: (
        Field("day", "DATE"),
        Field("client", "STRING"),
        Field("n", "INTEGER"),
        Field("events", "RECORD", "REPEATED", None, (Field("name", "STRING"), EXTRA)),
        Field("geo", "RECORD", fields=(Field("country", "STRING"),)),
    ),
    COUNTRIES: (Field("code", "STRING"), Field("name", "STRING")),
}


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def analyzed(engine: GoogleSql, sql: str, **parameters: str) -> Analysis:
    analysis = engine.analyze(sql, SCHEMAS, parameters)
    assert analysis.problem is None, analysis.problem
    return analysis


def lineage(engine: GoogleSql, sql: str, **parameters: str) -> dict[str, str]:
    found = analyzed(engine, sql, **parameters).lineage
    return {
        name: " ".join([made.kind, *(f"{table.name}.{column}" for table, column in made.sources)])
        for name, made in found.items()
    }


def test_it_plays_both_roles(engine: GoogleSql) -> None:
    analyzer: Analyzer = engine
    runner: Runner = engine
    assert analyzer.name == runner.name == "googlesql"


@pytest.mark.parametrize(
    "table",
    [
        "`proj-one.telemetry.clients_v1`", "proj-one.telemetry.clients_v1", "`proj-one`.telemetry.clients_v1",
        "`proj-one.telemetry`.clients_v1", "telemetry.clients_v1", "`telemetry.clients_v1`",
    ],
)  # fmt: skip
def test_a_table_is_found_by_all_its_names(engine: GoogleSql, table: str) -> None:
    analysis = analyzed(engine, f"SELECT clients_v1.n FROM {table}")
    assert analysis.columns == (Field("n", "INTEGER"),)
    assert analysis.tables == (CLIENTS,)


def test_a_short_name_of_two_tables_is_none(engine: GoogleSql) -> None:
    schemas = {CLIENTS: SCHEMAS[CLIENTS], TableRef("proj-two", "telemetry", "clients_v1"): SCHEMAS[CLIENTS]}
    problem = engine.analyze("SELECT n FROM telemetry.clients_v1", schemas, {}).problem
    assert problem
    assert "not found" in problem.message


def test_output_types_modes_and_nested_fields(engine: GoogleSql) -> None:
    columns = analyzed(engine, "SELECT day, events, geo, COUNT(*) OVER () FROM telemetry.clients_v1").columns
    assert columns == (SCHEMAS[CLIENTS][0], *SCHEMAS[CLIENTS][3:], Field("f0_", "INTEGER"))


@pytest.mark.parametrize(
    ("sql", "line", "column", "message"),
    [
        ("SELECT clien\nFROM telemetry.clients_v1", 1, 8, "Unrecognized name: clien; Did you mean client?"),
        ("SELECT n\nFROM `proj-one.telemetry.clients_v1` WHERE\n\tn = 'x'", 3, 2, "No matching signature for operator ="),
        ("SELECT n FROM `proj-one.telemetry.clients_v1` WHERE m = 1", 1, 53, "Unrecognized name: m"),
        ("SELECT 'é' AS a, m FROM telemetry.clients_v1", 1, 18, "Unrecognized name: m"),
        ("SELECT n FROM `proj-one.telemetry.clients_v2`", 1, 15, "Did you mean proj-one.telemetry.clients_v1?"),
        ("SELECT n FROM `proj-one.telemetry.Clients_v1`", 1, 15, "Did you mean proj-one.telemetry.clients_v1?"),
        ("SELECT SUBSTR(n, day) FROM telemetry.clients_v1", 1, 8, "Argument types: INT64, DATE"),
        ("SELECT n FROM telemetry.clients_v1 WHERE", 1, 41, "Unexpected end"),
        ("SELECT @day AS day", 1, 8, "'day' not found"),
        ("SELECT n, client AS N FROM telemetry.clients_v1", 1, 21, "Duplicate column name"),
        ("SELECT MAX_BY(n, day) OVER () FROM telemetry.clients_v1", 1, 8, "MAX_BY does not support"),
    ],
)  # fmt: skip
def test_problems_say_what_and_where(engine: GoogleSql, sql: str, line: int, column: int, message: str) -> None:
    problem = engine.analyze(sql, SCHEMAS, {}).problem
    assert problem
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message
    assert "TEMPLATED" not in problem.message
    assert len(problem.message.splitlines()) <= 2


def test_what_is_not_grouped_everywhere_is_in_its_place(engine: GoogleSql) -> None:
    grouped = "SELECT geo, events, COUNT(DISTINCT n) AS c FROM telemetry.clients_v1 GROUP BY geo, events"
    distinct = "SELECT DISTINCT geo, events FROM telemetry.clients_v1"
    for sql in (
        grouped,
        distinct,
        "SELECT RANK() OVER (PARTITION BY geo.country ORDER BY n) AS r FROM telemetry.clients_v1",
    ):
        assert engine.analyze(sql, SCHEMAS, {}).problem is None
    problem = engine.analyze(
        "SELECT\n  'é' AS e,\n  COUNT(DISTINCT geo) AS c\nFROM telemetry.clients_v1", SCHEMAS, {}
    ).problem
    assert problem
    assert (problem.line, problem.column) == (3, 3)


def test_with_a_problem_the_tables_may_still_be_known(engine: GoogleSql) -> None:
    analysis = engine.analyze("SELECT nope FROM telemetry.clients_v1, `other-proj.a.b`", SCHEMAS, {})
    assert analysis.tables == (TableRef("other-proj", "a", "b"), CLIENTS)
    assert analysis.columns == ()


def test_parameters_are_typed(engine: GoogleSql) -> None:
    sql = "SELECT n FROM telemetry.clients_v1 WHERE day = @day AND client IN UNNEST(@clients)"
    analyzed(engine, sql, day="DATE", clients="ARRAY<STRING>")
    problem = engine.analyze(sql, SCHEMAS, {"day": "INT64", "clients": "ARRAY<STRING>"}).problem
    assert problem
    assert "INT64" in problem.message


@pytest.mark.parametrize(
    ("sql", "made"),
    [
        ("SELECT n FROM telemetry.clients_v1", {"n": "copied clients_v1.n"}),
        ("SELECT n + 1 AS m, 1 AS one, @p AS p FROM telemetry.clients_v1", {"m": "computed clients_v1.n", "one": "constant", "p": "constant"}),
        ("SELECT client, SUM(n) AS s, COUNT(*) AS c, SUM(n) / COUNT(*) AS a FROM telemetry.clients_v1 GROUP BY client",
         {"client": "copied clients_v1.client", "s": "aggregated clients_v1.n", "c": "aggregated", "a": "aggregated clients_v1.n"}),
        ("WITH a AS (SELECT n AS x FROM telemetry.clients_v1), b AS (SELECT x AS y FROM a) SELECT y FROM b", {"y": "copied clients_v1.n"}),
        ("SELECT geo.country FROM telemetry.clients_v1", {"country": "copied clients_v1.geo.country"}),
        ("SELECT e.name, x.value FROM telemetry.clients_v1, UNNEST(events) AS e, e.extra AS x",
         {"name": "copied clients_v1.events.name", "value": "copied clients_v1.events.extra.value"}),
        ("SELECT s.a.b AS b, s.c FROM (SELECT STRUCT(STRUCT(n AS b) AS a, client AS c) AS s FROM telemetry.clients_v1)",
         {"b": "copied clients_v1.n", "c": "copied clients_v1.client"}),
        ("SELECT client AS x FROM telemetry.clients_v1 UNION ALL SELECT code FROM static.countries_v1",
         {"x": "copied clients_v1.client countries_v1.code"}),
        ("SELECT IF(name IS NULL, client, name) AS x FROM telemetry.clients_v1 JOIN static.countries_v1 ON code = geo.country",
         {"x": "computed countries_v1.name clients_v1.client"}),
        ("WITH RECURSIVE r AS (SELECT client, 1 AS k FROM telemetry.clients_v1 UNION ALL SELECT client, k + 1 FROM r WHERE k < 3) SELECT * FROM r",
         {"client": "copied clients_v1.client", "k": "computed"}),
        ("SELECT a.m FROM UNNEST((SELECT ARRAY_AGG(STRUCT(n AS m)) FROM telemetry.clients_v1)) AS a", {"m": "aggregated clients_v1.n"}),
        ("SELECT SUM(n) OVER (PARTITION BY client) AS s, RANK() OVER (ORDER BY n) AS r FROM telemetry.clients_v1",
         {"s": "computed clients_v1.n", "r": "computed"}),
        ("SELECT * FROM (SELECT client, n FROM telemetry.clients_v1) PIVOT (SUM(n) FOR client IN ('a'))", {"a": "aggregated clients_v1.n clients_v1.client"}),
        ("SELECT k, v FROM (SELECT client, geo.country FROM telemetry.clients_v1) UNPIVOT (v FOR k IN (client, country))",
         {"k": "constant", "v": "copied clients_v1.client clients_v1.geo.country"}),
        ("SELECT (SELECT MAX(name) FROM static.countries_v1) AS m, CURRENT_DATE() AS d", {"m": "aggregated countries_v1.name", "d": "computed"}),
        ("SELECT AS STRUCT n, client AS c FROM telemetry.clients_v1", {"n": "copied clients_v1.n", "c": "copied clients_v1.client"}),
        ("SELECT IF(a.n = 1, a, b).client, (CASE a.n WHEN 1 THEN a ELSE b END).day, COALESCE(a, b).geo.country AS c"
         " FROM telemetry.clients_v1 AS a FULL JOIN telemetry.clients_v1 AS b USING (client)",
         {"client": "computed clients_v1.client clients_v1.n", "day": "computed clients_v1.day clients_v1.n",
          "c": "computed clients_v1.geo"}),
        ("SELECT (CASE WHEN n = 1 THEN STRUCT(client AS k) WHEN n = 2 THEN STRUCT('x') END).k FROM telemetry.clients_v1",
         {"k": "computed clients_v1.client clients_v1.n"}),
        ("SELECT _PARTITIONTIME AS t FROM telemetry.clients_v1", {"t": "copied clients_v1._PARTITIONTIME"}),
        ("SELECT * FROM telemetry.clients_v1 MATCH_RECOGNIZE (PARTITION BY client ORDER BY day MEASURES MAX(low.n) AS top, MATCH_NUMBER() AS m"
         " PATTERN (low) DEFINE low AS n < 3)",
         {"client": "copied clients_v1.client", "top": "aggregated clients_v1.n", "m": "computed"}),
    ],
)  # fmt: skip
def test_lineage(engine: GoogleSql, sql: str, made: dict[str, str]) -> None:
    assert lineage(engine, sql, p="DATE") == made


def test_long_chains_are_followed(engine: GoogleSql) -> None:
    assert lineage(engine, f"SELECT {'client || ' * 120}'x' AS s FROM telemetry.clients_v1") == {
        "s": "computed clients_v1.client"
    }
    ctes = ", ".join(f"c{i + 1} AS (SELECT n FROM c{i})" for i in range(60))
    sql = f"WITH c0 AS (SELECT n FROM telemetry.clients_v1), {ctes} SELECT n FROM c60"
    assert lineage(engine, sql) == {"n": "copied clients_v1.n"}


def test_references(engine: GoogleSql) -> None:
    sql = "WITH c AS (SELECT * FROM a.b) SELECT * FROM c, c.items JOIN `proj-one.x.y` JOIN proj-one.x.y USING (k)"
    assert set(engine.references(sql)) == {"a.b", TableRef("proj-one", "x", "y")}
    script = "DECLARE d DATE; INSERT INTO `proj-one.x.z` SELECT * FROM `proj-one.x.day_*`"
    assert set(engine.references(script)) == {TableRef("proj-one", "x", "z"), TableRef("proj-one", "x", "day_*")}
    assert engine.references("SELECT 1") == ()
    with pytest.raises(InvalidInput) as refused:
        engine.references("SELECT FROM")
    assert refused.value.at == "line 1, column 8"


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT proj.functions.tidy(client) AS c FROM telemetry.clients_v1", "routine proj.functions.tidy"),
        ("SELECT `proj-one.functions.tidy`(client) AS c FROM telemetry.clients_v1", "routine proj-one.functions.tidy"),
    ],
)
def test_what_it_cannot_judge_is_no_fault_of_the_query(engine: GoogleSql, sql: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        engine.analyze(sql, SCHEMAS, {})


def test_an_array_of_arrays_is_a_problem(engine: GoogleSql) -> None:
    problem = engine.analyze("SELECT [[1]] AS a", {}, {}).problem
    assert problem
    assert "array" in problem.message


def rows(*found: dict[str, Value]) -> dict[TableRef, TableData]:
    return {CLIENTS: TableData(SCHEMAS[CLIENTS], found)}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"n": "1"}, "`n`"),
        ({"m": 1}, "has no field `m`"),
        ({"events": [{"name": 1}]}, r"events\[0\]\.name"),
        ({"events": [None]}, "NULL"),
        ({"day": datetime(2025, 1, 1)}, "`day`"),
    ],
)
def test_bad_rows_never_reach_the_engine(engine: GoogleSql, row: dict[str, Value], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        engine.run("SELECT 1 AS a", rows({}, row), {})
    assert refused.value.at == f"{CLIENTS}, row 2"


def test_bad_parameters_never_reach_the_engine(engine: GoogleSql) -> None:
    with pytest.raises(InvalidInput, match="day"):
        engine.run("SELECT @day AS d", {}, {"day": ParameterValue("DATE", "2025-01-01")})


def test_the_partition_of_a_row_can_be_given(engine: GoogleSql) -> None:
    given = rows(
        {"n": 1, "_PARTITIONTIME": datetime(2025, 6, 1, tzinfo=UTC)}, {"n": 2, "_PARTITIONDATE": date(2025, 6, 2)}
    )
    result = engine.run("SELECT n, _PARTITIONDATE AS d, _PARTITIONTIME AS t FROM telemetry.clients_v1", given, {})
    assert sorted(result.rows) == [
        (1, date(2025, 6, 1), datetime(2025, 6, 1, tzinfo=UTC)),
        (2, date(2025, 6, 2), datetime(2025, 6, 2, tzinfo=UTC)),
    ]


def test_a_wildcard_table_can_be_given_whole(engine: GoogleSql) -> None:
    days = TableRef("proj-one", "logs", "day_*")
    table = {days: TableData((Field("n", "INTEGER"),), ({"n": 1, "_TABLE_SUFFIX": "20250601"},))}
    sql = "SELECT n, _TABLE_SUFFIX AS s FROM `proj-one.logs.day_*`"
    assert engine.run(sql, table, {}).rows == ((1, "20250601"),)
    assert engine.analyze(sql, {days: (Field("n", "INTEGER"),)}, {}).tables == (days,)


def test_the_clock_is_what_it_was_told() -> None:
    sql = "SELECT CURRENT_TIMESTAMP() AS t, CURRENT_DATE('Asia/Tokyo') AS d"
    moment = datetime(2031, 2, 3, 22, 0, 0, 5, tzinfo=UTC)
    assert GoogleSql(now=moment).run(sql, {}, {}).rows == ((moment, date(2031, 2, 4)),)


def test_the_same_rows_are_not_kept_for_other_rows(engine: GoogleSql) -> None:
    sql = "SELECT SUM(n) AS s FROM telemetry.clients_v1"
    assert [engine.run(sql, rows({"n": n}), {}).rows for n in (1, 2, 1)] == [((1,),), ((2,),), ((1,),)]


def test_more_schemas_than_are_kept(engine: GoogleSql) -> None:
    for number in range(20):
        table = TableRef("proj-one", "many", f"t{number}")
        assert engine.analyze(f"SELECT a FROM many.t{number}", {table: (Field("a", "DATE"),)}, {}).columns
        assert engine.run(
            "SELECT COUNT(*) AS c FROM " + table.name.join(("many.", "")), {table: TableData(())}, {}
        ).rows


def test_threads_take_turns(engine: GoogleSql) -> None:
    found: dict[int, object] = {}

    def work(number: int) -> None:
        found[number] = engine.run(f"SELECT {number} AS a", {}, {}).rows

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ((number,),) for number in range(6)}


def test_a_column_called_like_its_table_is_meant_where_the_table_has_no_alias(engine: GoogleSql) -> None:
    table = TableRef("acme-data", "shop", "events")
    schema = (Field("events", "RECORD", "REPEATED", fields=(Field("name", "STRING"),)), Field("day", "DATE"))
    for sql in (
        "SELECT e.name, day FROM `acme-data.shop.events`, UNNEST(events) AS e",
        "SELECT events.name, day FROM `acme-data.shop.events` CROSS JOIN UNNEST(events) AS events",
        "SELECT e.name, t.day FROM `acme-data.shop.events` AS t, UNNEST(t.events) AS e",
    ):
        analysis = engine.analyze(sql, {table: schema}, {})
        assert analysis.problem is None, analysis.problem
        assert [column.type for column in analysis.columns] == ["STRING", "DATE"]
        assert analysis.tables == (table,)


def test_a_table_with_a_column_of_its_own_name_gives_way_to_it(engine: GoogleSql) -> None:
    events = TableRef("proj-one", "app", "events")
    schemas = {events: (Field("day", "DATE"), Field("events", "STRING", "REPEATED"))}
    for sql in (
        "SELECT e FROM `proj-one.app.events` CROSS JOIN UNNEST(events) AS e WHERE day > '2025-01-01'",
        "SELECT e FROM `app.events`, UNNEST(events) AS e",
    ):
        assert engine.analyze(sql, schemas, {}).columns == (Field("e", "STRING"),)
    rows = engine.run(
        "SELECT e FROM `proj-one.app.events`, UNNEST(events) AS e",
        {events: TableData(schemas[events], ({"events": ["a", "b"]},))},
        {},
    )
    assert rows.rows == (("a",), ("b",))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1 AS a, a + 1 AS b", "Unrecognized name: a"),
        ("SELECT [1] = [1] AS a", "Equality is not defined"),
        ("SELECT x FROM (SELECT [1] AS x) ORDER BY x", "ORDER BY"),
        ("SELECT n, day FROM telemetry.clients_v1 GROUP BY n", "neither grouped nor aggregated"),
        ("SELECT n FROM telemetry.clients_v1 AS a, telemetry.clients_v1 AS b", "ambiguous"),
        ("SELECT n = '1' AS a FROM telemetry.clients_v1", "No matching signature for operator ="),
        ("SELECT n FROM telemetry.clients_v1 WHERE SUM(n) > 1", "Aggregate function SUM not allowed in WHERE"),
        ("SELECT n FROM telemetry.clients_v1 WHERE ROW_NUMBER() OVER () = 1", "Analytic function not allowed in WHERE"),
        ("SELECT n FROM telemetry.clients_v1 UNION ALL SELECT client FROM telemetry.clients_v1", "incompatible types"),
        ("SELECT * EXCEPT (nothing) FROM telemetry.clients_v1", "nothing"),
        ("SELECT n FROM telemetry.clients_v1 JOIN static.countries_v1", "JOIN"),
        ("SELECT CAST(day AS INT64) AS a FROM telemetry.clients_v1", "Invalid cast"),
        ("SELECT CASE WHEN TRUE THEN n ELSE client END AS a FROM telemetry.clients_v1", "No matching signature for operator CASE"),
        ("SELECT n FROM telemetry.clients_v1 WHERE n IN ('a')", "No matching signature for operator IN"),
        ("SELECT DISTINCT n FROM telemetry.clients_v1 ORDER BY day", "day"),
        ("SELECT n FROM telemetry.clients_v1 GROUP BY 1 HAVING day > '2025-01-01'", "day"),
        ("SELECT n FROM telemetry.clients_v1 LIMIT n", "Unrecognized name: n"),
        ("SELECT COUNT(DISTINCT geo) AS a FROM telemetry.clients_v1", "with DISTINCT cannot be used with arguments of type STRUCT"),
        ("SELECT ARRAY_AGG(DISTINCT (n, client)) AS a FROM telemetry.clients_v1", "with DISTINCT cannot be used with arguments of type STRUCT"),
        ("SELECT SUM(n) OVER (PARTITION BY day, events) AS a FROM telemetry.clients_v1", "Partitioning by expressions of type ARRAY is not allowed"),
    ],
)  # fmt: skip
def test_what_bigquery_refuses_is_refused(engine: GoogleSql, sql: str, message: str) -> None:
    problem = engine.analyze(sql, SCHEMAS, {}).problem
    assert problem
    assert message in problem.message


LEFT_OUT = (
    "APPROX_COSINE_DISTANCE", "APPROX_DOT_PRODUCT", "APPROX_EUCLIDEAN_DISTANCE", "ARRAY_AVG", "ARRAY_FILTER",
    "ARRAY_INCLUDES", "ARRAY_INCLUDES_ALL", "ARRAY_INCLUDES_ANY", "ARRAY_IS_DISTINCT", "ARRAY_LAST_N", "ARRAY_MAX",
    "ARRAY_MIN", "ARRAY_SUM", "ARRAY_TRANSFORM", "BOOL_ARRAY", "DOT_PRODUCT", "FLOAT64_ARRAY", "IFERROR",
    "INT64_ARRAY", "ISERROR", "IS_FIRST", "IS_LAST", "JSON_CONTAINS", "LAX_BOOL_ARRAY", "LAX_FLOAT64_ARRAY",
    "LAX_INT64_ARRAY", "LAX_STRING_ARRAY", "NULLIFERROR", "NULLIFZERO", "PI", "PI_BIGNUMERIC", "PI_NUMERIC",
    "REGEXP_EXTRACT_GROUPS", "SAFE_TO_JSON", "SPLIT_SUBSTR", "STRING_ARRAY", "ST_ASKML", "ST_DUMPPOINTS",
    "ST_GEOGFROMKML", "TIMESTAMP_FROM_UNIX_MICROS", "TIMESTAMP_FROM_UNIX_MILLIS", "TIMESTAMP_FROM_UNIX_SECONDS",
    "ZEROIFNULL", "ZSTD_COMPRESS", "ZSTD_DECOMPRESS_TO_BYTES", "ZSTD_DECOMPRESS_TO_STRING",
)  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_functions_that_bigquery_does_not_have_are_not_found(engine: GoogleSql, name: str) -> None:
    analysis = engine.analyze(f"SELECT {name}()", {}, {})
    assert analysis.problem
    assert analysis.problem.message.startswith(f"Function not found: {name}")
    run = engine.run(f"SELECT {name}() AS x", {}, {})
    assert run.problem
    assert run.problem.message.startswith(f"Function not found: {name}")


@pytest.mark.parametrize(
    "call",
    [
        "ARRAY_FIRST([1])", "ARRAY_LAST([1])", "ARRAY_SLICE([1], 0, 0)", "BOOL(JSON 'true')", "LAX_STRING(JSON '1')",
        "JSON_FLATTEN(JSON '1')", "NULLIF(1, 1)", "COSINE_DISTANCE([1.0], [2.0])", "TYPEOF(1)", "REGEXP_SUBSTR('a', 'a')",
        "CHARACTER_LENGTH('a')", "TIMESTAMP_MILLIS(1)", "ST_DUMP(ST_GEOGPOINT(1, 2))", "JSON_EXTRACT('{}', '$')",
        "(SELECT VARIANCE(x) FROM UNNEST([1]) AS x)", "SAFE.ARRAY_FIRST([1])",
    ],
)  # fmt: skip
def test_functions_of_bigquery_stay(engine: GoogleSql, call: str) -> None:
    assert engine.analyze(f"SELECT {call} AS x", {}, {}).problem is None


def test_a_function_left_out_can_be_made(engine: GoogleSql) -> None:
    sql = "CREATE TEMP FUNCTION PI() AS (ACOS(-1)); SELECT ROUND(PI(), 2) AS x"
    assert engine.analyze(sql, {}, {}).problem is None
    assert engine.run(sql, {}, {}).rows == ((3.14,),)


def test_what_the_evaluator_has_for_itself_makes_calls_safe(engine: GoogleSql) -> None:
    sql = "CREATE TEMP FUNCTION half(x INT64) AS (1 / x); SELECT SAFE.half(x) AS y FROM UNNEST([0]) AS x"
    assert engine.run(sql, {}, {}).rows == ((None,),)
