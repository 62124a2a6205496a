"""The query that a rule writes, as text."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Body, Column, Query, RefuseWhen, Requirements, Source, Step
from etl_orchestrator.skills.query_writer import Known, write_query
from etl_orchestrator.sql.formatter import format_sql
from etl_orchestrator.table import Schema

ORDERS = "acme-data.shop_live.orders_v1"
CUSTOMERS = "acme-data.shop_derived.customers_v1"
ITSELF = "acme-data.shop_derived.daily_orders_v1"
OF_DAY = "submission_date = @submission_date"

Make = Callable[..., Requirements]


def _body_of(query: str) -> str:
    """The query without its header."""
    return "\n".join(line for line in query.splitlines() if not line.startswith("--"))


def _lines(text: str) -> str:
    return dedent(text).strip("\n")


def test_a_daily_aggregate_in_full(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(
        sources=(Source("orders", ORDERS, filter=OF_DAY),),
        columns=(
            Column("submission_date"),
            Column("customer_id"),
            Column("kind", "'web'"),
            Column("coupon", "NULL", type="STRING"),
            Column("n_orders", "COUNT(*)"),
            Column("share", "SUM(amount) / SUM(SUM(amount)) OVER ()"),
        ),
        where="status = 'paid' OR status = 'sent'",
        having="COUNT(*) > 1",
    )
    requirements = required(body, grain=("submission_date", "customer_id"))
    assert write_query(requirements, plan, Known(schemas)) == dedent("""\
        -- Orders of a day.
        -- Grain: one row per submission_date and customer_id
        -- Sources:
        --   acme-data.shop_live.orders_v1
        SELECT
          submission_date,
          customer_id,
          'web' AS kind,
          CAST(NULL AS STRING) AS coupon,
          COUNT(*) AS n_orders,
          SUM(amount) / SUM(SUM(amount)) OVER () AS share
        FROM
          `acme-data.shop_live.orders_v1`
        WHERE
          submission_date = @submission_date
          AND (status = 'paid' OR status = 'sent')
        GROUP BY
          submission_date,
          customer_id,
          kind,
          coupon
        HAVING
          COUNT(*) > 1
        """)


def test_a_filter_stands_before_its_outer_join(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(
        sources=(
            Source("orders", ORDERS, filter=OF_DAY),
            Source(
                "customers",
                CUSTOMERS,
                filter="status = 'active'",
                join="LEFT",
                on="orders.customer_id = customers.customer_id",
            ),
        ),
        columns=(Column("customer_id"), Column("country", "COALESCE(country, 'none')"), Column("total", "SUM(amount)")),
        where="amount > 0",
    )
    assert _body_of(write_query(required(body), plan, Known(schemas))) == _lines("""
        WITH orders AS (
          SELECT
            *
          FROM
            `acme-data.shop_live.orders_v1`
          WHERE
            submission_date = @submission_date
        ),
        customers AS (
          SELECT
            *
          FROM
            `acme-data.shop_derived.customers_v1`
          WHERE
            status = 'active'
        )
        SELECT
          orders.customer_id,
          COALESCE(customers.country, 'none') AS country,
          SUM(orders.amount) AS total
        FROM
          orders
        LEFT JOIN
          customers
          ON orders.customer_id = customers.customer_id
        WHERE
          orders.amount > 0
        GROUP BY
          customer_id,
          country
        """)


def test_arrays_are_unnested_with_their_filter_in_on(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(
        sources=(
            Source("orders", ORDERS, filter=OF_DAY),
            Source("item", unnest="orders.items", offset="place", join="LEFT", filter="price > 0"),
        ),
        columns=(Column("order_id"), Column("sku"), Column("place"), Column("price", "item.price")),
    )
    assert _body_of(write_query(required(body), plan, Known(schemas))) == _lines("""
        SELECT
          orders.order_id,
          item.sku,
          place,
          item.price
        FROM
          `acme-data.shop_live.orders_v1` AS orders
        LEFT JOIN
          UNNEST(orders.items) AS item
          WITH OFFSET AS place
          ON item.price > 0
        WHERE
          orders.submission_date = @submission_date
        """)


def test_steps_unions_and_the_last_row_of_each(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    paid = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where="status = 'paid'")
    sent = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where="status = 'sent'")
    steps = (
        Step("paid", paid),
        Step("sent", sent),
        Step("either", Body(union=("paid", "sent"))),
    )
    body = Body(
        sources=(Source("either", "either"),),
        columns=(Column("order_id"),),
        distinct=True,
        qualify="ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY order_id) = 1",
    )
    assert _body_of(write_query(required(body, steps=steps), plan, Known(schemas))) == _lines("""
        WITH paid AS (
          SELECT
            order_id
          FROM
            `acme-data.shop_live.orders_v1`
          WHERE
            status = 'paid'
        ),
        sent AS (
          SELECT
            order_id
          FROM
            `acme-data.shop_live.orders_v1`
          WHERE
            status = 'sent'
        ),
        either AS (
          SELECT
            *
          FROM
            paid
          UNION ALL
          SELECT
            *
          FROM
            sent
        )
        SELECT DISTINCT
          order_id
        FROM
          either
        QUALIFY
          ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY order_id) = 1
        """)


def test_the_result_of_a_union_hangs_on_no_star(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    part = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"), Column("amount")))
    query = write_query(
        required(Body(union=("a", "b"), union_distinct=True), steps=(Step("a", part), Step("b", part))),
        plan,
        Known(schemas),
    )
    assert query.endswith(
        "SELECT\n  order_id,\n  amount\nFROM\n  a\nUNION DISTINCT\nSELECT\n  order_id,\n  amount\nFROM\n  b\n"
    )


def test_the_first_run_of_a_step_reads_no_table_of_its_own(
    required: Make, plan: Plan, schemas: dict[str, Schema]
) -> None:
    before = Step(
        "before",
        Body(
            sources=(Source("self", ITSELF, filter="submission_date < @submission_date"),),
            columns=(Column("order_id"),),
        ),
        on_init=Body(sources=(Source("orders", ORDERS),), where="FALSE"),
    )
    body = Body(
        sources=(
            Source("orders", ORDERS),
            Source("before", "before", join="LEFT", on="orders.order_id = before.order_id"),
        ),
        columns=(Column("order_id"), Column("is_new", "before.order_id IS NULL")),
    )
    assert _body_of(write_query(required(body, steps=(before,)), plan, Known(schemas))) == _lines("""
        WITH before AS (
          {% if is_init() %}
            SELECT
              order_id
            FROM
              `acme-data.shop_live.orders_v1`
            WHERE
              FALSE
          {% else %}
            SELECT
              order_id
            FROM
              `acme-data.shop_derived.daily_orders_v1`
            WHERE
              submission_date < @submission_date
          {% endif %}
        )
        SELECT
          orders.order_id,
          before.order_id IS NULL AS is_new
        FROM
          `acme-data.shop_live.orders_v1` AS orders
        LEFT JOIN
          before
          ON orders.order_id = before.order_id
        """)


def test_a_first_run_of_its_own_takes_only_the_steps_it_reads(
    required: Make, plan: Plan, schemas: dict[str, Schema]
) -> None:
    steps = (
        Step("before", Body(sources=(Source("self", ITSELF),), columns=(Column("order_id"),))),
        Step("today", Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where=OF_DAY)),
    )
    body = Body(
        sources=(
            Source("today", "today"),
            Source("before", "before", join="FULL", on="today.order_id = before.order_id"),
        ),
        columns=(Column("order_id", "COALESCE(today.order_id, before.order_id)"),),
    )
    first = Body(sources=(Source("today", "today"),), columns=(Column("order_id"),))
    query = _body_of(write_query(required(body, steps=steps, on_init=first), plan, Known(schemas)))
    init, _, later = query.partition("{% else %}")
    assert query.startswith("{% if is_init() %}\n  WITH today AS (")
    assert ITSELF not in init
    assert ITSELF in later
    assert later.lstrip().startswith("WITH before AS (")


def test_shared_steps_are_written_once(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    step = Step("today", Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where=OF_DAY))
    body = Body(sources=(Source("today", "today"),), columns=(Column("order_id"),), where="order_id > 'a'")
    first = Body(sources=(Source("today", "today"),))
    assert _body_of(write_query(required(body, steps=(step,), on_init=first), plan, Known(schemas))) == _lines("""
        WITH today AS (
          SELECT
            order_id
          FROM
            `acme-data.shop_live.orders_v1`
          WHERE
            submission_date = @submission_date
        )
        {% if is_init() %}
          SELECT
            order_id
          FROM
            today
        {% else %}
          SELECT
            order_id
          FROM
            today
          WHERE
            order_id > 'a'
        {% endif %}
        """)


def test_a_guard_is_united_with_the_result(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where=OF_DAY)
    guards = (RefuseWhen("COUNT(*) = 0", "nothing 'arrived' {{ today }}"), RefuseWhen("amount < 0", "negative"))
    assert _body_of(write_query(required(body, refuse_when=guards), plan, Known(schemas))) == _lines(r"""
        WITH refusals_of_sources AS (
          SELECT
            CASE
              WHEN COUNT(*) = 0
                THEN ERROR('nothing \'arrived\' \x7b{ today }}')
              WHEN LOGICAL_OR(amount < 0)
                THEN ERROR('negative')
              ELSE FALSE
            END AS refused
          FROM
            `acme-data.shop_live.orders_v1`
          WHERE
            submission_date = @submission_date
        )
        SELECT
          order_id
        FROM
          `acme-data.shop_live.orders_v1`
        WHERE
          submission_date = @submission_date
        UNION ALL
        SELECT
          NULL AS order_id
        FROM
          refusals_of_sources
        WHERE
          refused
        """)


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ("INNER", "orders.customer_id"),
        ("LEFT", "orders.customer_id"),
        ("RIGHT", "customers.customer_id"),
        ("FULL", "customer_id"),
    ],
)
def test_an_equal_key_is_taken_where_it_is_never_null(
    join: str, expected: str, required: Make, plan: Plan, schemas: dict[str, Schema]
) -> None:
    on = "orders.customer_id = customers.customer_id"
    body = Body(
        sources=(Source("orders", ORDERS), Source("customers", CUSTOMERS, join=join, on=on)),
        columns=(Column("customer_id"), Column("status")),
    )
    query = write_query(required(body), plan, Known(schemas))
    # status is in both tables, and no key: nobody but the person can say which one is meant.
    assert f"SELECT\n  {expected},\n  status\nFROM" in query


def test_a_table_of_a_subquery_is_named_in_full(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(
        sources=(Source("orders", ORDERS), Source("customers", CUSTOMERS, join="CROSS")),
        columns=(Column("latest", "(SELECT MAX(submission_date) FROM shop_live.orders_v1)"),),
    )
    assert "FROM `acme-data.shop_live.orders_v1`)" in write_query(required(body), plan, Known(schemas))


def test_names_that_are_keywords_are_quoted(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("group", "status"), Column("n", "COUNT(*)")))
    query = write_query(required(body), plan, Known(schemas))
    assert "status AS `group`" in query
    assert query.endswith("GROUP BY\n  `group`\n")


def test_a_given_query_is_laid_out_and_nothing_else(required: Make, plan: Plan) -> None:
    given = "select a,b -- why not\nfrom `acme-data.shop_live.orders_v1` where x='Keep  This'"
    written = write_query(required(Body(), query=Query(given, "inline")), plan)
    assert written == format_sql(given)
    assert "'Keep  This'" in written
    assert not written.startswith("-- Orders")


def test_a_description_cannot_command_formatter_or_template(required: Make, plan: Plan) -> None:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),))
    evil = "All. format: off {{ 1 }} {% raw %} {# x #}\nSELECT 1"
    query = write_query(required(body, description=evil), plan)
    assert query.splitlines()[0] == "-- All. format-off { { 1 } } { % raw % } { # x # } SELECT 1"
    assert format_sql(query) == query


def test_a_column_called_date_is_not_taken_for_the_type(required: Make, plan: Plan) -> None:
    body = Body(
        sources=(Source("costs", "acme-data.shop_live.costs_v1", filter="date = @submission_date"),),
        columns=(Column("date"), Column("time", "costs.time"), Column("day", "DATE(date)"), Column("n", "COUNT(*)")),
    )
    assert _body_of(write_query(required(body), plan)) == _lines("""
        SELECT
          `date`,
          costs.time,
          DATE(`date`) AS `day`,
          COUNT(*) AS n
        FROM
          `acme-data.shop_live.costs_v1` AS costs
        WHERE
          `date` = @submission_date
        GROUP BY
          `date`,
          `time`,
          `day`
        """)
