from __future__ import annotations

import pytest

from etl_orchestrator.sql.array_order import leaves_order_open


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ARRAY_AGG(x) FROM t",
        "SELECT ARRAY_AGG(DISTINCT x IGNORE NULLS) FROM t ORDER BY y",
        "SELECT ARRAY(SELECT x FROM UNNEST(xs) AS x GROUP BY x)",
        "SELECT ARRAY(WITH a AS (SELECT x FROM t ORDER BY x) SELECT x FROM a)",
        "SELECT ARRAY_AGG(x ORDER BY x), array_concat_agg(y) FROM t",
        "SELECT ARRAY_AGG((SELECT MAX(y) OVER (ORDER BY z) FROM u)) FROM t",
    ],
)
def test_an_array_without_an_order_of_its_own(sql: str) -> None:
    assert leaves_order_open(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ARRAY_AGG(x ORDER BY y LIMIT 3) FROM t",
        "SELECT ARRAY(SELECT x FROM UNNEST(xs) AS x ORDER BY x)",
        "SELECT ARRAY<INT64>[1, 2], [3], GENERATE_ARRAY(1, 3), array FROM t",
        "SELECT 'ARRAY_AGG(x)' -- ARRAY_AGG(x)",
        "SELECT ARRAY_AGG(x",
    ],
)
def test_no_array_or_a_sorted_one(sql: str) -> None:
    assert not leaves_order_open(sql)
