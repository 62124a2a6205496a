"""Tables found by their names alone."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql.text import edited
from etl_orchestrator.engines.googlesql.text_tables import begins_value, tables_in
from etl_orchestrator.table import TableRef

ORDERS = TableRef("a-project", "shop", "orders_v1")


@pytest.mark.parametrize(
    ("sql", "expected", "certain"),
    [
        ("SELECT id FROM shop.orders_v1 WHERE TRUE", "SELECT id FROM t AS `orders_v1` WHERE TRUE", True),
        ("SELECT id FROM `a-project`.shop.orders_v1 AS o", "SELECT id FROM t AS o", True),
        (
            "SELECT id FROM a-project.shop.orders_v1 o JOIN shop.orders_v1",
            "SELECT id FROM t o JOIN t AS `orders_v1`",
            True,
        ),
        ("SELECT 1 FROM shop.orders_v1 PIVOT (x)", "SELECT 1 FROM t AS `orders_v1` PIVOT (x)", True),
        ("SELECT shop.orders_v1.id FROM shop.orders_v1", "SELECT shop.orders_v1.id FROM t AS `orders_v1`", True),
        ("SELECT 1 FROM a, shop.orders_v1", "SELECT 1 FROM a, t AS `orders_v1`", False),
        ("SELECT x, shop.orders_v1 FROM shop", "SELECT x, t AS `orders_v1` FROM shop", False),
        ("SELECT shop.orders_v1(1) -- FROM shop.orders_v1", "SELECT shop.orders_v1(1) -- FROM shop.orders_v1", True),
    ],
)
def test_tables_by_name(sql: str, expected: str, certain: bool) -> None:
    edits, found = tables_in(sql, [ORDERS], lambda _: "t")
    assert (edited(sql, edits), found) == (expected, certain)


def test_a_select_of_values() -> None:
    assert begins_value("SELECT AS STRUCT 1 AS a")
    assert begins_value("WITH t AS (SELECT 1) SELECT AS VALUE x FROM t")
    assert not begins_value("SELECT ARRAY(SELECT AS STRUCT 1 AS a) AS struct_")
