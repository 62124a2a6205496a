"""The requirements check: what is asked, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator import intake
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.requirements import Question, Request
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Dag, KnownSchema, TableFacts

Change = Callable[[str, str], str]


def only(questions: tuple[Question, ...]) -> Question:
    assert len(questions) == 1, questions
    return questions[0]


def test_whole_requirements_are_not_asked_about(shop: Any, whole_text: str) -> None:
    assert shop.questions(whole_text) == ()


@pytest.mark.parametrize(
    ("old", "element", "candidates"),
    [
        ("table: sales_derived.daily_sales_v1\n", "table", ()),
        ("grain: [submission_date, shop_id]\n", "grain", ("submission_date, shop_id",)),
        (
            "partitioning: {incremental: true, field: submission_date, type: day}\n",
            "partitioning",
            ("daily on submission_date", "full refresh"),
        ),
        ("schedule: {dag: bqetl_sales}\n", "schedule", ("bqetl_sales", "bqetl_stock", "bqetl_finance")),
        ("    join: LEFT\n", "sources.1.join", ("INNER", "LEFT", "RIGHT", "FULL", "CROSS")),
        ("    on: orders.shop_id = shops.shop_id\n", "sources.1.on", ("orders.shop_id = shops.shop_id",)),
        (", field: submission_date", "partitioning", ("daily on submission_date",)),
    ],
)
def test_one_missing_element_is_one_question(
    shop: Any, changed: Change, old: str, element: str, candidates: tuple[str, ...]
) -> None:
    question = only(shop.questions(changed(old, "")))
    assert (question.element, question.candidates) == (element, candidates)


def test_all_questions_come_at_once_and_in_order(shop: Any) -> None:
    assert shop.asked("description: only a wish") == [
        "table",
        "sources",
        "columns",
        "grain",
        "partitioning",
        "schedule",
    ]


def test_questions_know_their_line(shop: Any, changed: Change) -> None:
    assert only(shop.questions(changed("    join: LEFT\n", ""))).at == "requirements.yaml:8"


# --- sources ----------------------------------------------------------------------------------------------------------


# --- steps and unions -------------------------------------------------------------------------------------------------

STEPS = """\
table: sales_derived.all_v1
grain: [order_id]
steps:
  - name: first
    sources: [{table: sales_live.orders_v1, alias: orders}]
    columns: [{name: order_id}, {name: shop_id}]
  - name: second
    sources: [{table: first}]
    columns: [{name: order_id}, {name: shop_id}]
  - name: both
    union: [first, second]
