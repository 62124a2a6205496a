"""One GoogleSQL expression: what is refused, what aggregates, what it speaks of."""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql import expressions, scan

VALID = [
    "a",
    "clients.country",
    "COALESCE(countries.region, 'Unknown')",
    "SUM(clients.search_count)",
    "COUNT(*) OVER (PARTITION BY a ORDER BY b)",
    "a IS NOT DISTINCT FROM b",
    "EXTRACT(DAYOFWEEK FROM d)",
    "TRIM(x)",
    "LEFT(name, 3)",
    "CASE WHEN a THEN 'x;y' ELSE \"--\" END",
    "CASE a WHEN 1 THEN b END",
    "r'\\d{2}' || 'x'",
    "'''it's \"\"\" fine'''",
    "a -- why\n+ b",
    "a /* why */ + b /* and */",
    "(SELECT MAX(x) FROM UNNEST(arr) AS x)",
    "EXISTS (SELECT 1 FROM `p-x.d.t` WHERE z = a)",
    "WITH(x AS a, x + 1)",
    "STRUCT(a AS b, c)",
    "ARRAY<STRUCT<a INT64>>[]",
    "ARRAY<STRUCT<a INT64, b ARRAY<STRUCT<c STRING, d INT64>>>>[(1, [])]",
    "a >> 2 > b",
    "t.array < 3",
    "x[SAFE_OFFSET(0)].k",
    "DATE '2025-01-01'",
    "INTERVAL 3 DAY",
    "@submission_date",
    "@@time_zone",
    "NOT a AND b",
    "ARRAY_FILTER(arr, e -> e.x > 1)",
    "fun(a, key => b)",
    "x COLLATE 'und:ci'",
    "a LIKE ANY ('x', 'y')",
    "t.`from`",
    "t.order",
    "mozfun.map.get_key(m, 'k')",
    "load",
    "IF(a, b, NULL)",
    "CAST(x AS STRING FORMAT 'YYYY')",
    "TIMESTAMP '2025-01-01' AT TIME ZONE 'UTC'",
    "-1",
    "0x1F",
    "1.5e-3",
    "a <> b",
    "ST_GEOGPOINT(a, b)",
    "NULL",
    "b'\\x00'",
]


@pytest.mark.parametrize("text", VALID)
def test_a_valid_expression_passes(text: str) -> None:
    expressions.check_expression(text, "f:1")


INVALID = [
    ("", "empty"),
    ("  -- only a comment", "empty"),
    ("a; DROP TABLE x", "semicolon"),
    ("1; SELECT 2", "semicolon"),
    ("a -- the rest is gone", "swallows"),
    ("a # the rest is gone", "swallows"),
    ("a -- gone\n", "swallows"),
    ("a /* x */ -- gone", "swallows"),
    ("a /* open", "comment"),
    ("a) FROM secret.t WHERE (1 = 1", "without its opening"),
    ("(a", "not closed"),
    ("a]", "without its opening"),
    ("(a]", "without its opening"),
    ("a, b", "comma"),
    ("a AS b", "AS"),
    ("a b", "alias"),
    ("COUNT(*) n", "alias"),
    ("a FROM t", "FROM"),
    ("a WHERE b", "WHERE"),
    ("SELECT 1", "SELECT"),
    ("WITH x AS (SELECT 1) SELECT * FROM x", "WITH"),
    ("a UNION ALL SELECT b", "UNION"),
    ("a LIMIT 1", "LIMIT"),
    ("a |> WHERE b", "pipe"),
    ("DROP TABLE x", "DROP"),
    ("'open", "not closed"),
    ("'two\nlines'", "not closed"),
    ("`open", "not closed"),
    ("{{ x }}", "Jinja"),
    ("'{{ x }}'", "Jinja"),
    ("{% if x %}a{% endif %}", "Jinja"),
    ("a {# gone #}", "Jinja"),
    ("a\x00b", "U+0000"),
    ("a + ", "ends in"),
    ("a AND", "ends in"),
    ("(" * 500 + "a" + ")" * 500, "nested"),
    ("a" * 60_000, "characters"),
    ("$a", "no meaning"),
]


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_what_is_not_one_expression_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expressions.check_expression(text, "model.yaml:7")
    assert reason in caught.value.message
    assert caught.value.at == "model.yaml:7"
    assert caught.value.fix


