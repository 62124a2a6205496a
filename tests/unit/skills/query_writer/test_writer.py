"""What the room of the query does on the way out, and when the model comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from etl_orchestrator.authors import ScriptedAuthor
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.finding import Finding
from etl_orchestrator.model import Model
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.requirements import Body, Column, Query, Requirements, Source
from etl_orchestrator.skills.query_writer import says, work
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import Analyzer, Runner, Tools

ORDERS = "acme-data.shop_live.orders_v1"
CUSTOMERS = "acme-data.shop_derived.customers_v1"
PATH = "sql/acme-data/shop_derived/daily_orders_v1/query.sql"

Make = Callable[..., Requirements]


class _Nobody:
    """Plays a tool that the writer never asks."""


NOBODY: object = _Nobody()


def _tools(schemas: dict[str, Schema], *answers: str | None) -> Tools:
    analyzer: Analyzer = NOBODY  # type: ignore[assignment]
    runner: Runner = NOBODY  # type: ignore[assignment]
    catalog = Memory({TableRef.parse(name): schema for name, schema in schemas.items()})
    return Tools(analyzer, runner, catalog, ScriptedAuthor(answers))


def _history(tools: Tools) -> list[str]:
    assert isinstance(tools.author, ScriptedAuthor)
    return [task.kind for task in tools.author.history]


def _finding(message: str, line: int = 1, owner: str = "query") -> Finding:
    return Finding("QRY002", "refused_query", message, f"{PATH}:{line}:3", owner, "correct it")


@pytest.fixture
def model(required: Make, plan: Plan) -> Model:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),))
    requirements = required(body)
    return Model(requirements.table, requirements, plan)


def test_it_makes_the_planned_file(model: Model, schemas: dict[str, Schema]) -> None:
    made = work(model, _tools(schemas))
    assert [(artifact.path, artifact.made_by) for artifact in made.artifacts] == [(PATH, "query")]
    assert says(made) == f"query.sql, {made.artifacts[0].text.count(chr(10))} lines"
    python = replace(model, plan=model.plan and replace(model.plan, query_type=Decision("query.py", "an API")))
    assert [artifact.path for artifact in work(python, _tools(schemas)).artifacts] == [PATH.replace(".sql", ".py")]


def test_without_requirements_nothing_is_made(model: Model, schemas: dict[str, Schema]) -> None:
    bare = Model(model.table)
    assert work(bare, _tools(schemas)) is bare
    assert says(bare) == "no query made"


def test_words_become_an_expression_of_the_author_once(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    body = Body(
        sources=(Source("orders", ORDERS),), columns=(Column("order_id"), Column("is_big", notes="more than a hundred"))
    )
    requirements = required(body)
    tools = _tools(schemas, "amount > 100", None, None)
    made = work(Model(requirements.table, requirements, plan), tools)
    assert "amount > 100 AS is_big" in made.artifacts[0].text
    assert _history(tools) == ["expression"]
    again = work(replace(made, findings=(_finding("wrong rows"),)), tools)
    assert again.digest == made.digest
    assert _history(tools) == ["expression", "repair"]


@pytest.mark.parametrize("answer", ["amount > 100; DROP TABLE x", "1 FROM secrets --", None])
def test_what_is_no_expression_is_not_taken(
    answer: str | None, required: Make, plan: Plan, schemas: dict[str, Schema]
) -> None:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("is_big", notes="more than a hundred"),))
    requirements = required(body)
    made = work(Model(requirements.table, requirements, plan), _tools(schemas, answer))
    assert made.artifacts[0].text.endswith("SELECT\n  is_big\nFROM\n  `acme-data.shop_live.orders_v1`\n")


def test_a_name_called_ambiguous_is_qualified_by_the_join_key(required: Make, plan: Plan) -> None:
    on = "orders.customer_id = customers.customer_id AND orders.status = customers.status"
    body = Body(
        sources=(Source("orders", ORDERS), Source("customers", CUSTOMERS, join="LEFT", on=on)),
        columns=(Column("customer_id"), Column("status")),
    )
    requirements = required(body)
    tools = _tools({})
    made = work(Model(requirements.table, requirements, plan), tools)
    assert "SELECT\n  customer_id,\n  status\n" in made.artifacts[0].text
    made = work(replace(made, findings=(_finding("Column name customer_id is ambiguous"),)), tools)
    assert "SELECT\n  orders.customer_id,\n  status\n" in made.artifacts[0].text
    # The analyzer names one at a time: the first stays qualified.
    made = work(replace(made, findings=(_finding("Column name status is ambiguous"),)), tools)
    assert "SELECT\n  orders.customer_id,\n  orders.status\n" in made.artifacts[0].text
    assert _history(tools) == []


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ("created = @submission_date", "DATE(created) = @submission_date"),
        ("orders.created >= DATE '2025-06-01'", "DATE(orders.created) >= DATE '2025-06-01'"),
        ("created > @submission_date", None),  # after midnight, or after that day?
        ("submission_date = @submission_date", None),
        ("created = @other", None),
    ],
)
def test_a_timestamp_compared_with_a_day_becomes_its_day(
    written: str, mended: str | None, required: Make, plan: Plan, schemas: dict[str, Schema]
) -> None:
    body = Body(sources=(Source("orders", ORDERS),), columns=(Column("order_id"),), where=written)
    requirements = required(body)
    tools = _tools(schemas)
    made = work(Model(requirements.table, requirements, plan), tools)
    line = made.artifacts[0].text.splitlines().index(f"  {written}") + 1
    message = "No matching signature for operator = for argument types: TIMESTAMP, DATE"
    again = work(replace(made, findings=(_finding(message, line),)), tools)
    assert f"  {mended or written}" in again.artifacts[0].text.splitlines()
    assert (again.digest != made.digest) == (mended is not None)


def test_what_no_rule_can_mend_is_asked_of_the_author(model: Model, schemas: dict[str, Schema]) -> None:
    tools = _tools(schemas, "select order_id from `acme-data.shop_live.orders_v1`")
    made = work(model, tools)
    again = work(replace(made, findings=(_finding("wrong rows"),)), tools)
    assert again.artifacts[0].text == "SELECT\n  order_id\nFROM\n  `acme-data.shop_live.orders_v1`\n"
    assert isinstance(tools.author, ScriptedAuthor)
    assert "wrong rows" in tools.author.history[0].context["findings"]


def test_with_nobody_who_knows_better_the_same_comes_out(model: Model, schemas: dict[str, Schema]) -> None:
    tools = _tools(schemas)
    made = work(model, tools)
    again = work(replace(made, findings=(_finding("wrong rows"),)), tools)
    assert again.digest == made.digest


def test_findings_of_others_are_not_mended_here(model: Model, schemas: dict[str, Schema]) -> None:
    tools = _tools(schemas, "SELECT 1")
    made = work(model, tools)
    again = work(replace(made, findings=(_finding("no description", owner="metadata"),)), tools)
    assert again.digest == made.digest
    assert _history(tools) == []


def test_a_given_query_comes_back_as_it_went(required: Make, plan: Plan, schemas: dict[str, Schema]) -> None:
    requirements = required(Body(), query=Query("select 1 as order_id", "inline"))
    tools = _tools(schemas, "SELECT 2 AS order_id")
    made = work(Model(requirements.table, requirements, plan), tools)
    assert made.artifacts[0].text == "SELECT\n  1 AS order_id\n"
    assert says(made) == "adopted query.sql, 2 lines"
    again = work(replace(made, findings=(_finding("wrong rows"),)), tools)
    assert again.artifacts == made.artifacts
    assert _history(tools) == []
