"""The requirements check: what is asked, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator import intake
from etl_orchestrator.errors import EngineCrashed, InvalidInput, Unavailable
from etl_orchestrator.requirements import Question, Request
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Analysis, Dag, KnownSchema, SqlProblem, TableFacts

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
    text = changed("static.shops_v1\n    alias: shops", "sales_derived.daily_sales_v1\n    alias: shops")
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


def test_a_column_that_no_source_has(shop: Any, changed: Change) -> None:
    question = only(
        shop.questions(changed("  - name: city\n    expression: ANY_VALUE(shops.city)\n", "  - name: citty\n"))
    )
    assert (question.element, question.candidates) == ("columns.citty", ("shops.city",))


def test_a_column_in_words_only(shop: Any, changed: Change) -> None:
    text = changed("    expression: COUNT(*)\n", "    notes: orders that were not sent back\n")
    question = only(shop.questions(text))
    assert question.element == "columns.order_count"
    assert "orders that were not sent back" in question.text


def test_an_author_turns_words_into_an_expression(make_shop: Callable[..., Any], changed: Change) -> None:
    text = changed("    expression: COUNT(*)\n", "    notes: orders that were not sent back\n")
    assert make_shop("COUNT(*)").questions(text) == ()
    for bad in (None, "COUNT(*); DROP TABLE x", "COUNT(*) AS n"):
        assert make_shop(bad).asked(text) == ["columns.order_count"]


def test_a_column_that_two_sources_have(shop: Any, changed: Change) -> None:
    text = changed("    expression: orders.shop_id\n", "")
    question = only(shop.questions(text))
    assert (question.element, question.candidates) == ("columns.shop_id", ("orders.shop_id", "shops.shop_id"))
    assert shop.questions(text.replace("LEFT", "INNER")) == (), "an inner join makes them equal"


@pytest.mark.parametrize(
    ("old", "new", "element", "candidate"),
    [
        ("shops.city", "shops.citty", "columns.city", "shops.city"),
        ("shops.city", "shop.city", "columns.city", None),
        ("COUNT(*)", "COUNTIF(statuss = 'x')", "columns.order_count", "orders.status"),
        ("COUNT(*)", "SUM(order_count)", "columns.order_count", None),
        ("orders.status = 'paid'", "orders.stat = 'paid'", "where", "orders.status"),
        ("orders.status = 'paid'", "order_count > 1", "where", None),
        ("filter: submission_date", "filter: submissoin_date", "sources.0.filter", "orders.submission_date"),
        ("shops.shop_id\n", "shops.shop\n", "sources.1.on", "shops.shop_id"),
        ("where:", "having: cnt > 1\nwhere:", "having", None),
        ("where:", "qualify: ROW_NUMBER() OVER (PARTITION BY ordr_id) = 1\nwhere:", "qualify", "orders.order_id"),
        ("where:", "  - {unnest: orders.line, alias: l, join: LEFT}\nwhere:", "sources.2.unnest", "orders.lines"),
    ],
)
def test_names_that_do_not_exist(
    shop: Any, changed: Change, old: str, new: str, element: str, candidate: str | None
) -> None:
    question = only(shop.questions(changed(old, new)))
    assert question.element == element
    if candidate:
        assert candidate in question.candidates


@pytest.mark.parametrize(
    "expression",
    [
        "COUNTIF(orders._PARTITIONTIME IS NULL)",
        "MAX(orders.address.city)",
        "MAX(address.city)",
        "COUNTIF('x' IN UNNEST(tags))",
        "MAX(ORDERS.Status)",
        "MAX(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), TIMESTAMP(submission_date), DAY))",
        "MAX(DATE_TRUNC(submission_date, WEEK(MONDAY)))",
        "MAX(unknown_function(order_id, DAY, key => amount))",
        "MAX(ARRAY_LENGTH(ARRAY_FILTER(orders.lines, e -> e.price > 1)))",
        "MAX((SELECT l.anything FROM UNNEST(orders.lines) AS l WHERE l.price > amount LIMIT 1))",
        "SUM(WITH(x AS amount, x + nonsense))",
        "MAX(CAST(amount AS STRING))",
        "ARRAY_AGG(STRUCT(order_id AS id, amount) ORDER BY amount LIMIT 1)[OFFSET(0)].id",
        "MAX(JSON_VALUE(TO_JSON(orders), '$.x'))",
        "MAX(@submission_date)",
        "SUM(SUM(amount)) OVER (PARTITION BY orders.shop_id)",
    ],
)
def test_no_false_alarms(shop: Any, changed: Change, expression: str) -> None:
    assert shop.questions(changed("COUNT(*)", f'"{expression}"')) == ()


def test_output_names_may_be_used_after_grouping(shop: Any, changed: Change) -> None:
    assert shop.questions(changed("where:", "having: order_count > 1\nwhere:")) == ()


def test_elements_of_arrays(shop: Any, changed: Change) -> None:
    text = changed("where:", "  - {unnest: orders.lines, alias: line, offset: position, join: LEFT}\nwhere:")
    assert shop.questions(text.replace("COUNT(*)", "SUM(line.price + position)")) == ()
    assert shop.asked(text.replace("COUNT(*)", "SUM(line.prise)")) == ["columns.order_count"]
    plain = changed("where:", "  - {unnest: orders.tags, alias: tag, join: LEFT}\nwhere:")
    assert shop.questions(plain.replace("COUNT(*)", "COUNT(DISTINCT tag)")) == ()


def test_two_columns_of_one_name(shop: Any, changed: Change) -> None:
    assert shop.asked(changed("- name: city", "- name: Order_Count")) == ["columns.3.name"]


def test_a_source_whose_shape_is_open_gives_no_questions_about_columns(shop: Any, changed: Change) -> None:
    asked = shop.asked(
        changed("static.shops_v1", "sales_live.unknown_shape_v1").replace("shops.city", "shops.anything")
    )
    assert asked == ["sources.1.schema"]


# --- types ------------------------------------------------------------------------------------------------------------


def analysis_of(types: Mapping[str, Field]) -> Callable[[str], Analysis]:
    """Gives each selected expression the type of the first piece of text found in it."""

    def analyze(sql: str) -> Analysis:
        columns = []
        for part in sql.split(" AS c")[:-1]:
            text = part.split("(\n", 1)[1]
            columns.append(next((field for piece, field in types.items() if piece in text), Field("x", "STRING")))
        return Analysis(tuple(columns))

    return analyze


def test_a_declared_type_that_the_expression_does_not_have(shop: Any, changed: Change) -> None:
    shop.analyzer.analyses = analysis_of({"COUNT": Field("x", "INTEGER")})
    question = only(shop.questions(changed("COUNT(*)", "COUNT(*)\n    type: STRING")))
    assert (question.element, question.candidates) == (
        "columns.order_count",
        ("type INTEGER", "CAST(COUNT(*) AS STRING)"),
    )
    for type_ in ("INTEGER", "INT64"):
        assert shop.questions(changed("COUNT(*)", f"COUNT(*)\n    type: {type_}")) == ()


def test_a_declared_type_that_the_source_column_does_not_have(shop: Any, changed: Change) -> None:
    assert shop.asked(changed("- name: submission_date\n", "- {name: submission_date, type: TIMESTAMP}\n")) == [
        "columns.submission_date"
    ]
    assert shop.analyzer.asked == []


def test_what_the_analyzer_cannot_tell_is_not_asked(shop: Any, changed: Change) -> None:
    text = changed("COUNT(*)", "COUNT(*)\n    type: STRING")

    def crash(sql: str) -> Analysis:
        raise EngineCrashed("it trapped")

    for analyses in (lambda sql: Analysis(problem=SqlProblem("no")), lambda sql: Analysis(), crash):
        shop.analyzer.analyses = analyses
        assert shop.questions(text) == ()
    shop.analyzer.analyses = analysis_of({})
    assert (
        shop.questions(changed("COUNT(*)", "NULL\n    type: INTEGER").replace("shop_id]", "shop_id, order_count]"))
        == ()
    )


def test_types_of_steps_are_known_through_the_analyzer(shop: Any) -> None:
    text = """\
table: a.b_v1
grain: [order_id]
steps:
  - name: paid
    sources: [{table: sales_live.orders_v1, alias: orders}]
    columns:
      - name: order_id
      - {name: cents, expression: CAST(amount * 100 AS INT64)}
sources: [{table: paid}]
columns:
  - name: order_id
  - {name: cents, expression: paid.cents + 1, type: STRING}
partitioning: {incremental: false}
schedule: {dag: bqetl_sales}
"""
    shop.analyzer.analyses = analysis_of({"cents": Field("x", "INTEGER"), "CAST": Field("x", "INTEGER")})
    assert shop.asked(text) == ["columns.cents"]
    assert "`steps-of-this-model.steps.paid` AS `paid`" in shop.analyzer.asked[-1]


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
        "static.shops_v1", "x.y\n    schema: [{name: shop_id, type: STRING}, {name: city, type: STRING}]"
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
    began = time.perf_counter()
    assert shop.questions(request) == ()
    assert time.perf_counter() - began < 5