AGGREGATES = [
    "SUM(x)",
    "COUNTIF(x > 1)",
    "1 + COUNT(*)",
    "SAFE_DIVIDE(COUNTIF(a), COUNT(*))",
    "ANY_VALUE(x HAVING MAX y)",
    "ARRAY_AGG(x IGNORE NULLS ORDER BY y LIMIT 1)[SAFE_OFFSET(0)]",
    "STRING_AGG(x, ',' ORDER BY x)",
    "APPROX_COUNT_DISTINCT(x)",
    "APPROX_QUANTILES(x, 100)[OFFSET(50)]",
    "LOGICAL_OR(x)",
    "MAX_BY(a, b)",
    "HLL_COUNT.MERGE(x)",
    "hll_count.init(x)",
    "SAFE.SUM(x)",
    "mozfun.map.sum(ARRAY_AGG(x))",
    "SUM(SUM(x)) OVER ()",
    "SUM((SELECT COUNT(*) FROM UNNEST(a)))",
    "BIT_OR(x)",
    "ST_UNION_AGG(x)",
    "CASE WHEN COUNT(*) > 1 THEN 'many' END",
    "count (*)",
    "ARRAY_CONCAT_AGG(x)",
    "CORR(a, b)",
]
NO_AGGREGATES = [
    "x",
    "COUNT(*) OVER (PARTITION BY a)",
    "SUM(x) OVER w",
    "ROW_NUMBER() OVER (ORDER BY a)",
    "(SELECT SUM(x) FROM UNNEST(a) AS x)",
    "ARRAY(SELECT AS STRUCT COUNT(*) FROM t)",
    "EXISTS (SELECT COUNT(*) FROM t)",
    "((SELECT MAX(x) FROM UNNEST(a) AS x))",
    "(WITH c AS (SELECT SUM(x) AS s FROM t) SELECT s FROM c)",
    "mozfun.map.sum(m)",
    "udf_sum(x)",
    "HLL_COUNT.EXTRACT(x)",
    "GREATEST(a, b)",
    "sum",
    "t.max",
    "'SUM(x)'",
    "a /* SUM(x) */",
    "`SUM`",
    "project.dataset.COUNT(x)",
]


@pytest.mark.parametrize("text", AGGREGATES)
def test_aggregates_are_recognised(text: str) -> None:
    assert expressions.is_aggregate(text)


@pytest.mark.parametrize("text", NO_AGGREGATES)
def test_what_does_not_aggregate_its_own_rows_is_none(text: str) -> None:
    assert not expressions.is_aggregate(text)


def test_windows() -> None:
    assert expressions.has_window("1 + COUNT(*) OVER (PARTITION BY a)")
    assert expressions.has_window("ROW_NUMBER() OVER w = 1")
    assert not expressions.has_window("SUM(x)")
    assert not expressions.has_window("(SELECT COUNT(*) OVER () FROM t LIMIT 1)")
    assert not expressions.has_window("t.over")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + t.b", ((None, "a"), ("t", "b"))),
        ("t.`order` || a || a", (("t", "order"), (None, "a"))),
        ("pings.client_info.os", (("pings", "client_info"),)),
        ("x.y.z[OFFSET(i)].k", (("x", "y"), (None, "i"))),
        ("DATE_TRUNC(d, MONTH)", ((None, "d"),)),
        ("TIMESTAMP_DIFF(a, b, SECOND)", ((None, "a"), (None, "b"))),
        ("EXTRACT(DAY FROM d)", ((None, "d"),)),
        ("CAST(x AS STRING)", ((None, "x"),)),
        ("ARRAY_FILTER(arr, e -> e.x > y)", ((None, "arr"), (None, "y"))),
        ("(SELECT MAX(x) FROM UNNEST(arr) AS x) + b", ((None, "b"),)),
        ("COUNT(*)", ()),
        ("@submission_date", ()),
        ("'a'", ()),
        ("date", ((None, "date"),)),
        ("SUM(x) OVER (PARTITION BY p ORDER BY o)", ((None, "x"), (None, "p"), (None, "o"))),
        ("fun(a, key => b)", ((None, "a"), (None, "b"))),
    ],
)
def test_columns(text: str, expected: tuple[tuple[str | None, str], ...]) -> None:
    assert set(expressions.columns(text)) == set(expected)


