"""The style of words, comments and Jinja, rule by rule, and what is refused or skipped.

Every `after` of a rule is a fixed point of mozilla/bigquery-etl's formatter, too.
"""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.formatter import format_sql, skipped

WORDS = {
    "keywords, types and functions are in capitals, names stay": (
        "select Sum(Amount) as Total, safe.parse_date('%F', Placed), net.host(Url), MyFunction(1), null, true,"
        " date '2024-01-01', cast(x as string) from Shop.Orders",
        """\
SELECT
  SUM(Amount) AS Total,
  SAFE.PARSE_DATE('%F', Placed),
  NET.HOST(Url),
  MyFunction(1),
  NULL,
  TRUE,
  DATE '2024-01-01',
  CAST(x AS string)
FROM
  Shop.Orders
""",
    ),
    "a function is one only where it is called": (
        "SELECT rank, sum, x.date, rank() over (order by sum), current_date, current_timestamp()",
        """\
SELECT
  rank,
  sum,
  x.date,
  RANK() OVER (ORDER BY sum),
  CURRENT_DATE,
  CURRENT_TIMESTAMP()
""",
    ),
    "pseudo columns": (
        "SELECT _partitiontime, t._partitiontime FROM t WHERE _table_suffix = 'a'",
        """\
SELECT
  _PARTITIONTIME,
  t._partitiontime
FROM
  t
WHERE
  _TABLE_SUFFIX = 'a'
""",
    ),
    "after a dot and AS a keyword is a name": (
        "SELECT t.group, t.order.by AS end, 1 AS  left",
        """\
SELECT
  t.group,
  t.order.by AS end,
  1 AS left
""",
    ),
    "HAVING MAX in a function is no clause": (
        "SELECT ANY_VALUE(a having  max b) FROM t HAVING max(c)>1",
        """\
SELECT
  ANY_VALUE(a HAVING MAX b)
FROM
  t
HAVING
  MAX(c) > 1
""",
    ),
    "IF the function, IF the block": (
        "SELECT if (a,b,c)",
        """\
SELECT
  IF(a, b, c)
""",
    ),
    "projects with dashes": (
        "SELECT * FROM shop-live.sales.orders o, `shop-live.sales.lines`, a-b",
        """\
SELECT
  *
FROM
  shop-live.sales.orders o,
  `shop-live.sales.lines`,
  a - b
""",
    ),
}

COMMENTS = {
    "comments keep their own indentation and are followed by a new line": (
        "-- head\nSELECT   -- trailing\n        -- own line\na, # other\n/* block */ b /* c */, d",
        """\
-- head
SELECT   -- trailing
        -- own line
  a, # other
/* block */
  b /* c */
  ,
  d
""",
    ),
    "a bracket with a line comment is not folded": (
        "SELECT f(a, -- why\n b), g(a /* no line */\n, b)",
        """\
SELECT
  f(
    a, -- why
    b
  ),
  g(a /* no line */ , b)
""",
    ),
    "a comment after a statement has a blank line before": (
        "SELECT 1; -- same line\nSELECT 2;\n-- own line\nSELECT 3",
        """\
SELECT
  1; -- same line
SELECT
  2;

-- own line
SELECT
  3
""",
    ),
    "the level of a check has a blank line before": (
        "#warn\nSELECT 1;\n#fail\nSELECT 2",
        """\
#warn
SELECT
  1;

#fail
SELECT
  2
""",
    ),
    "between format off and on nothing changes": (
        "select 1,\n-- format: off\n   a  ,select  'b'\n\n-- format: on\nc from t",
        """\
SELECT
  1,
-- format: off
   a  ,select  'b'

-- format: on
  c
FROM
  t
""",
    ),
}

