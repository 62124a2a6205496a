"""A shop: two tables, and a factory of requirements for a table made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.requirements import (
    Body,
    Parameter,
    Partitioning,
    Request,
    Requirements,
    Schedule,
)
from etl_orchestrator.table import Field, Schema, TableRef

TABLE = TableRef("acme-data", "shop_derived", "daily_orders_v1")
DAILY = Partitioning(True, "submission_date", "day")


@pytest.fixture
def schemas() -> dict[str, Schema]:
    return {
        "acme-data.shop_live.orders_v1": (
            Field("submission_date", "DATE"),
            Field("order_id", "STRING"),
            Field("customer_id", "STRING"),
            Field("status", "STRING"),
            Field("amount", "INTEGER"),
            Field("created", "TIMESTAMP"),
            Field("items", "RECORD", "REPEATED", None, (Field("sku", "STRING"), Field("price", "INTEGER"))),
        ),
        "acme-data.shop_derived.customers_v1": (
            Field("customer_id", "STRING"),
            Field("country", "STRING"),
            Field("status", "STRING"),
        ),
    }


@pytest.fixture
def required() -> Callable[..., Requirements]:
    """Requirements around a body; keywords go to the request, or to the requirements where those have the field too."""

    def make(body: Body, **changes: object) -> Requirements:
        own = {
            name: changes.pop(name) for name in ("partitioning", "schedule", "keys", "description") if name in changes
        }
        request = replace(Request("orders.yaml", "0" * 64, table=TABLE, body=body), **changes)  # type: ignore[arg-type]
        bodies = [body, *(step.body for step in request.steps)]
        bodies += [first for first in (request.on_init, *(step.on_init for step in request.steps)) if first]
        tables = [source.table for one in bodies for source in one.sources if source.table and not source.is_step]
        requirements = Requirements(
            request,
            TABLE,
            "Orders of a day.",
            body,
            (),
            tuple(TableRef.parse(table) for table in dict.fromkeys(tables)),
            DAILY,
            Schedule(dag="bqetl_shop"),
            parameters=(Parameter("submission_date", "DATE", "{{ds}}"),),
        )
        return replace(requirements, **own)  # type: ignore[arg-type]

    return make


@pytest.fixture
def plan() -> Plan:
    said = Decision("", "nobody said otherwise")
    return Plan(
        TABLE,
        Decision("query.sql", "plain SQL is the rule"),
        Decision("incremental", "each run writes one day"),
        Decision("bqetl_shop", "the requirements name it"),
        said,
        said,
        Decision("no", "tier_3"),
        Decision("Daily Orders", "the table's name in words"),
        said,
        said,
    )
