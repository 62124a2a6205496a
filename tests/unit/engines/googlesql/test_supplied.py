"""Functions that the evaluator lacks, as templates: the expected values stand in BigQuery's documentation."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.engines.googlesql.supplied import builtin_calls, supplied
from etl_orchestrator.engines.googlesql.text import edited
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.tokens import tokenize
from etl_orchestrator.tools import ParameterValue

_NUMBERS = "FROM UNNEST([NULL, NULL, 1, 1, 1, 4, 5, 6, 7, 8, 9, 10]) AS x"


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


def value(engine: GoogleSql, sql: str, **parameters: ParameterValue) -> Any:
    rows = engine.run(f"SELECT {sql}", {}, parameters)
    assert rows.problem is None
    return rows.rows[0][0]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"APPROX_QUANTILES(x, 2) {_NUMBERS}", [1, 5, 10]),
        (f"APPROX_QUANTILES(x, 100)[OFFSET(90)] {_NUMBERS}", 9),
        (f"APPROX_QUANTILES(DISTINCT x, 2) {_NUMBERS}", [1, 6, 10]),
        (f"APPROX_QUANTILES(x, 2 RESPECT NULLS)[OFFSET(1)] {_NUMBERS}", 4),
        (f"APPROX_QUANTILES(DISTINCT x, 2 RESPECT NULLS)[OFFSET(1)] {_NUMBERS}", 6),
        (f"APPROX_QUANTILES(x, 2 IGNORE NULLS)[SAFE_OFFSET(3)] {_NUMBERS}", None),
        (f"APPROX_COUNT_DISTINCT(x) {_NUMBERS}", 8),
        (
            "APPROX_TOP_COUNT(x, 2) FROM UNNEST(['apple', 'apple', 'pear', 'pear', 'pear', 'banana']) AS x",
            [{"value": "pear", "count": 3}, {"value": "apple", "count": 2}],
        ),
        (
            "APPROX_TOP_SUM(x, w, 2) FROM UNNEST([STRUCT('apple' AS x, 3 AS w), ('pear', 2), ('banana', 5), ('pear', 4)])",
            [{"value": "pear", "sum": 6}, {"value": "banana", "sum": 5}],
        ),
        ("HLL_COUNT.EXTRACT(HLL_COUNT.INIT(x)) FROM UNNEST([1, 2, 2, NULL]) AS x", 2),
        ("HLL_COUNT.MERGE(s) FROM (SELECT HLL_COUNT.INIT(x, 14) AS s FROM UNNEST(['a', 'b', 'a']) AS x GROUP BY x)", 2),
        ("HLL_COUNT.INIT(x) FROM UNNEST([CAST(NULL AS INT64)]) AS x", None),
        ("HLL_COUNT.MERGE(x) FROM UNNEST([CAST(NULL AS BYTES)]) AS x", 0),
        ("FORMAT_TIMESTAMP('%k|%l|%P|%J|%F', TIMESTAMP '2024-12-30 03:04:05')", " 3| 3|am|001|2024-12-30"),
        ("FORMAT_TIMESTAMP('%k %Ez', TIMESTAMP '2024-12-30 03:04:05', 'America/New_York')", "22 -05:00"),
        ("FORMAT_TIME('%l %P', TIME '13:04:05')", " 1 pm"),
        ("FORMAT_DATETIME('%k %%k', DATETIME '2024-12-30 13:04:05')", "13 %k"),
        ("FORMAT_DATE('%F', CAST(NULL AS DATE))", None),
        ("PARSE_DATE('%F', '2024-01-05')", date(2024, 1, 5)),
        ("FORMAT_TIMESTAMP('%T', PARSE_TIMESTAMP('%F %k:%M', '2024-01-05  1:02'))", "01:02:00"),
        ("SAFE.PARSE_DATE('%F', 'no date')", None),
        ("SAFE.PARSE_DATE('%F', '2024-01-05')", date(2024, 1, 5)),
        ("`parse_date`('%F', '2024-01-05')", date(2024, 1, 5)),
        ("CONTAINS_SUBSTR('Straße', 'STRASSE')", True),
        ("CONTAINS_SUBSTR(1234, '23')", True),
        ("NORMALIZE('ﬁ', NFKC)", "fi"),
        ("TO_BASE32(b'abc')", "MFRGG==="),
    ],
)
def test_supplied_functions(engine: GoogleSql, sql: str, expected: object) -> None:
    assert value(engine, sql) == expected


@pytest.mark.parametrize(
    ("url", "suffix", "domain"),
    [
        ("", None, None),
        ("http://abc.xyz", "xyz", "abc.xyz"),
        ("//user:password@a.b:80/path?query", None, None),
        ("https://[::1]:80", None, None),
        ("http://例子.卷筒纸.中国", "中国", "卷筒纸.中国"),
        ("    www.Example.Co.UK    ", "Co.UK", "Example.Co.UK"),
        ("mailto:?to=&subject=&body=", None, None),
        ("http://user.github.io", "io", "github.io"),
        ("http://co.uk", "co.uk", None),
    ],
)
def test_parts_of_hosts(engine: GoogleSql, url: str, suffix: str | None, domain: str | None) -> None:
    given = ParameterValue("STRING", url)
    assert value(engine, "NET.PUBLIC_SUFFIX(@url)", url=given) == suffix
    assert value(engine, "NET.REG_DOMAIN(@url)", url=given) == domain


def test_a_format_may_be_another_in_each_row(engine: GoogleSql) -> None:
    sql = "SELECT FORMAT_DATE(f, DATE '2024-02-03') AS d FROM UNNEST(['%Y', '', 'in %B', NULL]) AS f WITH OFFSET ORDER BY offset"
    assert [row[0] for row in engine.run(sql, {}, {}).rows] == ["2024", "", "in February", None]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("PARSE_DATE('%G %V', '2024 01')", "%G in PARSE_DATE"),
        ("SAFE.PARSE_DATE(f, 'x') FROM UNNEST(['%V']) AS f", "%V in PARSE_DATE"),
        ("FORMAT_DATE(f, DATE '2024-01-01') FROM UNNEST(['%f']) AS f", "%f in FORMAT_DATE"),
        ("SESSION_USER()", "SESSION_USER"),
        ("COLLATE('a', 'und:ci') = 'A'", "COLLATE"),
        ("CAST(DATE '2024-01-01' AS STRING FORMAT 'Day, DD')", "DAY in a format of CAST"),
        ("ANY_VALUE(x) OVER () FROM UNNEST([1]) AS x", "ANY_VALUE as a window function"),
        ("HLL_COUNT.EXTRACT(b'a sketch from elsewhere')", "sketches that BigQuery made"),
    ],
)
def test_what_cannot_be_supplied_is_refused_by_name(engine: GoogleSql, sql: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        engine.run(f"SELECT {sql}", {}, {})


def test_calls_are_told_from_columns_and_routines() -> None:
    tokens = tokenize("SELECT parse_date, fn.parse_date(a), SAFE.PARSE_DATE('%F', b), NET . HOST (c) FROM t")
    assert [(call.name, call.safe) for call in builtin_calls(tokens)] == [("PARSE_DATE", True), ("NET.HOST", False)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ANY_VALUE(a HAVING MAX b) FROM t",
        "SELECT ANY_VALUE(a IGNORE NULLS) FROM t",
        "SELECT * FROM t PIVOT (SUM(c) AS s, ANY_VALUE(a) AS v FOR b IN (1, 2))",
    ],
)
def test_any_value_that_is_no_first_row_is_left_as_it_is(sql: str) -> None:
    assert supplied(sql) == ([], set())


def test_what_the_evaluator_does_right_is_left_as_it_is() -> None:
    sql = "SELECT FORMAT_DATE('%Y-%m-%d', d), PARSE_DATE(\"%Y%m%d\", s), NORMALIZE(a, NFC) -- PARSE_DATE('%F', s)"
    edits, used = supplied(sql)
    assert edited(sql, edits) == sql
    assert used == set()