sources: [{table: both}]
columns: [{name: order_id}]
partitioning: {incremental: false}
schedule: {dag: bqetl_sales}
"""


def test_steps_may_read_earlier_ones(shop: Any) -> None:
    assert shop.questions(STEPS) == ()


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        (
            "[{table: sales_live.orders_v1, alias: orders}]",
            "[{table: second, alias: orders}]",
            "steps.first.sources.0.table",
        ),
        ("sources: [{table: first}]", "sources: [{table: frist}]", "steps.second.sources.0.table"),
        ("sources: [{table: both}]", "sources: [{table: orders}]", "sources.0.table"),
        ("union: [first, second]", "union: [first, third]", "steps.both.union"),
        ("- name: second", "- name: first", "steps"),
        ("union: [first, second]", "union: [first, second]\n    sources: [{table: first}]", "steps.both.union"),
        ("columns: [{name: order_id}]\n", "columns: [{name: ordr_id}]\n", "columns.ordr_id"),
        (
            "columns: [{name: order_id}]\n",
            "columns: [{name: order_id, expression: both.nothing}]\n",
            "columns.order_id",
        ),
    ],
)
def test_what_is_wrong_with_steps(shop: Any, old: str, new: str, element: str) -> None:
    assert old in STEPS
    text = STEPS.replace(old, new, 1) if "columns: [{name: order_id}]" not in old else STEPS.replace(old, new)
    assert element in shop.asked(text)


def test_the_steps_of_a_union_have_the_same_names(shop: Any) -> None:
    text = STEPS.replace("{name: shop_id}]\n  - name: both", "{name: shop, expression: shop_id}]\n  - name: both")
    question = only(shop.questions(text))
    assert question.element == "steps.second.columns"
    assert "shop" in question.text


def test_stars_of_known_tables_give_their_columns(shop: Any) -> None:
    star = 'columns: [{name: "*", expression: "orders.* EXCEPT (shop_id)"}]'
    text = STEPS.replace("columns: [{name: order_id}, {name: shop_id}]", star, 1)
    assert "steps.second.columns.shop_id" in shop.asked(text)
    assert (
        shop.questions(
            text.replace("{name: shop_id}", "{name: status}").replace("union: [first, second]", "union: [second]")
        )
        == ()
    )


def test_without_sources_the_last_step_is_read(shop: Any) -> None:
    assert shop.questions(STEPS.replace("sources: [{table: both}]\n", "")) == ()


def test_the_first_run_is_checked_too(shop: Any, changed: Change) -> None:
    first = "on_init:\n  sources: [{table: sales_live.order_v1, alias: orders}]\n  columns: [{name: nothing}]\n"
    assert "on_init.sources.0.table" in shop.asked(changed("", "") + first)


# --- what one row means -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grain",
    [
        "[submission_date, shop_id]",
        "one row per shop_id and submission_date",
        "One row per shop and day.",
        "shop_id, submission_date",
        "one row per `shop_id` per day, for shops with an order",
    ],
)
def test_grains_that_agree_with_the_columns(shop: Any, changed: Change, grain: str) -> None:
    assert shop.questions(changed("[submission_date, shop_id]", grain)) == ()


@pytest.mark.parametrize(
    ("grain", "word"),
    [
        ("[submission_date]", "shop_id"),
        ("[submission_date, shop_id, region]", "region"),
        ("[submission_date, shop_id, city]", "city"),
        ("one row per shop and region", "region"),
        ("one row per shop", "submission_date"),
        ("sales", "sales"),
        ("the sales of a shop", "neither aggregated nor in the grain"),
    ],
)
def test_grains_that_contradict_the_columns(shop: Any, changed: Change, grain: str, word: str) -> None:
    question = only(shop.questions(changed("[submission_date, shop_id]", grain)))
    assert question.element == "grain"
    assert word in question.text
    assert question.candidates == ("submission_date, shop_id",)


def test_a_parameter_may_be_a_key_or_not(shop: Any, changed: Change) -> None:
    text = changed("- name: submission_date\n", '- {name: submission_date, expression: "@submission_date"}\n')
    assert shop.questions(text) == ()
    assert shop.questions(text.replace("[submission_date, shop_id]", "[shop_id]")) == ()


def test_without_aggregates_the_grain_may_be_words(shop: Any, changed: Change) -> None:
    text = changed("ANY_VALUE(shops.city)", "shops.city").replace("COUNT(*)", "COUNT(*) OVER (PARTITION BY shops.city)")
    assert shop.questions(text.replace("[submission_date, shop_id]", "one row per row of the till")) == ()


# --- partitioning, schedule -------------------------------------------------------------------------------------------


def test_a_partition_field_that_is_no_column(shop: Any, changed: Change) -> None:
    question = only(shop.questions(changed("field: submission_date", "field: order_date")))
    assert (question.element, question.candidates) == ("partitioning", ("daily on submission_date",))


@pytest.mark.parametrize("clustering", ["[town]", "[shop_id, city, order_count, submission_date, shop_id]"])
def test_clustering_by_what_is_not_there_or_too_much(shop: Any, changed: Change, clustering: str) -> None:
    assert shop.asked(changed("schedule:", f"clustering: {clustering}\nschedule:")) == ["clustering"]


def test_a_dag_that_does_not_exist(shop: Any, changed: Change) -> None:
    question = only(shop.questions(changed("bqetl_sales", "bqetl_sale")))
    # The nearest name first; of a repository with so few DAGs the others are named too.
    assert (question.element, question.candidates) == ("schedule", ("bqetl_sales", "bqetl_stock", "bqetl_finance"))


def test_a_missing_dag_is_asked_with_the_best_three_and_the_evidence(shop: Any, changed: Change) -> None:
    ranked = [
        ("bqetl_stock", "3 of 4 tables run there"),
        ("bqetl_sales", "named for it"),
        ("bqetl_a", "x"),
        ("bqetl_b", "y"),
    ]
    request = shop.read(changed("schedule: {dag: bqetl_sales}\n", ""))
    question = only(intake.questions(request, shop.tools, lambda asked: ranked))
    assert question.candidates == ("bqetl_stock", "bqetl_sales", "bqetl_a")
    assert "3 of 4 tables run there" in question.text


def test_hints_are_enough_when_a_dag_can_be_found(shop: Any, changed: Change) -> None:
    request = shop.read(changed("{dag: bqetl_sales}", "{frequency: daily, product: sales}"))
    assert intake.questions(request, shop.tools, lambda asked: [("bqetl_sales", "named")]) == ()
    assert [q.element for q in intake.questions(request, shop.tools, lambda asked: [])] == ["schedule"]
    assert intake.questions(request, shop.tools) == ()


def test_a_reason_for_no_schedule_is_an_answer(shop: Any, changed: Change) -> None:
    assert shop.questions(changed("{dag: bqetl_sales}", "{none: filled by hand}")) == ()


def test_without_a_list_of_dags_none_is_doubted(shop: Any, changed: Change) -> None:
    shop.tools = replace(shop.tools, catalog=NoDags())
    text = changed("bqetl_sales", "bqetl_other").replace(
        "static.shops_v1",
        "x.y\n    matches: one\n    schema: [{name: shop_id, type: STRING}, {name: city, type: STRING}]",
    )
    text = text.replace(
        "sales_live.orders_v1",
        "sales_live.orders_v1\n    schema: [{name: shop_id, type: STRING}, {name: status, type: STRING}, {name: submission_date, type: DATE}]",
    )
    assert shop.questions(text) == ()


class NoDags:
    """A catalog that can know nothing."""

    def schema(self, table: TableRef) -> KnownSchema | None:
        raise Unavailable("no credentials")

    def tables(self) -> list[TableFacts]:
        raise Unavailable("no folder")

    def dags(self) -> list[Dag]:
        raise Unavailable("no dags.yaml")

    def base_fields(self, dataset: str) -> list[Any]:
        return []

    def description(self, field_name: str) -> None:
        return None

    def text(self, path: str) -> None:
        return None

    def paths(self, folder: str) -> list[str]:
        return []


def test_where_nothing_can_be_known_schemas_are_asked_for(shop: Any, whole_text: str) -> None:
    shop.tools = replace(shop.tools, catalog=NoDags())
    assert shop.asked(whole_text) == ["sources.0.schema", "sources.1.schema"]


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_parameters_have_to_be_declared(shop: Any, changed: Change) -> None:
    text = changed("COUNT(*)", "COUNTIF(amount > @least)")
    assert shop.asked(text) == ["parameters.least"]
    assert shop.questions(text + "parameters: [{name: least, type: NUMERIC, value: '3'}]\n") == ()


EXAMPLE = """\
examples:
  - name: one order
    given:
      sales_live.orders_v1: [{submission_date: 2025-06-01, shop_id: s}]
    parameters: {submission_date: 2025-06-01}
    expect: [{submission_date: 2025-06-01, shop_id: s, city: null, order_count: 1}]
