"""The requirements check: what is asked about columns and their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from etl_orchestrator.errors import EngineCrashed
from etl_orchestrator.requirements import Question
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Analysis, SqlProblem

Change = Callable[[str, str], str]


def only(questions: tuple[Question, ...]) -> Question:
    assert len(questions) == 1, questions
    return questions[0]


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


def test_an_array_whose_base_only_a_step_reads(shop: Any, changed: Change) -> None:
    steps = """\
steps:
  - name: paid
    sources: [{table: sales_live.orders_v1, alias: orders}]
    columns: [{name: submission_date}, {name: shop_id}, {name: status}, {name: lines}]
sources:
  - {table: paid, alias: paid}
  - {unnest: orders.lines, alias: line, join: CROSS}
where: paid.status = 'paid'
columns:
  - {name: submission_date, expression: paid.submission_date}
  - {name: shop_id, expression: paid.shop_id}
  - {name: price, expression: SUM(line.price)}
"""
    text = changed("", "")
    text = text[: text.index("sources:")] + steps + text[text.index("partitioning:") :]
    question = only(shop.questions(text))
    assert (question.element, question.candidates) == ("sources.1.unnest", ("paid.lines",))
    assert shop.questions(text.replace("orders.lines", "paid.lines")) == ()


def test_an_output_column_in_where_is_told_where_it_belongs(shop: Any, changed: Change) -> None:
    question = only(shop.questions(changed("where: orders.status = 'paid'", "where: order_count > 3")))
    assert (question.element, question.candidates) == ("where", ())
    assert "`having`" in question.text
