"""What is read out of the decisions of a plan."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from etl_orchestrator.outcome import decisions
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.table import TableRef

NOTHING = Decision("", "nobody said")
PLAN = Plan(TableRef("acme-data", "shop_derived", "orders_v1"), *((NOTHING,) * 9))


def test_an_empty_list_is_no_empty_name() -> None:
    assert (PLAN.cluster_list, PLAN.owner_list) == ((), ())


def test_lists_are_told_apart_by_comma() -> None:
    plan = replace(PLAN, clustering=Decision("city, day", ""), owners=Decision("a@x.example, b@x.example", ""))
    assert plan.cluster_list == ("city", "day")
    assert plan.owner_list == ("a@x.example", "b@x.example")


@pytest.mark.parametrize(("said", "monitored"), [("yes", True), ("no", False), ("", False)])
def test_only_a_yes_is_monitored(said: str, monitored: bool) -> None:
    assert replace(PLAN, monitoring=Decision(said, "")).monitored is monitored


@pytest.mark.parametrize(
    ("kind", "is_python"), [("query.py", True), ("query.sql", False), ("adopted query.sql", False)]
)
def test_only_query_py_is_python(kind: str, is_python: bool) -> None:
    assert replace(PLAN, query_type=Decision(kind, "")).is_python is is_python


def test_every_decision_of_a_plan_is_told() -> None:
    decided = {field.name for field in fields(Plan) if isinstance(getattr(PLAN, field.name), Decision)}
    assert {name for name, _ in decisions(PLAN)} == decided
    assert decisions(None) == []