"""


@pytest.mark.parametrize(
    ("old", "new", "candidate"),
    [
        ("sales_live.orders_v1", "sales_live.order_v1", "books-data.sales_live.orders_v1"),
        ("sales_live.orders_v1", "orders", None),
        ("shop_id: s}]\n    par", "shop: s}]\n    par", "shop_id"),
        ("order_count: 1", "orders_count: 1", "order_count"),
        ("parameters: {submission_date", "parameters: {submision_date", "submission_date"),
    ],
)
def test_examples_speak_of_what_exists(shop: Any, whole_text: str, old: str, new: str, candidate: str | None) -> None:
    assert shop.questions(whole_text + EXAMPLE) == ()
    assert old in EXAMPLE
    question = only(shop.questions(whole_text + EXAMPLE.replace(old, new, 1)))
    assert question.element == "examples"
    if candidate:
        assert candidate in question.candidates


def test_what_is_unclear_is_asked_until_it_is_answered(shop: Any) -> None:
    text = """\
# sales_derived.shops_v1
All shops.
## Grain
one row per shop_id
## Source data
| Table | Filter logic |
|---|---|
| static.shops_v1 | only the good ones |
## Fields
| Field |
|---|
| shop_id |
## Partitioning
full refresh
## Schedule
bqetl_sales
"""
    request = shop.read(text, "r.md")
    question = only(shop.questions(request))
    assert (question.element, question.at) == ("sources.0.filter", "r.md:8")
    assert "only the good ones" in question.text
    assert shop.questions(intake.apply_answers(request, {"sources.0.filter": "city IS NOT NULL"})) == ()


def test_an_unsafe_expression_is_refused_and_not_asked_about(shop: Any, whole_text: str) -> None:
    request = shop.read(whole_text)
    column = replace(request.body.columns[3], expression="COUNT(*); DROP TABLE x")
    unsafe = replace(request, body=replace(request.body, columns=(*request.body.columns[:3], column)))
    with pytest.raises(InvalidInput, match="semicolon") as caught:
        shop.questions(unsafe)
    assert caught.value.at == "requirements.yaml:20"


def test_python_needs_no_sources_and_no_expressions(shop: Any, changed: Change) -> None:
    text = "table: a.b_v1\npython: an API\ngrain: [day]\ncolumns: [{name: day, type: DATE}, {name: n, type: INTEGER}]\n"
    text += "partitioning: {incremental: true, field: day}\nschedule: {dag: bqetl_sales}\n"
    assert shop.questions(text) == ()


QUERY = """\
table: a.b_v1
query: |
  SELECT city FROM `books-data.static.shops_v1`