def test_columns_where_sqlglot_gives_up() -> None:
    text = "WITH(x AS t.a, x + b)"
    assert expressions.parsed(text) is None
    assert {("t", "a"), (None, "b")} <= set(expressions.columns(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ()),
        ("(SELECT MAX(x) FROM `p-x.d.t`)", ("p-x.d.t",)),
        ("(SELECT 1 FROM moz-fx.d.t AS q JOIN d2.u USING (a))", ("moz-fx.d.t", "d2.u")),
        ("EXISTS (SELECT 1 FROM `p`.`d`.t, d.v AS v, v.arr)", ("p.d.t", "d.v")),
        ("(SELECT MAX(x) FROM UNNEST(arr) AS x)", ()),
        ("(SELECT SUM(x) FROM rides.segments)", ("rides.segments",)),
        ("(WITH c AS (SELECT 1 FROM d.t) SELECT * FROM c)", ("d.t",)),
        ("EXTRACT(DAY FROM d.x)", ()),
        ("a IS DISTINCT FROM b.c", ()),
        ("ARRAY(SELECT EXTRACT(DAY FROM x) FROM d.t)", ("d.t",)),
        ("(SELECT 1 FROM secret.t AS secret)", ("secret.t",)),
        ("(SELECT 1 FROM (SELECT 2 FROM d.inner_t))", ("d.inner_t",)),
        ("(SELECT 1 FROM d.events_*)", ("d.events_*",)),
        ("((SELECT 1 FROM d.a) UNION ALL (SELECT 1 FROM d.b))", ("d.a", "d.b")),
    ],
)
def test_tables_of_subqueries(text: str, expected: tuple[str, ...]) -> None:
    assert expressions.subquery_tables(text) == expected


def test_tables_of_a_query() -> None:
    text = "WITH c AS (SELECT * FROM `a.b.c`) SELECT * FROM c LEFT JOIN d.e ON EXTRACT(DAY FROM c.x) = e.y"
    assert expressions.tables_read(text) == ("a.b.c", "d.e")


def test_parameters() -> None:
    assert expressions.parameters("@a + @`b` + '@c' + @@time_zone + @a -- @d\n + e") == ("a", "b")


@pytest.mark.parametrize("text", ["*", "t.* EXCEPT (a, b)", "t.* REPLACE (a + 1 AS a)", "t.*"])
def test_a_star(text: str) -> None:
    expressions.check_star(text, "f:1")


@pytest.mark.parametrize("text", ["a", "t.* FROM x", "t.*; DROP TABLE x", "SUM(t.*)", "t.* --", "a * b"])
def test_no_star(text: str) -> None:
    with pytest.raises(InvalidInput):
        expressions.check_star(text, "f:1")


def test_splitting_knows_brackets_and_strings() -> None:
    assert scan.split("a, f(b, c), 'd, e'") == ["a", "f(b, c)", "'d, e'"]


def test_a_long_chain_is_read_without_recursion_errors() -> None:
    text = " + ".join(["a"] * 5000)
    expressions.check_expression(text, "f:1")
    assert not expressions.is_aggregate(text)
    assert expressions.columns(text) == ((None, "a"),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(SELECT AS STRUCT SUM(x) AS y, f(a) AS b FROM t)", ("SUM", "f")),
        ("(WITH t(a) AS (SELECT 1) SELECT a FROM t)", ()),
        ("CAST(x AS DECIMAL(3, 2)) IN (1, 2) OR NOT (x)", ()),
        ("SAFE.F(x) + STRUCT<a INT64>(1).a + COUNTIF2(x) OVER (PARTITION BY y)", ("COUNTIF2",)),
    ],
)
def test_names_that_are_called(text: str, names: tuple[str, ...]) -> None:
    assert expressions.calls(text) == names
