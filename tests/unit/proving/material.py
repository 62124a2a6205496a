"""Requirements and tables that the tests of proving share."""

from __future__ import annotations

from datetime import date
from typing import Any

from etl_orchestrator.requirements import (
    Body,
    Column,
    Parameter,
    Partitioning,
    Query,
    RefuseWhen,
    Request,
    Requirements,
    Schedule,
    Source,
    Step,
)
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData, Value

OUTPUT = TableRef("test-project", "shop_derived", "orders_daily_v1")
ORDERS = TableRef("test-project", "shop", "orders_v1")
COUNTRIES = TableRef("test-project", "shop", "countries_v1")
SCHEMAS: dict[TableRef, Schema] = {
    ORDERS: (
        Field("day", "DATE"),
        Field("client_id", "STRING"),
        Field("country", "STRING"),
        Field("amount", "INTEGER"),
        Field("state", "STRING"),
        Field("at", "TIMESTAMP"),
        Field("items", "RECORD", "REPEATED", fields=(Field("sku", "STRING"), Field("price", "INTEGER"))),
        Field("unread", "STRING"),
    ),
    COUNTRIES: (Field("code", "STRING"), Field("region", "STRING")),
}
DAY = date(2024, 2, 29)
PARAMETERS = {"submission_date": ParameterValue("DATE", DAY)}


def columns(*pairs: str) -> tuple[Column, ...]:
    """`name` or `name = expression`."""
    made = []
    for pair in pairs:
        name, _, expression = pair.partition(" = ")
        made.append(Column(name, expression or None))
    return tuple(made)


def orders(**changes: Any) -> Source:
    return Source(**{"alias": "orders", "table": str(ORDERS), **changes})


def countries(**changes: Any) -> Source:
    settings = {"alias": "countries", "table": str(COUNTRIES), "join": "LEFT", "on": "orders.country = countries.code"}
    return Source(**{**settings, **changes})


def requirements(
    body: Body,
    *steps: Step,
    query: str | None = None,
    on_init: Body | None = None,
    refuse_when: tuple[RefuseWhen, ...] = (),
    sources: tuple[TableRef, ...] | None = None,
) -> Requirements:
    """What intake would accept; the sources are found in the bodies."""
    bodies = [body, *(step.body for step in steps)]
    named = [source.table for one in bodies for source in one.sources if source.table and "." in source.table]
    tables = (
        tuple(dict.fromkeys(TableRef.parse(name, OUTPUT.project) for name in named)) if sources is None else sources
    )
    parameters = (Parameter("submission_date", "DATE", "{{ds}}"),)
    given = Query(query, "inline") if query is not None else None
    request = Request(
        "x.yaml", "", OUTPUT, body=body, steps=steps, query=given, on_init=on_init, refuse_when=refuse_when,
        parameters=parameters,
    )  # fmt: skip
    return Requirements(
        request, OUTPUT, "d", body, (), tables, Partitioning(True, "day"), Schedule(none="test"), parameters=parameters
    )


def tables(orders_rows: list[dict[str, Value]], countries_rows: list[dict[str, Value]]) -> dict[TableRef, TableData]:
    return {
        ORDERS: TableData(SCHEMAS[ORDERS], tuple(orders_rows)),
        COUNTRIES: TableData(SCHEMAS[COUNTRIES], tuple(countries_rows)),
    }
