"""Joins that would make several rows of one."""

from __future__ import annotations

from typing import Any

import pytest

TEXT = """\
table: sales_derived.paid_orders_v1
description: Every order.
grain: [order_key]
sources:
  - table: sales_live.orders_v1
    alias: orders
  - table: {table}
    alias: other
    join: LEFT
    on: {on}
    schema: [{{name: {key}, type: STRING}}, {{name: shop_id, type: STRING}}, {{name: day, type: DATE}}]{more}
columns:
  - {{name: order_key, expression: orders.order_id}}
  - {{name: other_day, expression: {column}}}
partitioning: {{incremental: false}}
schedule: {{dag: bqetl_sales}}
"""


def asked(shop: Any, **changes: str) -> list[str]:
    settings = {"table": "static.stores_v1", "on": "orders.shop_id = other.shop_id", "key": "store_id",
                "more": "", "column": "other.day"}  # fmt: skip
    return list(shop.asked(TEXT.format(**{**settings, **changes})))


def test_a_join_of_which_nothing_tells_is_asked_about(shop: Any) -> None:
    assert asked(shop) == ["sources.1.matches"]


@pytest.mark.parametrize("word", ["one", "many"])
def test_the_word_of_the_person_settles_it(shop: Any, word: str) -> None:
    assert asked(shop, more=f"\n    matches: {word}") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"on": "orders.shop_id = other.store_id"},
        {"on": "orders.shop_id = other.shop_id AND other.store_id = 'main'"},
        {"table": "static.stores_daily_v1", "on": "orders.shop_id = other.store_id AND other.day = @submission_date"},
        {"more": "\n    filter: store_id = 'main'"},
    ],
)
def test_a_settled_key_is_not_asked_about(shop: Any, changes: dict[str, str]) -> None:
    assert asked(shop, **changes) == []


def test_a_row_for_each_day_is_not_one_row(shop: Any) -> None:
    assert asked(shop, table="static.stores_daily_v1", on="orders.shop_id = other.store_id") == ["sources.1.matches"]


def test_rows_put_together_afterwards_are_not_asked_about(shop: Any) -> None:
    assert asked(shop, column="MAX(other.day)") == []


def test_another_word_is_refused(shop: Any) -> None:
    with pytest.raises(Exception, match="does not say how many rows match"):
        asked(shop, more="\n    matches: some")