JINJA = {
    "blocks are indented, other statements end their line, expressions stay": (
        "{% set days = 7 %} SELECT {{ column }}, {% for d in range(days) %} day_{{d}}, {% endfor %} b FROM"
        " `t_{{ x }}` {% if is_init() %} WHERE TRUE {% elif x %} WHERE a {%- else -%} WHERE placed=@placed {% endif %}",
        """\
{% set days = 7 %}
SELECT
  {{ column }},
  {% for d in range(days) %}
    day_ {{d}},
  {% endfor %}
  b
FROM
  `t_{{ x }}`
  {% if is_init() %}
    WHERE
      TRUE
  {% elif x %}
    WHERE
      a
  {%- else -%}
    WHERE
      placed = @placed
  {% endif %}
""",
    ),
}
RULES = WORDS | COMMENTS | JINJA


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    before, after = RULES[rule]
    assert format_sql(before) == after
    assert format_sql(after) == after


def test_one_line_break_at_the_end() -> None:
    assert format_sql("SELECT 1\n\n\n") == format_sql("\n SELECT 1") == "SELECT\n  1\n"
    assert format_sql("") == "\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Where the style would change the meaning or would not come to rest, ours differs.
        ("SELECT 1 -- one\n;", "SELECT\n  1 -- one\n  ;\n"),
        ("SELECT R'\\d', bR'x'", "SELECT\n  r'\\d',\n  br'x'\n"),
        ("SELECT '{{ day['a'] }}'", "SELECT\n  '{{ day['a'] }}'\n"),
        ("SELECT 1 .5", "SELECT\n  1 . 5\n"),
        ("-- format: off\nselect  1\n", "-- format: off\nselect  1\n"),
        ("SELECT 1;\n-- format: off\nx;\n-- format: on\n", "SELECT\n  1;\n\n-- format: off\nx;\n-- format: on\n"),
        ("SELECT 1 #fail", "SELECT\n  1\n\n #fail\n"),
        ("SELECT sum (x), - date (y)", "SELECT\n  SUM(x),\n  -DATE(y)\n"),
    ],
)
def test_tokens_are_never_changed_nor_is_there_a_second_change(before: str, after: str) -> None:
    assert format_sql(before) == after
    assert format_sql(after) == after


def test_characters_that_are_not_sql_stay_with_what_they_touch() -> None:
    assert format_sql("SELECT  ?,  b") == "SELECT\n  ?, b\n"
    assert format_sql("SELECT @@row_count ; SELECT 2") == format_sql(format_sql("SELECT @@row_count ; SELECT 2"))


def test_text_that_has_no_tokens_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as raised:
        format_sql("SELECT\n  'open", "sql/a/b/query.sql")
    assert raised.value.at == "sql/a/b/query.sql:2:3"


def test_brackets_without_end_are_refused() -> None:
    with pytest.raises(InvalidInput) as raised:
        format_sql("SELECT\n" + "(" * 100_000, "a.sql")
    assert raised.value.at == "a.sql:2:2000"
    assert "2000 deep" in raised.value.message


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("sql/p/d/t/udf.sql", "sql/p/d/t/udf.sql", True),
        ("/home/me/repo/sql/p/d/t/udf.sql", "sql/p/d/t/udf.sql", True),
        ("mysql/p/d/t/udf.sql", "sql/p/d/t/udf.sql", False),
        ("sql/p/d/t/udf.sql.old", "sql/p/d/t/udf.sql", False),
        ("sql_generators/a/b/query.sql", "sql_generators/**/*.sql", True),
        ("sql_generators/query.sql", "sql_generators/**/*.sql", True),
        ("sql_generators/a/query.py", "sql_generators/**/*.sql", False),
        ("sql/p/d/t/query.sql", "sql/*/query.sql", False),
        ("sql/p/d/t_v1/query.sql", "sql/p/d/t_v?/query.sql", True),
        ("sql/p/d/t_v1/query.sql", "sql/p/d/t_v[2-9]/query.sql", False),
        ("tests/sql/a.sql", "./tests/**", True),
        ("sql/pXd/a.sql", "sql/p.d/a.sql", False),
    ],
)
def test_skipped(path: str, glob: str, expected: bool) -> None:
    assert skipped(path, ["no/such/file.sql", glob]) is expected
    assert skipped(path, []) is False
