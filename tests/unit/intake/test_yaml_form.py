"""The YAML form: every key of the page, and faults told with their line and the nearest known word."""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake.yaml_form import read_yaml
from etl_orchestrator.requirements import (
    Body,
    Column,
    Parameter,
    Partitioning,
    Query,
    RefuseWhen,
    Request,
    Schedule,
    Source,
)
from etl_orchestrator.table import Field, TableRef

FULL = """\
table: sales_derived.daily_sales_v1
friendly_name: Daily sales
description: >-
  Sales of a day
  per shop.
grain: one row per shop_id and submission_date
sources:
  - table: sales_live.orders_v1
    alias: orders
    filter: submission_date = @submission_date
    notes: The till sends some orders twice.
  - table: other-project.static.shops_v1
    join: left outer join
    on: orders.shop_id = shops.shop_id
    schema:
      - {name: shop_id, type: STRING, mode: REQUIRED}
      - name: address
        type: RECORD
        fields:
          - {name: street, type: STRING, description: Street and number.}
  - unnest: orders.lines
    alias: line
    offset: position
    join: CROSS
steps:
  - name: doubled
    notes: One of two equal orders.
    sources: [{table: sales_live.orders_v1}]
    distinct: true
    columns:
      - name: "*"
        expression: orders.* EXCEPT (tags)
    qualify: ROW_NUMBER() OVER (PARTITION BY order_id) = 1
    on_init:
      sources: [{table: sales_live.old_orders_v1}]
  - name: both
    union: [doubled, doubled]
  - name: either
    union_distinct: [doubled, both]
where: orders.status = 'paid'
columns:
  - name: submission_date
  - name: shop_id
    expression: orders.shop_id
    description: The shop.
    type: STRING
    mode: REQUIRED
  - name: last_order
    expression: ANY_VALUE(orders.address)
    type: RECORD
    fields:
      - {name: city, description: Where it went.}
having: COUNT(*) > 1
qualify: null
partitioning: {incremental: true, field: submission_date, type: DAY, expiration_days: 90, require_filter: false, write: table}
clustering: [shop_id]
schedule:
  dag: bqetl_sales
  depends_on_past: true
  date_partition_parameter: null
  date_partition_offset: -7
  arguments: ["--date", "{{ ds }}"]
  start_date: 2025-01-01
owners: [ann@books.example, books/data]
tier: Tier 2
consumers: [dashboards]
monitoring:
  - {metric: nulls, column: shop_id, threshold: 0.5}
labels: {application: sales, internal: true, version: 1}
examples:
  - name: typed by the schemas
    given:
      sales_live.orders_v1:
        - {submission_date: 2025-06-01, country: NO, version: 125.0, missing: null, word: "null", tags: [a, 1], nested: {x: 1}}
      other-project.static.shops_v1: []
    parameters: {submission_date: 2025-06-01}
    expect:
      - {submission_date: 2025-06-01, n: 1}
    ordered: true
parameters:
  - {name: download_date, type: date, value: "{{ds}}"}
refuse_when:
  - {condition: COUNT(*) = 0, message: no orders}
on_init:
  where: orders.submission_date >= '2020-01-01'
notes: Words for the author.
"""


def read(text: str) -> Request:
    return read_yaml(text, "f.yaml", "digest", "books-data", lambda value, at: Query(value, at))


def test_every_key_of_the_form() -> None:
    request = read(FULL)
    assert request.table == TableRef("books-data", "sales_derived", "daily_sales_v1")
    assert request.friendly_name == "Daily sales"
    assert request.description == "Sales of a day per shop."
    assert request.grain == "one row per shop_id and submission_date"
    assert request.partitioning == Partitioning(True, "submission_date", "day", 90, False, "table")
    assert request.clustering == ("shop_id",)
    assert request.owners == ("ann@books.example", "books/data")
    assert request.tier == "tier_2"
    assert request.consumers == ("dashboards",)
    assert request.monitoring == ({"metric": "nulls", "column": "shop_id", "threshold": 0.5},)
    assert request.labels == {"application": "sales", "internal": True, "version": 1}
    assert request.parameters == (Parameter("download_date", "DATE", "{{ds}}"),)
    assert request.refuse_when == (RefuseWhen("COUNT(*) = 0", "no orders"),)
    assert request.on_init == Body(where="orders.submission_date >= '2020-01-01'")
    assert request.notes == "Words for the author."
    assert request.project == "books-data"
    assert request.digest == "digest"


def test_sources() -> None:
    first, second, third = read(FULL).body.sources
    assert first.table == "books-data.sales_live.orders_v1"
    assert first.filter == "submission_date = @submission_date"
    assert first.notes == "The till sends some orders twice."
    assert second == Source(
        "shops",
        "other-project.static.shops_v1",
        join="LEFT",
        on="orders.shop_id = shops.shop_id",
        schema=(
            Field("shop_id", "STRING", "REQUIRED"),
            Field(
                "address", "RECORD", "NULLABLE", None, (Field("street", "STRING", description="Street and number."),)
            ),
        ),
    )
    assert third == Source("line", unnest="orders.lines", offset="position", join="CROSS")


