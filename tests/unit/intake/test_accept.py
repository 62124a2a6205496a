"""From a request to requirements: nothing missing, everything inferred said."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from etl_orchestrator import intake
from etl_orchestrator.errors import EngineCrashed, OrchestratorError
from etl_orchestrator.requirements import Parameter, Partitioning, Schedule, Source
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Analysis

Change = Callable[[str, str], str]


def test_whole_requirements(shop: Any, whole_text: str) -> None:
    required = shop.accept(whole_text)
    assert required.table == TableRef("books-data", "sales_derived", "daily_sales_v1")
    assert required.description == "Sales per day and shop."
    assert required.keys == ("submission_date", "shop_id")
    assert [str(table) for table in required.sources] == [
        "books-data.sales_live.orders_v1",
        "books-data.static.shops_v1",
    ]
    assert required.partitioning == Partitioning(True, "submission_date", "day")
    assert required.schedule == Schedule("bqetl_sales")
    assert required.parameters == (Parameter("submission_date", "DATE", "{{ds}}"),)
    assert required.body == required.request.body
    assert not required.reads_itself
    assert required.assumptions == (
        "at most one row of `shops` matches: `shop_id` names a row of `shops_v1`",
        "@submission_date is the DATE of the run",
    )


def test_open_questions_are_carried_by_the_error(shop: Any) -> None:
    with pytest.raises(intake.NeedsAnswers) as caught:
        shop.accept("description: a wish")
    assert isinstance(caught.value, OrchestratorError)
    assert len(caught.value.questions) == 6
    assert "6 questions need an answer" in caught.value.message
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.questions == caught.value.questions
    assert again.at == caught.value.at


def test_a_grain_in_words_is_said(shop: Any, changed: Change) -> None:
    required = shop.accept(changed("[submission_date, shop_id]", "one row per shop and day"))
    assert required.keys == ("shop_id", "submission_date")
    assert "the grain is read as shop_id, submission_date" in required.assumptions


def test_join_keys_become_conditions(shop: Any, changed: Change) -> None:
    required = shop.accept(changed("on: orders.shop_id = shops.shop_id", "on: shop_id"))
    assert required.body.sources[1].on == "orders.shop_id = shops.shop_id"
    assert "`shops` is joined on orders.shop_id = shops.shop_id" in required.assumptions


def test_keys_are_joined_to_the_first_source_that_has_them(shop: Any, changed: Change) -> None:
    third = "  - {table: x.cities_v1, alias: cities, join: LEFT, on: 'city, shop_id', schema: [{name: city, type: STRING}, {name: shop_id, type: STRING}]}\nwhere:"
    required = shop.accept(changed("where:", third).replace("ANY_VALUE(shops.city)", "MAX(shops.city)"))
    assert required.body.sources[2].on == "shops.city = cities.city AND orders.shop_id = cities.shop_id"


def test_a_table_of_subqueries_is_listed_and_not_joined(shop: Any, changed: Change) -> None:
    text = changed("where:", "  - table: x.limits_v1\n    schema: [{name: most, type: INTEGER}]\nwhere:")
    required = shop.accept(text.replace("COUNT(*)", "LEAST(COUNT(*), (SELECT MAX(most) FROM x.limits_v1))"))
    assert [source.alias for source in required.body.sources] == ["orders", "shops"]
    assert TableRef("books-data", "x", "limits_v1") in required.sources
    assert required.schemas == {"books-data.x.limits_v1": (Field("most", "INTEGER"),)}
    assert "`books-data.x.limits_v1` is read by subqueries only and not joined" in required.assumptions


def test_the_last_step_is_the_source(shop: Any) -> None:
    text = """\
table: sales_derived.shops_v1
grain: [shop_id]
steps: [{name: known, sources: [{table: static.shops_v1}], columns: [{name: shop_id}]}]
columns: [{name: shop_id}]
partitioning: {incremental: false, field: day}
schedule: {none: by hand}
"""
    required = shop.accept(text.replace(", field: day", ""))
    assert required.body.sources == (Source("known", "known"),)
    assert required.sources == (TableRef("books-data", "static", "shops_v1"),)
    assert required.description == "Shops: one row per shop_id."
    assert any("last step" in one for one in required.assumptions)
    assert any("description" in one for one in required.assumptions)


def test_the_type_of_a_partition_is_a_day_unless_said(shop: Any, changed: Change) -> None:
    required = shop.accept(changed(", type: day", ""))
    assert required.partitioning.type == "day"
    assert "the table is partitioned by day" in required.assumptions


def test_a_table_that_reads_itself(shop: Any, changed: Change) -> None:
    text = changed(
        "static.shops_v1\n    alias: shops", "sales_derived.daily_sales_v1\n    matches: many\n    alias: shops"
    )
    assert shop.accept(
        text.replace("- name: submission_date", "- {name: submission_date, expression: orders.submission_date}")
    ).reads_itself


def test_hints_of_a_schedule_stay_hints(shop: Any, changed: Change) -> None:
    request = shop.read(changed("{dag: bqetl_sales}", "{frequency: daily, product: sales}"))
    required = intake.accept(request, shop.tools, lambda asked: [("bqetl_sales", "named")])
    assert required.schedule == Schedule(None, "daily", "sales")


def test_declared_parameters_stay(shop: Any, changed: Change) -> None:
    text = changed("", "") + "parameters: [{name: submission_date, type: TIMESTAMP, value: x}]\n"
    assert shop.accept(text).parameters == (Parameter("submission_date", "TIMESTAMP", "x"),)
    assert shop.accept(changed("    filter: submission_date = @submission_date\n", "")).parameters == ()


def test_an_author_writes_what_was_given_in_words(make_shop: Callable[..., Any], changed: Change) -> None:
    text = changed("    expression: COUNT(*)\n", "    notes: orders that were not sent back\n")
    required = make_shop("COUNT(*)").accept(text)
    assert required.body.columns[3].expression == "COUNT(*)"
    assert any("written by the author" in one for one in required.assumptions)


def test_words_on_the_logic_are_shown(shop: Any) -> None:
    text = """\
# static_derived.shops_v1
All shops.
## Grain
one row per shop_id
## Source data
| Table |
|---|
| static.shops_v1 |
## Key logic
Closed shops are somehow left out.
## Fields
| Field |
|---|
| shop_id |
## Partitioning
full refresh
## Schedule
bqetl_sales
## Notes
Call Ann.
"""
    required = shop.accept(text, "r.md")
    assert any("Closed shops are somehow left out." in one for one in required.assumptions)
    assert [prose.text for prose in required.request.prose] == ["Closed shops are somehow left out.", "Call Ann."]


QUERY = """\
table: static_derived.cities_v1
grain: one row per city
query: SELECT city FROM `books-data.static.shops_v1` GROUP BY city
partitioning: {incremental: false}
schedule: {dag: bqetl_sales}
"""


def test_the_keys_of_an_adopted_query_are_the_analyzers(shop: Any) -> None:
    request = shop.read(QUERY)
    shop.analyzer.named = {request.query.text: (TableRef("books-data", "static", "shops_v1"),)}
    shop.analyzer.analyses = lambda sql: Analysis((Field("city", "STRING"),))
    required = shop.accept(request)
    assert required.keys == ("city",)
    assert required.sources == (TableRef("books-data", "static", "shops_v1"),)

    def crash(sql: str) -> Analysis:
        raise EngineCrashed("it trapped")

    shop.analyzer.analyses = crash
    assert shop.accept(request).keys == ()
