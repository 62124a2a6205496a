"""What the written query gives, run by Google's reference evaluator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Body, Column, RefuseWhen, Requirements, Source, Step
from etl_orchestrator.skills.query_writer import Known, write_query
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData

ORDERS = "acme-data.shop_live.orders_v1"
CUSTOMERS = "acme-data.shop_derived.customers_v1"
DAY, BEFORE = date(2025, 6, 2), date(2025, 6, 1)
OF_DAY = "submission_date = @submission_date"

Make = Callable[..., Requirements]
Answer = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.fixture
def answer(engine: GoogleSql, required: Make, plan: Plan, schemas: dict[str, Schema]) -> Answer:
    """The rows which the query of a body gives for orders and customers, sorted; a problem as its message."""

    def run(
        body: Body, orders: list[dict[str, Any]], customers: list[dict[str, Any]] | None = None, **changes: object
    ) -> list[tuple[Any, ...]]:
        query = write_query(required(body, **changes), plan, Known(schemas))
        rows = {ORDERS: orders, CUSTOMERS: customers or []}
        tables = {TableRef.parse(name): TableData(schema, tuple(rows[name])) for name, schema in schemas.items()}
        result = engine.run(query, tables, {"submission_date": ParameterValue("DATE", DAY)})
        if result.problem:
            return [(result.problem.message,)]
        return sorted(result.rows, key=repr)

    return run


def _order(order: str, customer: str, amount: int = 1, day: date = DAY, **more: Any) -> dict[str, Any]:
    return {"submission_date": day, "order_id": order, "customer_id": customer, "amount": amount, **more}


def test_an_unmatched_row_stays_when_the_other_side_is_filtered(answer: Answer) -> None:
    on = "orders.customer_id = customers.customer_id"
    body = Body(
        sources=(
            Source("orders", ORDERS, filter=OF_DAY),
            Source("customers", CUSTOMERS, filter="status = 'active'", join="LEFT", on=on),
        ),
        columns=(Column("order_id"), Column("country")),
    )
    orders = [_order("1", "a"), _order("2", "b"), _order("3", "c"), _order("4", "a", day=BEFORE)]
    customers = [
        {"customer_id": "a", "country": "DE", "status": "active"},
        {"customer_id": "b", "country": "FR", "status": "gone"},
    ]
    assert answer(body, orders, customers) == [("1", "DE"), ("2", None), ("3", None)]


def test_a_filter_before_a_full_join_filters_its_own_side_only(answer: Answer) -> None:
    on = "orders.customer_id = customers.customer_id"
    body = Body(
        sources=(
            Source("orders", ORDERS, filter=f"{OF_DAY} OR amount > 100"),
            Source("customers", CUSTOMERS, join="FULL", on=on),
        ),
        columns=(Column("order_id"), Column("customer", "COALESCE(orders.customer_id, customers.customer_id)")),
    )
    orders = [_order("1", "a"), _order("2", "b", day=BEFORE), _order("3", "b", 101, day=BEFORE)]
    customers = [{"customer_id": "b"}, {"customer_id": "z"}]
    assert answer(body, orders, customers) == [("1", "a"), ("3", "b"), (None, "z")]


def test_an_empty_array_stays_and_its_elements_are_filtered(answer: Answer) -> None:
    items = Source("item", unnest="orders.items", offset="place", join="LEFT", filter="price > 0")
    body = Body(
        sources=(Source("orders", ORDERS, filter=OF_DAY), items),
        columns=(Column("order_id"), Column("place"), Column("sku")),
    )
    orders = [
        _order("1", "a", items=[{"sku": "x", "price": 0}, {"sku": "y", "price": 2}]),
        _order("2", "a", items=[]),
        _order("3", "a", day=BEFORE, items=[{"sku": "z", "price": 3}]),
    ]
    assert answer(body, orders) == [("1", 1, "y"), ("2", None, None)]


def test_a_name_that_shadows_a_column_is_the_key(answer: Answer) -> None:
    body = Body(
        sources=(Source("orders", ORDERS),),
        columns=(
            Column("customer_id", "UPPER(orders.customer_id)"),
            Column("status", "orders.order_id"),
            Column("order_id", "orders.status"),
            Column("n", "COUNT(*)"),
        ),
    )
    orders = [_order("1", "a", status="paid"), _order("1", "A", status="paid"), _order("2", "a", status="paid")]
    assert answer(body, orders) == [("A", "1", "paid", 2), ("A", "2", "paid", 1)]


def test_constants_and_parameters_are_keys_so_that_no_rows_give_no_row(answer: Answer) -> None:
    columns = (Column("submission_date", "@submission_date"), Column("kind", "'web'"), Column("n", "COUNT(*)"))
    body = Body(sources=(Source("orders", ORDERS, filter=OF_DAY),), columns=columns)
    assert answer(body, []) == []
    assert answer(body, [_order("1", "a"), _order("2", "a")]) == [(DAY, "web", 2)]


def test_an_or_does_not_escape_its_filter(answer: Answer) -> None:
    body = Body(
        sources=(Source("orders", ORDERS, filter="customer_id = 'a' OR customer_id = 'b'"),),
        columns=(Column("order_id"),),
        where="amount = 1 OR amount = 2",
    )
    orders = [_order("1", "a", 1), _order("2", "c", 2), _order("3", "b", 3)]
    assert answer(body, orders) == [("1",)]


GUARDS = (
    RefuseWhen("COUNT(*) = 0", "no rows"),
    RefuseWhen("amount < 0", "negative"),
    RefuseWhen("@submission_date < '2025-06-02'", "too early"),
    RefuseWhen("n > 2", "too many"),
    RefuseWhen("(SELECT COUNT(*) FROM shop_live.orders_v1 AS o WHERE o.customer_id = 'evil') > 0", "evil"),
)


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], [("no rows",)]),
        ([_order("1", "a")], [("a", 1)]),
        ([_order("1", "a", -1)], [("negative",)]),
        ([_order("1", "a"), _order("2", "a"), _order("3", "a")], [("too many",)]),
        ([_order("1", "a"), _order("2", "evil")], [("evil",)]),
        # Rows which the filter leaves out refuse nothing.
        ([_order("1", "a"), _order("2", "b", -1, BEFORE)], [("a", 1)]),
    ],
)
def test_runs_that_must_fail_do(answer: Answer, orders: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    body = Body(
        sources=(Source("orders", ORDERS, filter=OF_DAY),),
        columns=(Column("customer_id"), Column("n", "COUNT(*)")),
    )
    assert answer(body, orders, refuse_when=GUARDS) == expected


def test_a_guard_of_parameters_needs_no_rows(answer: Answer) -> None:
    body = Body(sources=(Source("orders", ORDERS, filter=OF_DAY),), columns=(Column("order_id"),))
    assert answer(body, [], refuse_when=(RefuseWhen("@submission_date >= '2025-06-02'", "too late"),)) == [
        ("too late",)
    ]
    assert answer(body, [], refuse_when=(RefuseWhen("@submission_date < '2025-06-02'", "too early"),)) == []


def test_steps_pass_their_rows_on(answer: Answer) -> None:
    paid = Body(
        sources=(Source("orders", ORDERS, filter=OF_DAY),),
        columns=(Column("*", "orders.* EXCEPT (items)"),),
        where="amount > 1",
    )
    last = Body(
        sources=(
            Source("paid", "paid"),
            Source("customers", CUSTOMERS, join="INNER", on="paid.customer_id = customers.customer_id"),
        ),
        columns=(Column("customer_id"), Column("country"), Column("total", "SUM(amount)")),
        having="SUM(amount) > 3",
    )
    orders = [_order("1", "a", 2), _order("2", "a", 3), _order("3", "b", 2), _order("4", "a", 1)]
    customers = [{"customer_id": "a", "country": "DE"}, {"customer_id": "b", "country": "DE"}]
    assert answer(last, orders, customers, steps=(Step("paid", paid),)) == [("a", "DE", 5)]


def test_the_latest_row_of_each_and_a_sum_over_all(answer: Answer) -> None:
    body = Body(
        sources=(Source("orders", ORDERS),),
        columns=(Column("customer_id"), Column("order_id"), Column("all_orders", "COUNT(*) OVER ()")),
        qualify="ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY amount DESC) = 1",
    )
    orders = [_order("1", "a", 2), _order("2", "a", 3), _order("3", "b", 2)]
    assert answer(body, orders) == [("a", "2", 3), ("b", "3", 3)]


def test_an_aggregate_in_having_speaks_of_the_rows_read(answer: Answer) -> None:
    columns = (Column("customer_id"), Column("amount", "SUM(amount)"))
    body = Body(sources=(Source("orders", ORDERS),), columns=columns, having="SUM(amount) > 3 AND amount < 10")
    orders = [_order("1", "a", 2), _order("2", "a", 3), _order("3", "b", 2), _order("4", "c", 11)]
    assert answer(body, orders) == [("a", 5)]
    ranked = replace(body, having=None, qualify="ROW_NUMBER() OVER (ORDER BY SUM(amount) DESC) = 1")
    assert answer(ranked, orders) == [("c", 11)]


def test_an_aggregate_in_having_keeps_its_source_among_joins(answer: Answer) -> None:
    on = "orders.customer_id = customers.customer_id"
    body = Body(
        sources=(Source("orders", ORDERS), Source("customers", CUSTOMERS, join="LEFT", on=on)),
        columns=(Column("country"), Column("amount", "SUM(amount)")),
        having="MAX(amount) > 2",
    )
    orders = [_order("1", "a", 2), _order("2", "a", 2), _order("3", "b", 3)]
    customers = [{"customer_id": "a", "country": "DE"}, {"customer_id": "b", "country": "FR"}]
    assert answer(body, orders, customers) == [("FR", 3)]


def test_an_aggregate_of_an_output_column_in_having(answer: Answer) -> None:
    columns = (Column("customer_id"), Column("twice", "amount * 2"), Column("n", "COUNT(*)"))
    body = Body(sources=(Source("orders", ORDERS),), columns=columns, having="SUM(twice) > 5")
    assert answer(body, [_order("1", "a", 2), _order("2", "a", 3)]) == [("a", 6, 1)]


def test_a_guard_may_name_the_only_source(answer: Answer) -> None:
    body = Body(sources=(Source("orders", ORDERS, filter=OF_DAY),), columns=(Column("order_id"),))
    guards = (RefuseWhen("MAX(orders.amount) < 3", "too small"),)
    assert answer(body, [_order("1", "a", 2)], refuse_when=guards) == [("too small",)]
    assert answer(body, [_order("1", "a", 3)], refuse_when=guards) == [("1",)]
