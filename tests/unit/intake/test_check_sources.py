"""The requirements check: what is asked about sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from etl_orchestrator.requirements import Question

Change = Callable[[str, str], str]


def only(questions: tuple[Question, ...]) -> Question:
    assert len(questions) == 1, questions
    return questions[0]


def test_an_unknown_source_is_asked_with_the_nearest_names(shop: Any, changed: Change) -> None:
    question = only(shop.questions(changed("static.shops_v1", "static.shop_v1")))
    assert question.element == "sources.1.table"
    assert question.candidates[0] == "books-data.static.shops_v1"
    assert len(question.candidates) <= 3


def test_a_source_without_a_known_schema_is_asked_for_it(shop: Any, changed: Change) -> None:
    question = only(shop.questions(changed("static.shops_v1", "sales_live.unknown_shape_v1")))
    assert question.element == "sources.1.schema"
    assert "not known" in question.text


def test_an_inline_schema_is_enough(shop: Any, changed: Change) -> None:
    text = changed(
        "static.shops_v1", "elsewhere.shops_v1\n    schema: [{name: shop_id, type: STRING}, {name: city, type: STRING}]"
    )
    assert shop.questions(text) == ()


def test_a_table_that_reads_itself_is_known_by_its_columns(shop: Any, changed: Change) -> None:
    text = changed(
        "static.shops_v1\n    alias: shops", "sales_derived.daily_sales_v1\n    matches: many\n    alias: shops"
    )
    text = text.replace("- name: submission_date\n", "- {name: submission_date, expression: orders.submission_date}\n")
    assert shop.questions(text) == ()
    assert shop.asked(text.replace("shops.city", "shops.town")) == ["columns.city"]


def test_a_first_source_cannot_be_joined(shop: Any, changed: Change) -> None:
    assert shop.asked(changed("alias: orders\n", "alias: orders\n    join: LEFT\n")) == ["sources.0.join"]


def test_a_cross_join_has_no_condition(shop: Any, changed: Change) -> None:
    assert shop.asked(changed("join: LEFT", "join: CROSS")) == ["sources.1.join"]


def test_two_sources_of_one_alias(shop: Any, changed: Change) -> None:
    assert "sources.1.alias" in shop.asked(changed("alias: shops", "alias: orders"))


def test_join_keys_may_be_a_list_of_columns(shop: Any, changed: Change) -> None:
    assert shop.questions(changed("on: orders.shop_id = shops.shop_id", "on: shop_id")) == ()
    assert shop.asked(changed("on: orders.shop_id = shops.shop_id", "on: shop")) == ["sources.1.on"]


def test_an_array_says_whether_rows_without_elements_stay(shop: Any, changed: Change) -> None:
    array = "  - {unnest: orders.lines, alias: line%s}\nwhere:"
    question = only(shop.questions(changed("where:", array % "")))
    assert (question.element, question.candidates) == ("sources.2.join", ("LEFT", "CROSS"))
    assert shop.questions(changed("where:", array % ", join: LEFT")) == ()


@pytest.mark.parametrize(
    ("expression", "table"),
    [
        ("(SELECT MAX(x) FROM secret.plans)", "secret.plans"),
        ("COUNTIF(EXISTS (SELECT 1 FROM `other-data.secret.plans` AS secret))", "other-data.secret.plans"),
        ("ARRAY_LENGTH(ARRAY(SELECT y FROM static.nowhere_v1 JOIN static.shops_v1 USING (z)))", "static.nowhere_v1"),
    ],
)
def test_a_table_read_in_a_subquery_has_to_be_listed(shop: Any, changed: Change, expression: str, table: str) -> None:
    question = only(shop.questions(changed("COUNT(*)", f"MAX({expression})")))
    assert question.element == "sources"
    assert table in question.text


@pytest.mark.parametrize("where", ["where: orders.status = 'paid'", "filter: submission_date = @submission_date"])
def test_subqueries_of_conditions_are_looked_at_too(shop: Any, changed: Change, where: str) -> None:
    key = where.split(":")[0]
    asked = shop.asked(changed(where, f"{key}: orders.shop_id IN (SELECT shop_id FROM secret.plans)"))
    assert asked == ["sources"]


@pytest.mark.parametrize(
    "expression",
    [
        "SUM((SELECT SUM(l.price) FROM UNNEST(orders.lines) AS l))",
        "SUM((SELECT SUM(l.price) FROM orders.lines AS l))",
        "SUM((SELECT SUM(price) FROM orders.lines))",
        "MAX((SELECT MAX(opened_on) FROM static.shops_v1))",
        "MAX((SELECT MAX(opened_on) FROM `books-data.static.shops_v1`))",
        "MAX((SELECT order_count FROM sales_derived.daily_sales_v1 LIMIT 1))",
        "MAX((WITH w AS (SELECT opened_on FROM static.shops_v1) SELECT MAX(opened_on) FROM w))",
    ],
)
def test_arrays_listed_tables_and_own_names_are_no_unlisted_tables(shop: Any, changed: Change, expression: str) -> None:
    assert shop.questions(changed("COUNT(*)", expression)) == ()


def test_a_listed_source_that_only_a_subquery_reads_is_not_asked_how_it_is_joined(shop: Any, changed: Change) -> None:
    text = changed("where:", "  - table: sales_derived.limits_v1\n    schema: [{name: most, type: INTEGER}]\nwhere:")
    assert shop.asked(text) == ["sources.2.join", "sources.2.on"]
    read = text.replace("COUNT(*)", "LEAST(COUNT(*), (SELECT MAX(most) FROM sales_derived.limits_v1))")
    assert shop.questions(read) == ()
    filtered = read.replace("    schema:", "    filter: most > 1\n    schema:")
    assert shop.asked(filtered) == ["sources.2.filter"]


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "why"), [("own", "is that step itself"), ("last", "is a step that is defined only later")]
)
def test_a_step_reads_what_comes_before_it(shop: Any, changed: Change, read: str, why: str) -> None:
    own = f"{{name: own, sources: [{{table: {read}}}], columns: [{{name: shop_id}}]}}"
    last = "{name: last, sources: [{table: static.shops_v1}], columns: [{name: shop_id}]}"
    text = changed("sources:\n  - table: sales_live", f"steps: [{own}, {last}]\nsources:\n  - table: sales_live")
    found = [question for question in shop.questions(text) if question.element == "steps.own.sources.0.table"]
    assert why in only(tuple(found)).text
