"""The requirements check: names that are called and are no functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from etl_orchestrator.tools import Analysis, SqlProblem

Change = Callable[[str, str], str]


def refusing(sql: str) -> Analysis:
    """Knows no function that ends in a digit."""
    name = sql.removeprefix("SELECT ").removesuffix("()")
    said = "Function not found: " if name[-1:].isdigit() else "No matching signature for function "
    return Analysis(problem=SqlProblem(said + name))


@pytest.mark.parametrize(
    ("old", "new", "element", "candidate"),
    [
        ("COUNT(*)", "COUNTIF2(orders.amount > 1)", "columns.order_count", "COUNTIF(orders.amount > 1)"),
        ("COUNT(*)", "1 + maxx2(orders.amount)", "columns.order_count", "1 + MAX(orders.amount)"),
        ("orders.status = 'paid'", "LOWER2(orders.status) = 'paid'", "where", "LOWER(orders.status) = 'paid'"),
        ("filter: submission_date = @", "filter: DATE2(submission_date) = @", "sources.0.filter",
         "DATE(submission_date) = @submission_date"),
    ],
)  # fmt: skip
def test_a_misspelt_function_is_asked_about_and_nothing_else(
    shop: Any, changed: Change, old: str, new: str, element: str, candidate: str
) -> None:
    shop.analyzer.analyses = refusing
    (question,) = shop.questions(changed(old, new))
    assert question.element == element
    assert candidate in question.candidates
    assert "which is no function of GoogleSQL" in question.text


def test_a_function_newer_than_the_list_is_left_to_the_analyzer(shop: Any, changed: Change) -> None:
    shop.analyzer.analyses = refusing
    assert shop.asked(changed("COUNT(*)", "SUM(NEW_ONE(orders.amount))")) == []


def test_known_functions_ask_the_analyzer_nothing(shop: Any, changed: Change) -> None:
    shop.analyzer.analyses = refusing
    assert shop.asked(changed("COUNT(*)", "COUNTIF(STARTS_WITH(orders.status, 'p'))")) == []
    assert shop.analyzer.asked == []
