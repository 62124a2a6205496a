"""The style of lines, rule by rule. Every `after` is a fixed point of mozilla/bigquery-etl's formatter, too."""

from __future__ import annotations

import pytest

from etl_orchestrator.sql.formatter import format_sql

RULES = {
    "clauses start a line, what follows is indented": (
        "select placed, count(*) as orders from shop.orders where paid group by placed having orders>1 order by placed limit 5",
        """\
SELECT
  placed,
  COUNT(*) AS orders
FROM
  shop.orders
WHERE
  paid
GROUP BY
  placed
HAVING
  orders > 1
ORDER BY
  placed
LIMIT
  5
""",
    ),
    "joins, their table and ON are on lines of their own": (
        "SELECT o.id FROM orders AS o LEFT   JOIN lines l ON o.id=l.order_id AND l.live CROSS JOIN UNNEST(tags) tag"
        " JOIN c USING(id)",
        """\
SELECT
  o.id
FROM
  orders AS o
LEFT JOIN
  lines l
  ON o.id = l.order_id
  AND l.live
CROSS JOIN
  UNNEST(tags) tag
JOIN
  c
  USING (id)
""",
    ),
    "WITH keeps its first query on its line, the bodies are never folded": (
        "with a as (select 1), b as(select 2 from a) select * from b",
        """\
WITH a AS (
  SELECT
    1
),
b AS (
  SELECT
    2
  FROM
    a
)
SELECT
  *
FROM
  b
""",
    ),
    "set operators stand between queries": (
        "SELECT 1 union  all SELECT 2 EXCEPT DISTINCT SELECT 3 FULL OUTER UNION ALL BY NAME SELECT 4",
        """\
SELECT
  1
UNION ALL
SELECT
  2
EXCEPT DISTINCT
SELECT
  3
FULL OUTER UNION ALL BY NAME
SELECT
  4
""",
    ),
    "AND, OR and BETWEEN start a line": (
        "SELECT 1 FROM t WHERE a BETWEEN 1 AND 2 OR NOT b IN (1,2) AND c IS NOT NULL AND d NOT LIKE ANY ('a','b')",
        """\
SELECT
  1
FROM
  t
WHERE
  a
  BETWEEN 1
  AND 2
  OR NOT b IN (1, 2)
  AND c IS NOT NULL
  AND d NOT LIKE ANY ('a', 'b')
""",
    ),
    "a short bracket is folded, BETWEEN in it too": (
        "SELECT COUNTIF(\na BETWEEN 1\nAND 2), f(\n-x, [ 1,2 ], STRUCT(1 AS a)) FROM t",
        """\
SELECT
  COUNTIF(a BETWEEN 1 AND 2),
  f(-x, [1, 2], STRUCT(1 AS a))
FROM
  t
""",
    ),
    "a subquery is folded where it fits": (
        "SELECT (SELECT MAX(placed) FROM days) AS latest",
        """\
SELECT
  (SELECT MAX(placed) FROM days) AS latest
""",
    ),
    "of a long bracket the inner ones are folded": (
        "SELECT COALESCE(first_value_of_something_long(a, b), second_value_of_something_long(c, d), 'not given at all') x",
        """\
SELECT
  COALESCE(
    first_value_of_something_long(a, b),
    second_value_of_something_long(c, d),
    'not given at all'
  ) x
""",
    ),
    "a bracket that follows on a folded one is judged with the line so far": (
        "SELECT IF(aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbb, cccccccccccc) + IF(dddddddddddddddddd, eeeeeeeeeeeeeee, ff)",
        """\
SELECT
  IF(aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbb, cccccccccccc) + IF(
    dddddddddddddddddd,
    eeeeeeeeeeeeeee,
    ff
  )
""",
    ),
    "lines without brackets are never wrapped": (
        "SELECT " + " || ".join(["a_rather_long_column_name"] * 5),
        "SELECT\n  " + " || ".join(["a_rather_long_column_name"] * 5) + "\n",
    ),
    "trailing commas are kept": (
        "SELECT a, b, FROM t",
        """\
SELECT
  a,
  b,
FROM
  t
""",
    ),
    "CASE is a block, THEN is under its WHEN": (
        "SELECT CASE WHEN a THEN 1 WHEN b AND c THEN 2 ELSE 3 END AS kind, CASE x WHEN 1 THEN 2 END",
        """\
SELECT
  CASE
    WHEN a
      THEN 1
    WHEN b
      AND c
      THEN 2
    ELSE 3
  END AS kind,
  CASE
    x
    WHEN 1
      THEN 2
  END
""",
    ),
    "a window that is short is folded, a named one is not": (
        "SELECT ROW_NUMBER() OVER(PARTITION BY id ORDER BY placed) AS n, SUM(a) over w FROM t QUALIFY n = 1"
        " WINDOW w AS (PARTITION BY id ROWS BETWEEN 27 PRECEDING AND CURRENT ROW)",
        """\
SELECT
  ROW_NUMBER() OVER (PARTITION BY id ORDER BY placed) AS n,
  SUM(a) OVER w
FROM
  t
QUALIFY
  n = 1
WINDOW
  w AS (
    PARTITION BY
      id
    ROWS BETWEEN
      27 PRECEDING
      AND CURRENT ROW
  )
""",
    ),
    "blanks around operators, none around dots, none after one with a single operand": (
        "SELECT -1,a-1,a - -1,- b,~ c,t . x . y,a.b[ OFFSET( 0 ) ].c,f (x),a<=b,x=>1,- (a+b)",
        """\
SELECT
  -1,
  a - 1,
  a - -1,
  -b,
  ~c,
  t.x.y,
  a.b[OFFSET(0)].c,
  f(x),
  a <= b,
  x => 1,
  - (a + b)
""",
    ),
    "star with EXCEPT and REPLACE": (
        "SELECT * except(a), t.* replace (1 as b), t.*except(c) FROM t",
        """\
SELECT
  * EXCEPT (a),
  t.* REPLACE (1 AS b),
  t.* EXCEPT (c)
FROM
  t
""",
    ),
    "angle brackets of types": (
        "SELECT CAST(NULL AS array < struct<a int64,b string> >), array<int64>[1], 1<2, ARRAY<STRUCT<a DATE>>[]",
        """\
SELECT
  CAST(NULL AS ARRAY<STRUCT<a INT64, b STRING>>),
  ARRAY<INT64>[1],
  1 < 2,
  ARRAY<STRUCT<a DATE>>[]
""",
    ),
    "pipes": (
        "FROM orders |> where paid |> aggregate SUM(total) AS total GROUP BY placed |> extend total*2 AS twice |> limit 3",
        """\
FROM
  orders
|>
  WHERE
    paid
|>
  AGGREGATE
    SUM(total) AS total
  GROUP BY
    placed
|>
  EXTEND
    total * 2 AS twice
|>
  LIMIT
    3
""",
    ),
    "statements are a blank line apart": (
        "DECLARE placed DATE DEFAULT CURRENT_DATE(); SET placed = '2024-01-01'; select 1 ;",
        """\
DECLARE placed DATE DEFAULT CURRENT_DATE();

SET
  placed = '2024-01-01';

SELECT
  1;
""",
    ),
    "blocks of scripts": (
        "IF found THEN select 1; ELSE begin call p(1); exception when error then raise; end; END  IF;"
        " WHILE n<3 DO SET n=n+1; END WHILE; LOOP break; END LOOP;",
        """\
IF
  found
THEN
  SELECT
    1;
ELSE
BEGIN
  CALL p(1);
EXCEPTION WHEN ERROR THEN
  RAISE;
END;
END IF;

WHILE n < 3
DO
  SET
    n = n + 1;
END WHILE;

LOOP
  BREAK;
END LOOP;
""",
    ),
    "statements that change data": (
        "merge into t using s on t.id=s.id when matched then update set a=1 when not matched by source then delete",
        """\
MERGE INTO
  t
  USING s
  ON t.id = s.id
WHEN MATCHED
THEN
  UPDATE
  SET
    a = 1
  WHEN NOT MATCHED BY SOURCE
THEN
  DELETE
""",
    ),
    "views, tables and functions": (
        "create or replace view v as select 1; create temp function f(x int64) returns int64 as (x+1);"
        " create table if not exists d.t(a int64) partition by a options(description='x') as select 1 as a",
        """\
CREATE OR REPLACE VIEW
  v
AS
SELECT
  1;

CREATE TEMP FUNCTION f(x INT64)
RETURNS INT64 AS (
  x + 1
);

CREATE TABLE IF NOT EXISTS
  d.t(a INT64)
PARTITION BY
  a
OPTIONS
  (description = 'x')
AS
SELECT
  1 AS a
""",
    ),
    "a function in JavaScript keeps its body": (
        'CREATE TEMP FUNCTION f(x STRING) RETURNS STRING LANGUAGE js AS r"""\n  return  x ;\n""";',
        """\
CREATE TEMP FUNCTION f(x STRING)
RETURNS STRING
LANGUAGE js AS r\"\"\"
  return  x ;
\"\"\";
""",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    before, after = RULES[rule]
    assert format_sql(before) == after
    assert format_sql(after) == after


def test_a_line_of_a_hundred_is_folded_and_of_a_hundred_and_one_is_not() -> None:
    fits = f"  f({'a' * 90}, bcd)"
    assert len(fits) == 100
    assert format_sql(f"SELECT {fits}") == f"SELECT\n{fits}\n"
    assert format_sql(f"SELECT f({'a' * 91}, bcd)") == f"SELECT\n  f(\n    {'a' * 91},\n    bcd\n  )\n"
