"""Joins that would count a row several times in an aggregate."""

from __future__ import annotations

from typing import Any

import pytest

TEXT = """\
table: sales_derived.shop_days_v1
description: Money per shop.
grain: [shop_id]
sources:
  - table: sales_live.orders_v1
    alias: orders{first}
  - table: static.parcels_v1
    alias: parcels
    join: INNER
    on: {on}
    schema:
      - {{name: {key}, type: STRING}}
      - {{name: order_id, type: STRING}}
      - {{name: weight, type: FLOAT}}
      - {{name: items, type: RECORD, mode: REPEATED, fields: [{{name: isbn, type: STRING}}]}}{more}
columns:
  - {{name: shop_id, expression: orders.shop_id}}
  - {{name: told, expression: "{told}"}}
partitioning: {{incremental: false}}
schedule: {{dag: bqetl_sales}}
"""
ARRAY = "\n  - {unnest: orders.lines, alias: line, join: CROSS}"


def text(**changes: str) -> str:
    usual = {
        "first": "",
        "on": "orders.order_id = parcels.order_id",
        "key": "parcel_id",
        "more": "",
        "told": "COUNT(*)",
    }
    return TEXT.format(**{**usual, **changes})


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("SUM(orders.amount)", ["sources.1.matches"]),
        ("ROUND(AVG(amount), 2)", ["sources.1.matches"]),
        ("COUNT(*)", ["sources.1.matches"]),
        ("COUNTIF(status = 'paid')", ["sources.1.matches"]),
        ("COUNT(DISTINCT orders.order_id)", []),
        ("MAX(orders.amount)", []),
        ("ANY_VALUE(orders.status)", []),
        ("SUM(orders.amount * parcels.weight)", []),
        ("SUM(parcels.weight)", []),  # an order is one row for its order_id
        ("COUNTIF(parcels.weight > 2)", []),
    ],
)
def test_only_what_would_be_counted_twice_is_asked_about(shop: Any, told: str, asked: list[str]) -> None:
    assert shop.asked(text(told=told)) == asked


@pytest.mark.parametrize(
    "changes",
    [
        {"more": "\n    matches: one"},
        {"more": "\n    matches: many"},
        {
            "key": "label",
            "on": "orders.order_id = parcels.label AND parcels.order_id = 'x'",
            "more": "\n    matches: one",
        },
        {"on": "orders.order_id = parcels.parcel_id"},
    ],
)
def test_what_is_settled_is_not_asked_about(shop: Any, changes: dict[str, str]) -> None:
    assert shop.asked(text(told="SUM(orders.amount)", **changes)) == []


def test_the_first_source_can_be_the_one_that_has_several(shop: Any) -> None:
    by_shop = text(told="SUM(parcels.weight)", on="orders.shop_id = parcels.parcel_id")
    assert shop.asked(by_shop) == ["sources.0.matches"]
    said = text(told="SUM(parcels.weight)", on="orders.shop_id = parcels.parcel_id", first="\n    matches: one")
    assert shop.asked(said) == []


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("SUM(orders.amount)", ["sources.2.matches"]),
        ("SUM(line.price)", []),
        ("COUNT(*)", []),
        ("SUM(IF(line.isbn = 'x', orders.amount, 0))", []),
    ],
)
def test_an_array_multiplies_what_is_summed_beside_it(shop: Any, told: str, asked: list[str]) -> None:
    assert shop.asked(text(told=told, more="\n    matches: one" + ARRAY)) == asked


def test_an_array_grouped_by_its_element_is_meant_to(shop: Any) -> None:
    per_book = text(told="SUM(orders.amount)", more="\n    matches: one" + ARRAY).replace(
        "[shop_id]", "[shop_id, isbn]"
    )
    assert shop.asked(per_book.replace("columns:\n", "columns:\n  - {name: isbn, expression: line.isbn}\n")) == []


def test_a_step_is_asked_about_too_and_says_the_column(shop: Any) -> None:
    steps = """\
steps:
  - name: totals
    sources:
      - {table: sales_live.orders_v1, alias: orders}
      - {table: sales_live.orders_v1, alias: others, join: LEFT, on: orders.shop_id = others.shop_id}
    columns:
      - {name: shop_id, expression: orders.shop_id}
      - {name: paid, expression: SUM(orders.amount)}
columns:
"""
    (question,) = shop.questions(text(told="MAX(orders.amount)").replace("columns:\n", steps, 1))
    assert question.element == "steps.totals.sources.1.matches"
    assert "`paid` = `SUM(orders.amount)`" in question.text


def test_a_known_key_is_told(shop: Any) -> None:
    requirements = shop.accept(text(told="SUM(orders.amount)", on="orders.order_id = parcels.parcel_id"))
    assert "at most one row of `parcels` matches: `parcel_id` names a row of `parcels_v1`" in requirements.assumptions