def test_columns_and_steps() -> None:
    request = read(FULL)
    assert request.body.columns[0] == Column("submission_date")
    assert request.body.columns[1] == Column("shop_id", "orders.shop_id", "The shop.", "STRING", "REQUIRED")
    assert request.body.columns[2].fields == (Column("city", description="Where it went."),)
    doubled, both, either = request.steps
    assert doubled.body.columns == (Column("*", "orders.* EXCEPT (tags)"),)
    assert doubled.body.distinct
    assert doubled.on_init is not None
    assert doubled.on_init.sources[0].alias == "old_orders"
    assert (both.body.union, both.body.union_distinct) == (("doubled", "doubled"), False)
    assert (either.body.union, either.body.union_distinct) == (("doubled", "both"), True)


def test_schedule_options_are_passed_on_with_their_types() -> None:
    assert read(FULL).schedule == Schedule(
        "bqetl_sales",
        options={
            "depends_on_past": True,
            "date_partition_parameter": None,
            "date_partition_offset": -7,
            "arguments": ["--date", "{{ ds }}"],
            "start_date": "2025-01-01",
        },
    )
    assert read("schedule: {none: by hand}").schedule == Schedule(none="by hand")
    assert read("schedule: {dag_name: bqetl_x}").schedule == Schedule("bqetl_x")


def test_cells_of_examples_stay_as_written() -> None:
    (example,) = read(FULL).examples
    assert list(example.given) == ["books-data.sales_live.orders_v1", "other-project.static.shops_v1"]
    assert example.given["books-data.sales_live.orders_v1"][0] == {
        "submission_date": "2025-06-01",
        "country": "NO",
        "version": "125.0",
        "missing": None,
        "word": "null",
        "tags": ["a", "1"],
        "nested": {"x": "1"},
    }
    assert all(type(cell) is str for cell in example.expect[0].values())
    assert example.parameters == {"submission_date": "2025-06-01"}
    assert example.ordered


def test_a_key_without_a_value_is_absent() -> None:
    request = read("sources:\nsteps: null\nowners: ~\nhaving:")
    assert (request.body, request.steps, request.owners) == (Body(), (), ())


def test_the_query_is_read_by_the_caller() -> None:
    assert read("query: daily.sql").query == Query("daily.sql", "f.yaml:1")


def test_lines_of_elements() -> None:
    request = read(FULL)
    assert request.at("grain") == "f.yaml:6"
    assert request.at("sources.1.join") == "f.yaml:13"
    assert request.at("columns.shop_id.type") == request.at("columns.1.type")
    assert request.at("steps.both") == "f.yaml:36"


def test_the_alias_is_the_name_the_expressions_use() -> None:
    assert (
        read("sources: [{table: d.orders_v1}]\ncolumns: [{name: a, expression: orders.a}]").body.sources[0].alias
        == "orders"
    )
    whole = read("sources: [{table: d.orders_v1}]\ncolumns: [{name: a, expression: orders_v1.a}]").body.sources[0]
    assert whole.alias == "orders_v1"
    assert (
        read("sources: [{table: d.orders_v1, alias: orders}]\nwhere: orders_v1.a > 1").body.sources[0].alias == "orders"
    )


def test_types_in_either_spelling() -> None:
    columns = read(
        "columns:\n- {name: a, type: INT64}\n- {name: b, type: array<string>}\n- {name: c, type: 'STRUCT<x FLOAT64, y ARRAY<DATE>>'}\n"
        "- {name: d, type: 'NUMERIC(10, 2)'}\n- {name: e, type: STRING, mode: REPEATED}"
    ).body.columns
    told = [(column.type, column.mode) for column in columns]
    assert told == [
        ("INTEGER", None),
        ("STRING", "REPEATED"),
        ("RECORD", None),
        ("NUMERIC", None),
        ("STRING", "REPEATED"),
    ]
    assert columns[2].fields == (Column("x", type="FLOAT", mode="NULLABLE"), Column("y", type="DATE", mode="REPEATED"))


@pytest.mark.parametrize(
    ("text", "expected"), [("NULL", "NULL"), ("null", None), ("~", None), ("", None), ("'NULL'", "NULL")]
)
def test_null_in_capitals_is_the_null_of_sql(text: str, expected: str | None) -> None:
    (column,) = read(f"columns:\n- name: a\n  type: DATE\n  expression: {text}").body.columns
    assert column.expression == expected


def test_partitioning_without_incremental_stays_open() -> None:
    request = read("partitioning: {field: day}")
    assert request.partitioning is None
    assert [(prose.where, prose.line) for prose in request.prose] == [("partitioning: unclear", 1)]


