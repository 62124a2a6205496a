"""`--answer element=value`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from etl_orchestrator import intake
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.requirements import Column, Parameter, Partitioning, Request, Schedule, Source
from etl_orchestrator.table import Field, TableRef


def request_of(text: str) -> Request:
    return intake.read_request("r.yaml", text.encode(), "books-data")


@pytest.fixture
def request_(whole_text: str) -> Request:
    return request_of(whole_text)


def answered(request: Request, element: str, value: str) -> Request:
    return intake.apply_answers(request, {element: value})


@pytest.mark.parametrize(
    ("element", "value", "attribute", "expected"),
    [
        ("table", "sales_derived.other_v2", "table", TableRef("books-data", "sales_derived", "other_v2")),
        ("table", "`p-xx.a.b`", "table", TableRef("p-xx", "a", "b")),
        ("description", "Other words.", "description", "Other words."),
        ("friendly_name", "Sales", "friendly_name", "Sales"),
        ("grain", "client_id, submission_date", "grain", ("client_id", "submission_date")),
        ("grain", "[client_id]", "grain", ("client_id",)),
        ("grain", "one row per client", "grain", "one row per client"),
        ("owners", "ann@books.example, books/data", "owners", ("ann@books.example", "books/data")),
        ("tier", "1", "tier", "tier_1"),
        ("consumers", "a, b", "consumers", ("a", "b")),
        ("clustering", "shop_id, city", "clustering", ("shop_id", "city")),
        ("monitoring", "None", "monitoring", "none"),
        ("labels", "application: sales, internal: true", "labels", {"application": "sales", "internal": True}),
        ("python", "an API", "python", "an API"),
        ("notes", "words", "notes", "words"),
        ("partitioning", "daily on order_date", "partitioning", Partitioning(True, "order_date", "day")),
        ("partitioning", "full refresh", "partitioning", Partitioning(False)),
        ("partitioning.field", "other", "partitioning", Partitioning(True, "other", "day")),
        ("partitioning.incremental", "false", "partitioning", Partitioning(False, "submission_date", "day")),
        ("partitioning.expiration_days", "30", "partitioning", Partitioning(True, "submission_date", "day", 30)),
        ("schedule", "bqetl_stock", "schedule", Schedule("bqetl_stock")),
        ("schedule", "daily, product: stock", "schedule", Schedule(None, "daily", "stock")),
        ("schedule", "none: by hand", "schedule", Schedule(none="by hand")),
        ("schedule.depends_on_past", "true", "schedule", Schedule("bqetl_sales", options={"depends_on_past": True})),
        ("parameters.day", "date {{ds}}", "parameters", (Parameter("day", "DATE", "{{ds}}"),)),
        ("parameters", "day DATE {{ ds }} x", "parameters", (Parameter("day", "DATE", "{{ ds }} x"),)),
    ],
)
def test_elements(request_: Request, element: str, value: str, attribute: str, expected: Any) -> None:
    request = answered(request_, element, value)
    assert getattr(request, attribute) == expected
    assert request.answers == {element: value}


def test_clustering_said_with_the_partitioning(request_: Request) -> None:
    request = answered(request_, "partitioning", "daily on d, clustered by a, filter required")
    assert request.partitioning == Partitioning(True, "d", "day", None, True)
    assert request.clustering == ("a",)


@pytest.mark.parametrize(
    ("element", "value", "attribute", "expected"),
    [
        ("sources.1.join", "inner", "join", "INNER"),
        ("sources.shops.join", "INNER JOIN", "join", "INNER"),
        ("sources.1.on", "shop_id", "on", "shop_id"),
        ("sources.1.on", "orders.a = shops.a", "on", "orders.a = shops.a"),
        ("sources.1.table", "static.other_v1", "table", "books-data.static.other_v1"),
        ("sources.1.alias", "s", "alias", "s"),
        ("sources.1.filter", "`city IS NOT NULL`", "filter", "city IS NOT NULL"),
        ("sources.1.filter", "none", "filter", None),
        (
            "sources.1.schema",
            "a STRING, b ARRAY<INT64>",
            "schema",
            (Field("a", "STRING"), Field("b", "INTEGER", "REPEATED")),
        ),
        ("sources.1.schema", "- {name: a, type: DATE}", "schema", (Field("a", "DATE"),)),
    ],
)
def test_parts_of_sources(request_: Request, element: str, value: str, attribute: str, expected: Any) -> None:
    assert getattr(answered(request_, element, value).body.sources[1], attribute) == expected


def test_sources_are_changed_by_table_and_added() -> None:
    request = request_of("sources: [{table: a.b_v1, filter: x = 1}]")
    request = answered(request, "sources", "a.b_v1 FILTER x = 2; a.c_v1 AS c LEFT JOIN ON b.i = c.i")
    assert request.body.sources == (
        Source("b", "books-data.a.b_v1", filter="x = 2"),
        Source("c", "books-data.a.c_v1", join="LEFT", on="b.i = c.i"),
    )
    assert [
        source.alias for source in answered(request_of("table: a.b"), "sources", "a.b_v1, a.c_v1 x").body.sources
    ] == ["b", "x"]


@pytest.mark.parametrize(
    ("element", "value", "expected"),
    [
        ("columns.city", "MAX(shops.city)", Column("city", "MAX(shops.city)")),
        ("columns.2.expression", "`MAX(shops.city)`", Column("city", "MAX(shops.city)")),
        ("columns.city", "type INT64", Column("city", "ANY_VALUE(shops.city)", type="INTEGER")),
        (
            "columns.city.type",
            "STRING, REPEATED",
            Column("city", "ANY_VALUE(shops.city)", type="STRING", mode="REPEATED"),
        ),
        ("columns.city.description", "Where it is.", Column("city", "ANY_VALUE(shops.city)", "Where it is.")),
        ("columns.2.name", "town", Column("town", "ANY_VALUE(shops.city)")),
    ],
)
def test_parts_of_columns(request_: Request, element: str, value: str, expected: Column) -> None:
    assert answered(request_, element, value).body.columns[2] == expected


def test_columns_as_a_list(request_: Request) -> None:
    request = answered(request_of("table: a.b"), "columns", "a, SUM(b.c) AS total, f(x, y) z")
    assert request.body.columns == (Column("a"), Column("total", "SUM(b.c)"), Column("z", "f(x, y)"))
    assert len(answered(request_, "columns", "COUNTIF(a) AS order_count, b").body.columns) == 5


def test_conditions_steps_and_the_first_run(request_: Request) -> None:
    text = "steps: [{name: s, sources: [{table: a.b}], columns: [{name: x}]}]\non_init: {where: a}"
    request = intake.apply_answers(
        request_of(text),
        {
            "where": "a > 1",
            "having": "none",
            "distinct": "yes",
            "union": "s, t",
            "steps.s.sources.0.table": "c.d",
            "steps.s.where": "x IS NOT NULL",
            "steps.s.on_init.where": "TRUE",
            "on_init.where": "b",
        },
    )
    assert (request.body.where, request.body.having, request.body.distinct, request.body.union) == (
        "a > 1",
        None,
        True,
        ("s", "t"),
    )
    (step,) = request.steps
    assert step.body.sources[0].table == "books-data.c.d"
    assert step.body.where == "x IS NOT NULL"
    assert step.on_init is not None
    assert step.on_init.where == "TRUE"
    assert request.on_init is not None
    assert request.on_init.where == "b"


def test_examples_and_queries() -> None:
    request = answered(request_of("table: a.b"), "examples", "[{given: {a.c: [{x: NO}]}, expect: []}]")
    assert request.examples[0].given == {"books-data.a.c": ({"x": "NO"},)}
    query = answered(request, "query", "SELECT 1 AS a").query
    assert query is not None
    assert query.text == "SELECT 1 AS a"


def test_an_answer_settles_what_was_unclear() -> None:
    text = "# X\n## Partitioning\nas usual\n## Source data\n| Table | Filter |\n|---|---|\n| a.b | the good ones |\n"
    request = intake.read_request("r.md", text.encode(), "books-data")
    assert len(request.prose) == 2
    request = answered(request, "partitioning", "full refresh")
    assert [prose.where for prose in request.prose] == ["sources.0.filter: unclear"]
    assert answered(request, "sources.0.filter", "good").prose == ()
    assert answered(request, "sources", "a.b").prose == ()


def test_later_answers_win_and_all_are_kept(request_: Request) -> None:
    request = answered(answered(request_, "tier", "1"), "tier", "2")
    assert (request.tier, request.answers) == ("tier_2", {"tier": "2"})
    assert answered(request, "grain", "a").answers == {"tier": "2", "grain": "a"}


@pytest.mark.parametrize(
    ("element", "value", "reason", "fix"),
    [
        ("grian", "a", "no element `grian`", "`grain`"),
        ("grain.x", "a", "no element", None),
        ("grain", "", "empty", None),
        ("table", "../x", "is not a", None),
        ("table", "a.b/../c", "is not a table name", None),
        ("sources.9.join", "LEFT", "no source `9`", None),
        ("sources.shop.join", "LEFT", "no source `shop`", "`shops`"),
        ("sources.1.jion", "LEFT", "has no `jion`", "`join`"),
        ("sources.1.join", "SIDEWAYS", "not a kind of join", None),
        ("sources.1.on", "a = b; DROP TABLE x", "semicolon", None),
        ("sources.1.filter", "a) OR (b", "closing", None),
        ("sources.1.schema", "a STRNG", "not a BigQuery type", None),
        ("sources", "", "names no source", None),
        ("columns.nothing", "a", "no column `nothing`", None),
        ("columns.city", "a; b", "semicolon", None),
        ("columns.city", "a AS b", "AS", None),
        ("columns.city.expresion", "a", "has no `expresion`", "`expression`"),
        ("columns", "a + 1", "no name", None),
        ("where", "a -- b", "swallows", None),
        ("partitioning", "as usual", "not understood", "daily on"),
        ("partitioning", "daily on d, but on Sundays only", "not understood", None),
        ("partitioning.feild", "a", "no element `partitioning.feild`", "`field`"),
        ("partitioning.incremental", "perhaps", "neither true nor false", None),
        ("partitioning.expiration_days", "-1", "not a whole number", None),
        ("schedule", "when there is time", "not understood", None),
        ("schedule.dagg", "x", "no element `schedule.dagg`", "`dag`"),
        ("schedule.frequency", "often", "not a frequency", None),
        ("tier", "gold", "not a tier", None),
        ("monitoring", "perhaps", "not a way", None),
        ("labels", "x", "not a label", None),
        ("parameters", "x", "not understood", None),
        ("parameters.x", "DAT 1", "not a BigQuery type", None),
        ("steps.s.where", "a", "no step `s`", None),
        ("examples", "{", "not YAML", None),
        ("examples", "{expects: []}", "did you mean `expect`", None),
        ("query", "/etc/passwd", "no query", None),
        ("description", "a\x00b", "U+0000", None),
        ("on_init.sources.0.table", "a.b", "no source", None),
    ],
)
def test_what_is_refused(request_: Request, element: str, value: str, reason: str, fix: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        answered(request_, element, value)
    assert reason in caught.value.message
    assert (caught.value.at or "").startswith(f"--answer {element}")
    if fix:
        assert fix in (caught.value.fix or "")


def test_answers_can_be_kept(request_: Request) -> None:
    given = {"grain": "shop_id", "columns.city": "MAX(shops.city)", "tier": "1", "description": "true: “é”"}
    text = intake.write_answers(intake.apply_answers(request_, given))
    assert yaml.safe_load(text) == given
