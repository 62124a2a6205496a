"""A fenced SELECT as steps."""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import sql_block
from etl_orchestrator.requirements import Body, Column, Source, Step

POOL = sql_block.Pool(
    {
        "pings": Source("pings", "p-xx.d.pings_v1", filter="pings.day = @d AND mypings.x = 1", join="LEFT", on="a = b"),
        "shops": Source("shops", "p-xx.d.shops_v1"),
    },
    frozenset({"known"}),
    "p-xx",
)


def steps(text: str) -> list[Step]:
    return sql_block.steps(text, "result", POOL, "f.md:9")


def test_clauses() -> None:
    (step,) = steps(
        "SELECT pings.a, b AS c, COUNT(*) n,\nFROM pings\nWHERE a IS DISTINCT FROM b\nGROUP BY 1, c\n"
        "HAVING COUNT(*) > 1 QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1;"
    )
    assert step == Step(
        "result",
        Body(
            sources=(Source("pings", "p-xx.d.pings_v1", filter="pings.day = @d AND mypings.x = 1"),),
            columns=(Column("a", "pings.a"), Column("c", "b"), Column("n", "COUNT(*)")),
            where="a IS DISTINCT FROM b",
            having="COUNT(*) > 1",
            qualify="ROW_NUMBER() OVER (ORDER BY a) = 1",
        ),
    )


def test_joins() -> None:
    (step,) = steps(
        "SELECT x.a FROM pings AS x LEFT OUTER JOIN shops ON LEFT(x.a, 3) = shops.a JOIN known k USING (a, b)\n"
        "CROSS JOIN UNNEST(x.lines) AS line WITH OFFSET AS place, UNNEST(x.tags) tag FULL JOIN `q-yy.e.t` ON TRUE"
    )
    assert step.body.sources == (
        Source("x", "p-xx.d.pings_v1", filter="x.day = @d AND mypings.x = 1"),
        Source("shops", "p-xx.d.shops_v1", join="LEFT", on="LEFT(x.a, 3) = shops.a"),
        Source("k", "known", join="INNER", on="(a, b)"),
        Source("line", unnest="x.lines", offset="place", join="CROSS"),
        Source("tag", unnest="x.tags", join="CROSS"),
        Source("t", "q-yy.e.t", join="FULL", on="TRUE"),
    )


def test_with_union_and_subqueries_become_steps_of_their_own() -> None:
    made = steps(
        "WITH first AS (SELECT a FROM pings), second AS (SELECT a FROM first)\n"
        "SELECT a FROM second UNION DISTINCT (SELECT q.a FROM (SELECT a FROM shops) AS q)"
    )
    assert [step.name for step in made] == ["first", "second", "result_1", "q", "result_2", "result"]
    assert made[1].body.sources == (Source("first", "first"),)
    assert made[-1].body == Body(union=("result_1", "result_2"), union_distinct=True)


def test_group_by_without_aggregates_makes_rows_distinct() -> None:
    (step,) = steps("SELECT a, b FROM pings GROUP BY a, b")
    assert step.body.distinct
    (step,) = steps("SELECT a, SUM(b) AS s FROM pings GROUP BY ALL")
    assert not step.body.distinct


def test_stars() -> None:
    (step,) = steps("SELECT pings.* EXCEPT (a), b * 2 AS c FROM pings")
    assert step.body.columns == (Column("*", "pings.* EXCEPT (a)"), Column("c", "b * 2"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT a FROM pings; DROP TABLE x", "second statement"),
        ("DELETE FROM x WHERE TRUE", "does not begin with SELECT"),
        ("", "does not begin with SELECT"),
        ("SELECT", "empty"),
        ("SELECT a FROM pings ORDER BY a", "ORDER BY"),
        ("SELECT a FROM pings LIMIT 3", "LIMIT"),
        ("SELECT a FROM pings WINDOW w AS (ORDER BY a)", "WINDOW"),
        ("SELECT a FROM pings GROUP BY a, b", "none of its columns"),
        ("SELECT a, b, COUNT(*) AS n FROM pings GROUP BY a", "differ in b"),
        ("SELECT a, COUNT(*) AS n FROM pings GROUP BY ROLLUP(a)", "none of its columns"),
        ("SELECT a + 1 FROM pings", "has no name"),
        ("SELECT AS STRUCT a FROM pings", "more than a step holds"),
        ("SELECT a FROM pings EXCEPT DISTINCT SELECT a FROM shops", "more than a step holds"),
        ("SELECT a FROM pings UNION ALL SELECT a FROM shops UNION DISTINCT SELECT a FROM known", "mixed"),
        ("SELECT a FROM pings PIVOT (SUM(x) FOR y IN ('a'))", "FROM holds"),
        ("SELECT a FROM UNNEST(x)", "no alias"),
        ("SELECT a FROM (SELECT 1 AS a)", "no alias"),
        ("SELECT {{ a }} FROM pings", "Jinja"),
        ("SELECT a FROM pings WHERE a = 'x", "not closed"),
        ("SELECT a FROM pings WHERE a -- rest", "swallows"),
        ("SELECT a FROM pings WHERE (a", "not closed"),
        ("SELECT a WHERE b FROM pings", "not in their order"),
        ("SELECT a FROM d.x.y.z", "not a table name"),
    ],
)
def test_what_a_step_cannot_hold_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        steps(text)
    assert reason in caught.value.message
    assert caught.value.at == "f.md:9"
    assert caught.value.fix
