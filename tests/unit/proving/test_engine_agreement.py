"""Our evaluator and Google's reference evaluator give the same answer, for every row, or both refuse."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.grammar import expression
from etl_orchestrator.proving.relations import Block, Item, Machine, Relation
from etl_orchestrator.proving.values import Unknown, UnorderedArray, load
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

TABLE = TableRef("test-project", "d", "t")
SCHEMA = (
    Field("id", "INTEGER"),
    Field("n", "INTEGER"),
    Field("f", "FLOAT"),
    Field("m", "NUMERIC"),
    Field("s", "STRING"),
    Field("b", "BOOLEAN"),
    Field("d", "DATE"),
    Field("ts", "TIMESTAMP"),
    Field("dt", "DATETIME"),
    Field("c", "TIME"),
    Field("tags", "STRING", "REPEATED"),
    Field("items", "RECORD", "REPEATED", fields=(Field("k", "STRING"), Field("v", "INTEGER"))),
    Field("r", "RECORD", fields=(Field("x", "INTEGER"), Field("y", "RECORD", fields=(Field("z", "STRING"),)))),
    Field("j", "STRING"),
    Field("doc", "JSON"),
)
ROWS: tuple[dict[str, Value], ...] = (
    {"id": 1, "n": 7, "f": 2.5, "m": Decimal("1.25"), "s": "Abc-12", "b": True, "d": date(2024, 2, 29),
     "ts": datetime(2024, 2, 29, 23, 59, 59, 999999, UTC), "dt": datetime(2024, 1, 31, 10, 0, 1), "c": time(10, 30),
     "tags": ["a", "b", "a"], "items": [{"k": "one", "v": 1}, {"k": "two", "v": None}],
     "r": {"x": 3, "y": {"z": "deep"}}, "j": '{"a": {"b": [1, "x"]}, "t": true, "n": null}',
     "doc": '{"a": {"b": [1, "x"]}, "s": "text", "i": 5, "t": true}'},
    {"id": 2, "n": -3, "f": -0.75, "m": Decimal("-2"), "s": "  pad ", "b": False, "d": date(2023, 12, 31),
     "ts": datetime(2023, 12, 31, 0, 0, 0, 0, UTC), "dt": datetime(2023, 12, 31, 23, 59, 59), "c": time(0, 0, 0, 5),
     "tags": [], "items": [], "r": None, "j": "no json", "doc": '{"s": null}'},
    {"id": 3, "n": 0, "f": 0.0, "m": Decimal("0"), "s": "", "b": None, "d": date(2024, 12, 30),
     "ts": datetime(2024, 3, 10, 7, 5, 0, 250000, UTC), "dt": None, "c": None, "tags": ["a%c"],
     "items": [{"k": None, "v": 5}, {"k": "one", "v": 2}], "r": {"x": None, "y": None}, "j": "[]"},
    {"id": 4},
)  # fmt: skip
PARAMETERS = {
    "day": ParameterValue("DATE", date(2024, 2, 29)),
    "name": ParameterValue("STRING", "Abc-12"),
    "many": ParameterValue("INT64", 3),
}

LOGIC = """
n = 7 | n <> 7 | n != 0 | n < 0 | n <= 0 | n > f | n >= m | s = 'Abc-12' | s > 'B' | b | NOT b | b = TRUE
b AND n > 0 | b OR n < 0 | NOT b AND NULL | b AND NULL | b OR NULL | NULL AND FALSE | NULL OR TRUE | n IS NULL
n IS NOT NULL | b IS TRUE | b IS NOT TRUE | b IS FALSE | b IS NOT FALSE | n IN (7, 0) | n NOT IN (7, 0) | n IN (7, NULL)
n NOT IN (1, NULL) | s IN ('', 'x') | n BETWEEN -3 AND 0 | n NOT BETWEEN 0 AND 7 | n BETWEEN NULL AND 3
s LIKE 'A%' | s LIKE '%-1_' | s NOT LIKE '%a%' | s LIKE '' | tags[SAFE_OFFSET(0)] LIKE 'a\\\\%c' | 'a' IN UNNEST(tags)
'z' NOT IN UNNEST(tags) | NULL IN UNNEST(tags) | n IS DISTINCT FROM 7 | n IS NOT DISTINCT FROM NULL | n = f * 2 + 2
CASE WHEN n > 0 THEN 'p' WHEN n < 0 THEN 'm' ELSE 'z' END | CASE n WHEN 7 THEN 1 WHEN NULL THEN 2 END
CASE WHEN b THEN 1 WHEN NOT b THEN 2 END | IF(b, n, -n) | IF(n > 0, 'x', NULL) | COALESCE(b, FALSE) | COALESCE(n, 5)
COALESCE(s, 'none') | COALESCE(NULL, n, id) | IFNULL(f, 0) | NULLIF(n, 0) | NULLIF(s, '') | d = '2024-02-29'
d >= '2024-01-01' | ts < '2024-03-01' | ts >= TIMESTAMP '2024-02-29' | d BETWEEN '2024-01-01' AND @day | d = @day
s = @name | n > @many | (n > 0) = b | IF(n = 7, d, DATE '2020-01-02') | b IS NULL OR n IS NULL
r.x = 3 | r.y.z IS NULL | r IS NULL | EXISTS(SELECT 1 FROM UNNEST(tags) AS t WHERE t = 'b') | n + 1 > 7 AND f < 3
(n, id) IN ((7, 1), (0, 3)) | c > '05:00:00' | dt < DATETIME '2024-01-01 00:00:00' | f > m | NOT (n > 0 OR b)
"""
NUMBERS = """
n + 1 | n - 10 | n * n | n / 2 | n / 4 | 7 / n | -n | + n | n * 2.5 | n + f | f * f | f / 0.5 | 1 / f | m + 1 | m * 2
m - m | m / 3 | 2 / m | m * 0 | m / 7 * 7 | m / 2 | m * m | MOD(n, 3) | MOD(-7, 3) | DIV(n, 2) | DIV(-7, 2) | DIV(n, 0) | SAFE_DIVIDE(n, 0)
SAFE_DIVIDE(1, n) | SAFE_DIVIDE(n, 2) | ABS(n) | ABS(f) | ABS(m) | SIGN(n) | SIGN(f) | ROUND(f) | ROUND(2.5)
ROUND(-2.5) | ROUND(f, 1) | ROUND(1.2345, 2) | ROUND(m) | ROUND(m, 1) | FLOOR(f) | CEIL(f) | TRUNC(f) | FLOOR(n)
GREATEST(n, 0) | LEAST(n, id) | GREATEST(1, NULL) | GREATEST(f, n) | SQRT(16) | SQRT(n) | POW(2, 10) | POW(n, 2)
IEEE_DIVIDE(1, 0) | IS_NAN(f) | IS_NAN(IEEE_DIVIDE(0, 0)) | n & 3 | n | 9223372036854775807 + n
-9223372036854775808 - 1 | SAFE_ADD(9223372036854775807, 1) | SAFE_MULTIPLY(n, 2) | SAFE_SUBTRACT(n, 1) | 1e3 | 0.1 + 0.2
5 - -3 | 2 + 3 * 4 - 1 | (2 + 3) * 4 | n - 1 - 2 | 8 / 2 / 2 | ROUND(n / 3, 3) | 100 * n / 7 | IF(n = 0, 0, 1 / n)
IF(n = 0, NULL, 7 / n) | n / n | CAST(n AS FLOAT64) / 0 | SAFE_DIVIDE(f, f) | LN(1) | EXP(0) | LOG10(100)
"""
TEXTS = """
s || 'x' | CONCAT(s, '-', CAST(n AS STRING)) | CONCAT('a', NULL) | LOWER(s) | UPPER(s) | TRIM(s) | LTRIM(s) | RTRIM(s)
TRIM(s, 'A2') | LENGTH(s) | CHAR_LENGTH(s) | SUBSTR(s, 2) | SUBSTR(s, 2, 3) | SUBSTR(s, -2) | SUBSTR(s, 0, 2)
SUBSTR(s, -20, 3) | SUBSTR(s, 20) | SUBSTR(s, 1, -1) | LEFT(s, 3) | RIGHT(s, 2) | RIGHT(s, 0) | LEFT(s, 0)
REPLACE(s, 'A', 'bb') | REPLACE(s, '', 'x') | SPLIT(s, '-') | SPLIT(s) | SPLIT('a,b,,c') | SPLIT(s, '-')[SAFE_OFFSET(1)]
SPLIT('', ',') | STARTS_WITH(s, 'Ab') | ENDS_WITH(s, '12') | STRPOS(s, 'c') | REVERSE(s) | LPAD(s, 8, '*') | RPAD(s, 3)
LPAD('ab', 5, 'xyz') | REGEXP_CONTAINS(s, r'^A.*\\d+$') | REGEXP_CONTAINS(s, 'pad') | REGEXP_CONTAINS(s, r'(?i)ABC')
REGEXP_EXTRACT(s, r'-(\\d+)') | REGEXP_EXTRACT(s, r'[a-z]+') | REGEXP_REPLACE(s, r'\\d', '#')
REGEXP_REPLACE(s, r'([A-Z])([a-z])', r'\\2\\1') | REGEXP_EXTRACT_ALL(s, r'\\d') | TO_HEX(MD5(s)) | TO_HEX(SHA256(s))
TO_HEX(SHA256(CAST(n AS STRING))) | "dq" | 'tab\\t' | r'raw\\n' | '\\\\' | CAST(b AS STRING) | CAST(n AS STRING)
CAST(f AS STRING) | CAST(m AS STRING) | CAST(d AS STRING) | CAST(ts AS STRING) | CAST(dt AS STRING) | CAST(c AS STRING)
CAST(1.0 AS STRING) | CAST(0.1 AS STRING) | CAST(1e14 AS STRING) | CAST('12' AS INT64) | CAST(' 1' AS STRING)
SAFE_CAST(s AS INT64) | SAFE_CAST('x' AS FLOAT64) | CAST('1.5' AS FLOAT64) | CAST(2.5 AS INT64) | CAST(-2.5 AS INT64)
CAST(f AS INT64) | CAST(m AS INT64) | CAST(n AS BOOL) | CAST('true' AS BOOL) | SAFE_CAST('yes' AS BOOL)
CAST(b AS INT64) | CAST('2024-02-29' AS DATE) | SAFE_CAST('2023-02-29' AS DATE) | CAST('x' AS INT64) | CAST(n AS NUMERIC)
CAST(f AS NUMERIC) | CAST('1.5' AS NUMERIC) | CAST(NULL AS STRING) | CAST(n AS FLOAT64) | CAST(ts AS DATE)
CAST(d AS TIMESTAMP) | CAST(ts AS DATETIME) | CAST(dt AS DATE) | CAST('2024-01-02 03:04:05' AS TIMESTAMP)
CAST('2024-01-02 03:04:05+01' AS TIMESTAMP) | CAST(tags AS ARRAY<STRING>) | JSON_VALUE(j, '$.a.b[1]') | JSON_VALUE(j, '$.t')
JSON_VALUE(j, '$.n') | JSON_VALUE(j, '$.a') | JSON_EXTRACT_SCALAR(j, '$.a.b[0]') | CAST(s AS BYTES) | LENGTH(CAST(s AS BYTES))
CAST(CAST('ab' AS BYTES) AS STRING) | JSON_VALUE(doc.s) | JSON_VALUE(doc, '$.i') | LAX_STRING(doc.s) | STRING(doc.s) | INT64(doc.i) | BOOL(doc.t)
JSON_VALUE(doc.a.b[1]) | doc.nothing IS NULL | JSON_VALUE(doc['s']) | LAX_INT64(doc.i) | BYTE_LENGTH('é') | UPPER('é') | SUBSTR('éab', 2, 1)
"""
DATES = """
DATE(ts) | DATE(dt) | DATE(2024, 2, 29) | DATE(2023, 2, 29) | DATE('2024-01-05') | DATE(ts, 'UTC') | TIMESTAMP(d) | TIMESTAMP(dt)
DATETIME(ts) | DATETIME(d) | DATETIME(2024, 1, 2, 3, 4, 5) | DATE_ADD(d, INTERVAL 1 DAY) | DATE_ADD(d, INTERVAL -1 WEEK)
DATE_ADD(d, INTERVAL 1 MONTH) | DATE_ADD(d, INTERVAL 1 QUARTER) | DATE_ADD(d, INTERVAL 1 YEAR) | DATE_SUB(d, INTERVAL 27 DAY)
DATE_SUB(d, INTERVAL 1 MONTH) | DATE_SUB(@day, INTERVAL n DAY) | DATE_DIFF(d, @day, DAY) | DATE_DIFF(d, @day, WEEK)
DATE_DIFF(d, @day, WEEK(MONDAY)) | DATE_DIFF(d, @day, ISOWEEK) | DATE_DIFF(d, @day, MONTH) | DATE_DIFF(d, @day, QUARTER)
DATE_DIFF(d, @day, YEAR) | DATE_DIFF(d, @day, ISOYEAR) | DATE_TRUNC(d, WEEK) | DATE_TRUNC(d, WEEK(MONDAY))
DATE_TRUNC(d, ISOWEEK) | DATE_TRUNC(d, MONTH) | DATE_TRUNC(d, QUARTER) | DATE_TRUNC(d, YEAR) | DATE_TRUNC(d, ISOYEAR)
EXTRACT(DAYOFWEEK FROM d) | EXTRACT(DAY FROM d) | EXTRACT(MONTH FROM d) | EXTRACT(YEAR FROM d) | EXTRACT(WEEK FROM d)
EXTRACT(WEEK(MONDAY) FROM d) | EXTRACT(ISOWEEK FROM d) | EXTRACT(ISOYEAR FROM d) | EXTRACT(DAYOFYEAR FROM d)
EXTRACT(QUARTER FROM d) | EXTRACT(HOUR FROM ts) | EXTRACT(MINUTE FROM ts) | EXTRACT(SECOND FROM ts)
EXTRACT(MILLISECOND FROM ts) | EXTRACT(MICROSECOND FROM ts) | EXTRACT(DATE FROM ts) | EXTRACT(TIME FROM ts)
EXTRACT(DATE FROM ts AT TIME ZONE 'UTC') | EXTRACT(HOUR FROM c) | EXTRACT(HOUR FROM dt) | TIMESTAMP_ADD(ts, INTERVAL 1 SECOND)
TIMESTAMP_SUB(ts, INTERVAL 2 HOUR) | TIMESTAMP_ADD(ts, INTERVAL 1 DAY) | TIMESTAMP_DIFF(ts, TIMESTAMP '2024-02-28', HOUR)
TIMESTAMP_DIFF(ts, TIMESTAMP '2024-03-01', DAY) | TIMESTAMP_DIFF(ts, TIMESTAMP '2024-03-01', SECOND)
TIMESTAMP_DIFF(ts, ts, MICROSECOND) | TIMESTAMP_TRUNC(ts, HOUR) | TIMESTAMP_TRUNC(ts, DAY) | TIMESTAMP_TRUNC(ts, MINUTE)
TIMESTAMP_TRUNC(ts, WEEK) | TIMESTAMP_TRUNC(ts, MONTH) | TIMESTAMP_TRUNC(ts, YEAR) | DATETIME_ADD(dt, INTERVAL 1 MONTH)
DATETIME_SUB(dt, INTERVAL 90 MINUTE) | DATETIME_DIFF(dt, DATETIME '2024-01-01 12:00:00', HOUR)
DATETIME_DIFF(dt, DATETIME '2024-01-01 12:00:00', DAY) | DATETIME_DIFF(dt, DATETIME '2024-01-01 12:00:00', MONTH)
DATETIME_TRUNC(dt, DAY) | DATETIME_TRUNC(dt, HOUR) | FORMAT_DATE('%Y%m%d', d) | FORMAT_DATE('%Y-%m', d) | FORMAT_DATE('%F', d)
FORMAT_DATE('%B %d, %Y', d) | FORMAT_DATE('%a %b %e', d) | FORMAT_DATE('%j', d) | FORMAT_DATE('%y', d) | FORMAT_DATE('%u', d)
FORMAT_DATE('%A', d) | FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%S', ts) | FORMAT_DATETIME('%H:%M', dt) | FORMAT_DATE('%w', d)
PARSE_DATE('%Y%m%d', '20240229') | PARSE_DATE('%Y-%m-%d', '2024-2-9') | SAFE.PARSE_DATE('%Y-%m-%d', s)
PARSE_DATE('%Y-%m-%d', '2023-02-30') | PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', '2024-01-02 03:04:05') | LAST_DAY(d)
LAST_DAY(d, YEAR) | LAST_DAY(d, QUARTER) | UNIX_DATE(d) | DATE_FROM_UNIX_DATE(n) | UNIX_SECONDS(ts) | UNIX_MILLIS(ts)
UNIX_MICROS(ts) | TIMESTAMP_SECONDS(n) | TIMESTAMP_MILLIS(n) | TIMESTAMP_MICROS(n) | GENERATE_DATE_ARRAY(d, '2024-03-02')
GENERATE_DATE_ARRAY(DATE '2024-01-01', DATE '2024-03-31', INTERVAL 1 MONTH) | d + 1 | d - 1 | DATE_ADD(d, INTERVAL n DAY)
DATE_DIFF(DATE '2024-03-01', d, DAY) BETWEEN 0 AND 27 | ts + INTERVAL 1 HOUR | GREATEST(d, @day) | DATE_ADD(d, INTERVAL 9999 YEAR)
"""
NESTED = """
r.x | r.y.z | t.r.y.z | t.n | STRUCT(1 AS a, s AS b).b | STRUCT(n AS a, STRUCT(f AS g) AS c).c.g | [1, 2, 3][OFFSET(1)]
[1, 2, 3][ORDINAL(1)] | [1][OFFSET(5)] | [1][SAFE_OFFSET(5)] | [1][SAFE_ORDINAL(0)] | tags | tags[SAFE_OFFSET(1)]
ARRAY_LENGTH(tags) | ARRAY_LENGTH(items) | ARRAY_CONCAT(tags, ['z']) | ARRAY_REVERSE(tags) | ARRAY_TO_STRING(tags, '+')
ARRAY_TO_STRING(['a', NULL], '-', '?') | GENERATE_ARRAY(1, 5, 2) | GENERATE_ARRAY(1, 0) | items[SAFE_OFFSET(0)].k
(SELECT SUM(item.v) FROM UNNEST(items) AS item) | (SELECT COUNT(*) FROM UNNEST(items)) | (SELECT v FROM UNNEST(items) WHERE k = 'one')
(SELECT item.v FROM UNNEST(items) AS item WHERE item.k = 'one' LIMIT 1) | (SELECT MAX(v) FROM UNNEST(items))
(SELECT COUNT(DISTINCT tag) FROM UNNEST(tags) AS tag) | (SELECT LOGICAL_OR(tag = 'b') FROM UNNEST(tags) AS tag)
ARRAY(SELECT tag FROM UNNEST(tags) AS tag ORDER BY tag) | ARRAY(SELECT DISTINCT tag FROM UNNEST(tags) AS tag)
ARRAY(SELECT tag FROM UNNEST(tags) AS tag WITH OFFSET AS place ORDER BY place DESC) | EXISTS(SELECT 1 FROM UNNEST(items) WHERE v > 4)
EXISTS(SELECT * FROM UNNEST(items) AS i WHERE i.k IS NULL) | (SELECT STRING_AGG(tag, '/' ORDER BY tag) FROM UNNEST(tags) AS tag)
(SELECT ANY_VALUE(v) FROM UNNEST(items) WHERE k = 'one') | (SELECT tag FROM UNNEST(tags) AS tag WITH OFFSET o WHERE o = 1)
(SELECT AS STRUCT n AS a, s AS b).b | ARRAY(SELECT AS STRUCT v, k FROM UNNEST(items) ORDER BY v)
(SELECT SUM(v) FROM UNNEST(items) GROUP BY k ORDER BY 1 DESC LIMIT 1) | n IN (SELECT v + 5 FROM UNNEST(items))
(SELECT tag FROM UNNEST(tags) AS tag) | ARRAY_LENGTH(SPLIT(s, '-')) | (SELECT AVG(v) FROM UNNEST(items)) | n IN UNNEST([7, 0])
ARRAY(SELECT x * 2 FROM UNNEST([3, 1, 2]) AS x WHERE x > 1) | (SELECT MIN(x) FROM UNNEST(ARRAY<INT64>[]) AS x)
STRUCT<a INT64, b STRING>(1, 'x').a | [STRUCT('k' AS k, 1 AS v)] | ARRAY(SELECT UPPER(k) FROM UNNEST(items) WHERE k IS NOT NULL)
(SELECT x FROM UNNEST([1, NULL, 3]) AS x ORDER BY x LIMIT 1) | (SELECT x FROM UNNEST([1, NULL, 3]) AS x ORDER BY x DESC LIMIT 1)
"""
AGGREGATES = """
SUM(n) | SUM(f) | SUM(m) | AVG(m) | COUNT(*) | COUNT(n) | COUNT(DISTINCT b) | COUNTIF(n > 0) | COUNTIF(b) | MIN(n) | MAX(f) | MIN(s) | MAX(d)
MIN(ts) | AVG(n) | AVG(f) | SUM(DISTINCT n) | ANY_VALUE(@many) | ARRAY_AGG(n IGNORE NULLS ORDER BY n) | ARRAY_AGG(n IGNORE NULLS)
ARRAY_AGG(s IGNORE NULLS ORDER BY id DESC LIMIT 2) | STRING_AGG(s, '|' ORDER BY id) | STRING_AGG(DISTINCT s, ',' ORDER BY s)
LOGICAL_OR(b) | LOGICAL_AND(b) | SUM(n) / COUNT(*) | SAFE_DIVIDE(SUM(n), COUNTIF(b IS NULL))
SUM(IF(b, n, 0)) | COUNT(DISTINCT IF(n > 0, s, NULL)) | ARRAY_AGG(STRUCT(n AS a) ORDER BY id LIMIT 1)[OFFSET(0)].a | MAX(n) - MIN(n)
COALESCE(SUM(n), 0) | SUM(n + f) | COUNT(DISTINCT id) | ROUND(AVG(n), 2) | SUM(NULL) | ARRAY_LENGTH(ARRAY_AGG(id))
MAX(IF(s = 'x', n, NULL)) | LOGICAL_OR(n > 5) | COUNT(r.x) | SUM((SELECT SUM(v) FROM UNNEST(items))) | COUNT(NULLIF(n, 0))
"""
EXTREMES = "MAX_BY(s, n) | MIN_BY(id, f) | ANY_VALUE(s HAVING MAX n) | ANY_VALUE(id HAVING MIN n)"
WINDOWS = """
ROW_NUMBER() OVER (ORDER BY id) | ROW_NUMBER() OVER (PARTITION BY b IS NULL ORDER BY id DESC) | RANK() OVER (ORDER BY b)
DENSE_RANK() OVER (ORDER BY b DESC) | LAG(n) OVER (ORDER BY id) | LAG(n, 2, -1) OVER (ORDER BY id) | LEAD(s) OVER (ORDER BY id)
FIRST_VALUE(n) OVER (ORDER BY id) | LAST_VALUE(n) OVER (ORDER BY id) | SUM(n) OVER () | SUM(n) OVER (ORDER BY id) | COUNT(*) OVER (PARTITION BY b)
LAST_VALUE(n) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) | AVG(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SUM(n) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) | SUM(id) OVER (ORDER BY n RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING)
FIRST_VALUE(n IGNORE NULLS) OVER (ORDER BY id DESC) | MAX(d) OVER (PARTITION BY b ORDER BY id) | ROW_NUMBER() OVER (ORDER BY n NULLS LAST)
RANK() OVER (ORDER BY n DESC) | SUM(n) OVER (ORDER BY b) | n - LAG(n) OVER (ORDER BY id) | COUNT(*) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)
IF(ROW_NUMBER() OVER (ORDER BY id) = 1, 'first', 'later') | NTH_VALUE(n, 2) OVER (ORDER BY id) | MIN(n) OVER (ORDER BY id DESC ROWS 1 PRECEDING)
"""


def split(text: str) -> list[str]:
    """The expressions of a listing: one a line or several between bars."""
    return [part.strip() for line in text.strip().splitlines() for part in line.split(" | ") if part.strip()]


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def agree(ours: Value, theirs: Value) -> bool:
    """The same value, floats to twelve digits, arrays without an order as bags."""
    if isinstance(ours, UnorderedArray):
        return isinstance(theirs, list) and sorted(map(repr, ours)) == sorted(map(repr, theirs))
    if isinstance(ours, (int, float, Decimal)) and isinstance(theirs, (int, float, Decimal)):
        if isinstance(ours, bool) or isinstance(theirs, bool):
            return ours is theirs
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-12)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(map(agree, ours.values(), theirs.values()))
    if ours is None and theirs == []:
        return True  # no difference in a table: a NULL array is written as an empty one
    return type(ours) is type(theirs) and bool(ours == theirs)


def ours(text: str, rows: tuple[dict[str, Value], ...], *, grouped: bool = False) -> list[Value]:
    """What we say, a value for each row."""
    names = tuple(field.name for field in SCHEMA)
    loaded = [load(row, SCHEMA) for row in rows]
    relation = Relation(names, tuple(tuple(row[name] for name in names) for row in loaded))
    columns = ((("id", expression("id")),) if not grouped else ()) + (("x", expression(text)),)
    block = Block((Item("t", relation),), columns, keys=() if grouped else None)
    found = Machine(PARAMETERS).block(block)
    for row in found.rows:
        if isinstance(row[-1], Unknown):
            raise CannotTell(row[-1].reason)
    return [row[-1] for row in found.rows]


def check(engine: GoogleSql, text: str, rows: tuple[dict[str, Value], ...], *, grouped: bool = False) -> None:
    sql = f"SELECT {'' if grouped else 'id, '}{text} AS x FROM `{TABLE}` AS t"
    answer = engine.run(sql, {TABLE: TableData(SCHEMA, rows)}, PARAMETERS)
    if answer.problem is not None:
        with pytest.raises(QueryFails):
            ours(text, rows, grouped=grouped)
        return
    values = ours(text, rows, grouped=grouped)
    theirs = [row[-1] for row in (answer.rows if grouped else sorted(answer.rows))]
    assert len(values) == len(theirs)
    for mine, other in zip(values, theirs, strict=True):
        assert agree(mine, other), f"{text}: we give {mine!r}, the engine {other!r}"


@pytest.mark.parametrize("text", [*split(LOGIC), *split(NUMBERS), *split(TEXTS), *split(DATES), *split(NESTED)])
def test_scalar_expressions_agree_row_by_row(engine: GoogleSql, text: str) -> None:
    whole = engine.run(f"SELECT {text} AS x FROM `{TABLE}` AS t", {TABLE: TableData(SCHEMA, ROWS)}, PARAMETERS)
    for rows in [ROWS] if whole.problem is None else [(row,) for row in ROWS]:
        check(engine, text, rows)


@pytest.mark.parametrize("text", split(WINDOWS))
def test_window_calls_agree(engine: GoogleSql, text: str) -> None:
    check(engine, text, ROWS)


@pytest.mark.parametrize("text", split(AGGREGATES))
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[3:], ()], ids=["all", "one", "nulls", "none"])
def test_aggregates_agree(engine: GoogleSql, text: str, rows: tuple[dict[str, Value], ...]) -> None:
    check(engine, text, rows, grouped=True)


@pytest.mark.parametrize("text", split(EXTREMES))
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ()], ids=["all", "one", "none"])
def test_values_of_the_extreme_row_agree(engine: GoogleSql, text: str, rows: tuple[dict[str, Value], ...]) -> None:
    check(engine, text, rows, grouped=True)


#: Where the documentation and the engine, or the two regular expression engines, do not speak with one voice.
REFUSED = """
COALESCE(d, '1970-01-01') | REGEXP_EXTRACT('b', r'(x)?b') | 'it''s' | CONTAINS_SUBSTR(s, 'BC') | RAND()
CURRENT_DATE() | GENERATE_UUID() | REGEXP_CONTAINS(s, r'(?!a)') | REGEXP_CONTAINS(s, r'a++') | REGEXP_CONTAINS(s, r'[[:alpha:]]')
ROW_NUMBER() OVER () | ROW_NUMBER() OVER (ORDER BY b IS NULL) | FIRST_VALUE(id) OVER (ORDER BY b IS NULL) | LAG(n) OVER (ORDER BY id > 0)
s LIKE ANY ('a', 'b') | udf.f(n) | mozfun.map.get_key(items, 'k') | nonsense | r.nonsense | n.x | FORMAT('%d', n)
m + f | FORMAT_DATE('%Ex', d) | PARSE_DATE('%b %d', 'Jan 1') | s = 1 | d = ts | APPROX_QUANTILES(n, 2)
DATE(ts, 'Mars/Olympus') | CAST(n AS STRING FORMAT '999') | CAST(1e300 AS STRING) | JSON_VALUE(j, '$["a"]') | TIMESTAMP(d, 'Asia/Tokyo')
"""


@pytest.mark.parametrize("text", split(REFUSED))
def test_what_is_not_certain_is_refused(text: str) -> None:
    with pytest.raises(CannotTell) as caught:
        ours(text, ROWS)
    assert not isinstance(caught.value, QueryFails)


@pytest.mark.parametrize("text", ["ANY_VALUE(n)", "STRING_AGG(s)", "MAX_BY(id, b IS NULL)", "ARRAY_AGG(id ORDER BY b IS NULL)",
                                  "ARRAY_AGG(id)[OFFSET(0)]", "ARRAY_TO_STRING(ARRAY_AGG(s), ',')", "n + COUNT(*)",
                                  "ARRAY_AGG(id LIMIT 1)"])  # fmt: skip
def test_aggregates_that_depend_on_the_order_are_refused(text: str) -> None:
    with pytest.raises(CannotTell):
        ours(text, ROWS, grouped=True)


def test_the_listings_are_long_enough() -> None:
    listings = (LOGIC, NUMBERS, TEXTS, DATES, NESTED, AGGREGATES, WINDOWS)
    assert len({text for listing in listings for text in split(listing)}) >= 400
