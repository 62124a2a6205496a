from __future__ import annotations

import pytest

from etl_orchestrator.sql.view_name import problem_of
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Settings

VIEW = TableRef("acme-data", "shop", "orders")
PATH = "sql/acme-data/shop/orders/view.sql"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE OR REPLACE VIEW\n  `acme-data.shop.orders`\nAS SELECT 1 AS a",
        "-- of orders\ncreate view if not exists `acme-data`.shop.`orders` (a) AS SELECT 1",
        "CREATE VIEW acme-data.shop.orders AS SELECT 1",
        "CREATE TABLE shop.other AS SELECT 1",
        "SELECT 'VIEW'",
        "CREATE VIEW `acme-data.shop.",
        "",
    ],
)
def test_the_name_of_the_folder_and_what_is_no_view(sql: str) -> None:
    assert problem_of(PATH, VIEW, sql, Settings()) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("`acme-data.shop.orders_v2`", "acme-data.shop.orders_v2"),
        ("shop.orders", "shop.orders"),
        ("`Orders`", "Orders"),
    ],
)
def test_another_name_is_told_where_it_stands(name: str, told: str) -> None:
    problem = problem_of(PATH, VIEW, f"CREATE OR REPLACE VIEW\n  {name}\nAS SELECT 1 AS a", Settings())
    assert problem is not None
    assert (
        problem.message == f"the view is named `{told}`, which does not fit its folder: write `acme-data.shop.orders`"
    )
    assert (problem.line, problem.column) == (2, 3)


def test_files_that_are_no_view_of_the_repository_and_those_that_the_settings_name_may_have_any() -> None:
    sql = "CREATE VIEW a.b.c AS SELECT 1"
    assert problem_of(f"tests/{PATH}", VIEW, sql, Settings()) is None
    listed = Settings(extra={"view": {"validation": {"skip": ["sql/*/shop/**/view.sql"]}}})
    assert problem_of(PATH, VIEW, sql, listed) is None
    assert problem_of(PATH, VIEW, sql, Settings(extra={"view": {"validation": None}})) is not None