REFUSED = [
    ("tabel: a.b", "`tabel` is not known", 1, "`table`"),
    ("table: a.b\nsources:\n  - tabel: x.y\n", "`tabel` is not known", 3, "`table`"),
    ("columns:\n- {name: a, expresion: b}", "`expresion` is not known", 2, "`expression`"),
    ("steps:\n- name: a\n  columns:\n  - {name: a, typ: b}", "`typ` is not known", 4, "`type`"),
    ("schedule: {frequncy: daily}", "`frequncy` is not known", 1, "`frequency`"),
    ("schedule:\n  dag: x\n  argument: []", "`argument` is not known", 3, "`arguments`"),
    ("partitioning: {feild: a}", "`feild` is not known", 1, "`field`"),
    ("examples:\n- {expect: [], expects: []}", "`expects` is not known", 2, "`expect`"),
    ("sources: orders", "`sources` takes a list", 1, None),
    ("columns:\n- a", "takes keys with values", 2, None),
    ("grain: {a: b}", "`grain` takes", 1, None),
    ("distinct: yes", "`distinct` cannot be `yes`", 1, "true or false"),
    ("partitioning: {incremental: 1}", "`incremental` cannot be `1`", 1, "true or false"),
    ("partitioning: {incremental: true, expiration_days: 1.5}", "`expiration_days` cannot be", 1, "whole number"),
    ("partitioning: {incremental: true, type: week}", "`week` is not a type of partitioning", 1, "hour, day"),
    ("partitioning: {incremental: true, write: fast}", "`fast` is not a way of writing", 1, "append"),
    ("schedule: {frequency: sometimes}", "`sometimes` is not a frequency", 1, "daily"),
    ("tier: gold", "not a tier", 1, "tier_1"),
    ("monitoring: maybe", "not a way of monitoring", 1, "auto, none"),
    ("table: ../../etc/passwd", "not a table name", 1, None),
    ("table: a.b/../../c", "is not a table name", 1, None),
    ("table: a.b;c", "not a table name", 1, None),
    ("table: a.`b c`", "not a table name", 1, None),
    ("sources:\n- table: a.b\n- table: ../x", "is not a", 3, None),
    ("sources:\n- {table: a.b, unnest: x}", "either a `table` or an `unnest`", 2, None),
    ("sources:\n- {alias: a}", "either a `table` or an `unnest`", 2, None),
    ("sources:\n- {unnest: x}", "needs an `alias`", 2, None),
    ("sources:\n- {table: a.b, alias: 'x; y'}", "not a name", 2, None),
    ("sources:\n- {table: a.b, join: SIDEWAYS}", "not a kind of join", 2, "INNER"),
    ("sources:\n- {table: a.b, filter: 'TRUE; DROP TABLE x'}", "semicolon", 2, None),
    ("sources:\n- {table: a.b, on: 'a = b)'}", "closing", 2, None),
    ("sources:\n- {table: a.b, schema: [{name: a, type: STRNG}]}", "not a BigQuery type", 2, "`STRING`"),
    ("sources:\n- {table: a.b, schema: [{name: a, type: STRING}, {name: A, type: DATE}]}", "twice", 2, None),
    ("columns:\n- {name: 'a b'}", "not a name of a column", 2, None),
    ("columns:\n- {name: a, expression: 'b; c'}", "semicolon", 2, None),
    ("columns:\n- {name: a, type: INTEGR}", "not a BigQuery type", 2, "`INTEGER`"),
    ("columns:\n- {name: a, type: DATE, mode: MANY}", "not a mode", 2, "REPEATED"),
    ("columns:\n- {name: '*'}", "star stands in steps only", 2, None),
    ("steps:\n- {name: a, columns: [{name: '*', expression: 'a.* FROM x'}]}", "not a star", 2, None),
    ("steps:\n- {name: a.b}", "not a name of a step", 2, None),
    ("where: a = 1 -- and nothing else", "swallows", 1, None),
    ("refuse_when: [{condition: 'a; b', message: x}]", "semicolon", 1, None),
    ("parameters: [{name: a, type: DAT, value: x}]", "not a BigQuery type", 1, "`DATE`"),
    ("union: [a]\nunion_distinct: [b]", "both name steps", 2, None),
    ("- a", "no keys", 1, None),
    ("just words", "no keys", 1, None),
]


@pytest.mark.parametrize(("text", "reason", "line", "fix"), REFUSED)
def test_what_is_refused(text: str, reason: str, line: int, fix: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert reason in caught.value.message
    assert caught.value.at == f"f.yaml:{line}"
    if fix:
        assert fix in (caught.value.fix or "")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("tabel: a\ncolums: []\nsources: x\n" + "".join(f"k{n}: 1\n" for n in range(9)))
    assert "`tabel`" in caught.value.message
    assert "`colums` is not known (at f.yaml:2" in caught.value.message
    assert "`sources` takes a list" in caught.value.message
    assert "more" in caught.value.message


def test_nothing_of_the_library_is_heard() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("columns: 1\nlabels: []\nexamples: [{}]")
    assert "pydantic" not in str(caught.value)
    assert "validation error" not in str(caught.value)
    assert "lacks the key `expect`" in caught.value.message