partitioning: {incremental: false}
schedule: {dag: bqetl_sales}
"""


def test_an_adopted_query(shop: Any) -> None:
    request: Request = shop.read(QUERY)
    assert request.query is not None
    shop.analyzer.named = {request.query.text: (TableRef("books-data", "static", "shops_v1"),)}
    assert shop.questions(request) == ()
    listed = QUERY + "sources: [{table: sales_live.orders_v1}]\n"
    question = only(shop.questions(listed))
    assert (question.element, question.candidates) == ("sources", ("books-data.static.shops_v1",))
    shop.analyzer.named = {request.query.text: (TableRef("books-data", "static", "nothing_v1"),)}
    assert shop.asked(request) == ["sources"]


def test_an_adopted_template_is_looked_through_in_both_renderings(shop: Any) -> None:
    template = "{% if is_init() %}\n  SELECT city FROM secret.a_v1\n  {% else %}\n  SELECT city FROM secret.b_v1\n  {% endif %}"
    text = QUERY.replace("SELECT city FROM `books-data.static.shops_v1`", template)

    def references(sql: str) -> tuple[TableRef | str, ...]:
        return ("secret.a_v1",) if "a_v1" in sql else ("secret.b_v1",)

    shop.analyzer.references = references
    questions = shop.questions(text)
    assert [question.element for question in questions] == ["sources", "sources"]
    assert "books-data.secret.a_v1" in questions[0].text
    assert "books-data.secret.b_v1" in questions[1].text


def test_a_query_that_does_not_parse_is_refused(shop: Any) -> None:
    def references(sql: str) -> tuple[TableRef | str, ...]:
        raise InvalidInput("expected end of input", at="1:8")

    shop.analyzer.references = references
    with pytest.raises(InvalidInput, match="does not parse") as caught:
        shop.questions(QUERY)
    assert caught.value.at == "requirements.yaml"
    with pytest.raises(InvalidInput):
        shop.questions(QUERY.replace("SELECT city", "SELECT {% if %} city"))


def test_a_wide_model_is_checked_quickly(shop: Any) -> None:
    import time

    fields: Schema = tuple(Field(f"f{number}", "STRING") for number in range(400))
    declared = "\n".join(f"      - {{name: {field.name}, type: STRING}}" for field in fields)
    columns = "\n".join(f"  - {{name: c{n}, expression: 'UPPER(t.f{n})'}}" for n in range(400))
    text = f"table: a.b_v1\ngrain: [c0]\nsources:\n  - table: x.t_v1\n    schema:\n{declared}\ncolumns:\n{columns}\n"
    text += "partitioning: {incremental: false}\nschedule: {dag: bqetl_sales}\n"
    request = shop.read(text)
    began = time.process_time()
    assert shop.questions(request) == ()
    assert time.process_time() - began < 5
