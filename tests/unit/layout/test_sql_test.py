from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import sql_test, sql_test_read, yaml_text
from etl_orchestrator.layout.sql_test import SqlTest, comment_place
from etl_orchestrator.layout.sql_test_compare import compare
from etl_orchestrator.model import Artifact
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue, TableData

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
SOURCE = TableRef("acme-data", "shop", "events_v1")
WILD = TableRef("acme-data", "shop", "log_*")
SCHEMA: Schema = (
    Field("at", "TIMESTAMP"),
    Field("item", "RECORD", "NULLABLE", None, (Field("id", "INTEGER"), Field("name", "STRING"))),
    Field("tags", "STRING", "REPEATED"),
    Field("price", "NUMERIC"),
    Field("extra", "JSON"),
    Field("raw", "BYTES"),
    Field("created_at", "TIMESTAMP"),
)
ROW = {
    "at": datetime(2025, 6, 1, 10, tzinfo=UTC),
    "item": {"id": 1, "name": None},
    "tags": ["a", "no"],
    "price": Decimal("1.50"),
    "extra": '{"on":["2025-06-01"]}',
    "raw": b"x" * 70,
    "created_at": datetime(2025, 6, 1, tzinfo=UTC),
}
PARAMETERS = {
    "submission_date": ParameterValue("DATE", date(2025, 6, 1)),
    "limit": ParameterValue("INT64", 3),
    "names": ParameterValue("ARRAY<STRING>", ["a", "yes"]),
}
FOLDER = "tests/sql/acme-data/shop_derived/orders_v1"


def files(made: tuple[Artifact, ...]) -> dict[str, str]:
    return {artifact.path.rpartition("/")[2]: artifact.text for artifact in made}


def schema_of(table: TableRef) -> Schema | None:
    return {TABLE: SCHEMA, SOURCE: SCHEMA}.get(table)


def test_a_test_is_a_folder_of_fixtures_parameters_and_expectation() -> None:
    test = SqlTest("test_a", {SOURCE: TableData(SCHEMA, (ROW,))}, PARAMETERS, (ROW,), SCHEMA)
    made = sql_test.write(TABLE, test, "tests")
    assert [(artifact.path, artifact.made_by) for artifact in made] == [
        (f"{FOLDER}/test_a/acme-data.shop.events_v1.yaml", "tests"),
        (f"{FOLDER}/test_a/expect.yaml", "tests"),
        (f"{FOLDER}/test_a/query_params.yaml", "tests"),
    ]


def test_a_fixture_is_what_bigquery_loads() -> None:
    test = SqlTest("test_a", {SOURCE: TableData(SCHEMA, (ROW, {}))})
    text = files(sql_test.write(TABLE, test, "tests"))["acme-data.shop.events_v1.yaml"]
    assert yaml_text.load(text, "x") == [
        {
            "at": "2025-06-01T10:00:00+00:00",
            "item": {"id": 1},
            "tags": ["a", "no"],
            "price": "1.5",
            "extra": {"on": ["2025-06-01"]},
            "raw": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==",
            "created_at": "2025-06-01T00:00:00+00:00",
        },
        {},
    ]


def test_an_expectation_is_what_the_plugin_makes_of_a_result() -> None:
    """Base64 in lines, empty arrays there, NULL columns and created_at not."""
    rows = (ROW, {"item": {"id": None}})
    text = files(sql_test.write(TABLE, SqlTest("test_a", {}, {}, rows, SCHEMA), "tests"))["expect.yaml"]
    first, second = yaml_text.load(text, "x")
    assert first["raw"].split("\n") == [
        "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4",
        "eHh4eHh4eHh4eHh4eA==",
    ]
    assert "created_at" not in first
    assert second == {"item": {}, "tags": []}


def test_without_a_schema_values_are_written_as_what_they_are() -> None:
    text = files(sql_test.write(TABLE, SqlTest("test_a", {}, {}, ({"d": date(2025, 6, 1), "n": None},)), "tests"))
    assert text["expect.yaml"] == "- d: '2025-06-01'\n"


def test_parameters_come_in_the_two_forms_of_the_plugin() -> None:
    text = files(sql_test.write(TABLE, SqlTest("test_a", {}, PARAMETERS), "tests"))["query_params.yaml"]
    assert yaml_text.load(text, "x") == [
        {"name": "submission_date", "type": "DATE", "value": "2025-06-01"},
        {"name": "limit", "type": "INT64", "value": 3},
        {
            "name": "names",
            "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
            "parameterValue": {"arrayValues": [{"value": "a"}, {"value": "yes"}]},
        },
    ]


def test_empty_tables_and_expectations_are_empty_lists() -> None:
    made = files(sql_test.write(TABLE, SqlTest("test_a", {SOURCE: TableData(SCHEMA)}), "tests"))
    assert made == {"acme-data.shop.events_v1.yaml": "[]\n", "expect.yaml": "[]\n"}


def test_labels_and_comments_stand_where_they_belong_and_are_read_back() -> None:
    test = SqlTest(
        "test_a",
        {SOURCE: TableData(SCHEMA, (ROW, ROW))},
        {},
        ({"price": Decimal(1), "tags": []}, {"price": Decimal(2), "tags": []}),
        SCHEMA,
        {
            sql_test.EXPECT: "From the example\nof the requirement.",
            comment_place(sql_test.EXPECT, 1): "SNAPSHOT: only the query can tell",
            comment_place(SOURCE, 1): "arrives late",
        },
        ("requirement-derived", "SNAPSHOT"),
    )
    made = files(sql_test.write(TABLE, test, "tests"))
    assert made["expect.yaml"] == (
        "# labels: requirement-derived, SNAPSHOT\n# From the example\n# of the requirement.\n"
        "- tags: []\n  price: '1'\n# SNAPSHOT: only the query can tell\n- tags: []\n  price: '2'\n"
    )
    assert sql_test_read.read(made, TABLE, schema_of, "test_a") == SqlTest(
        "test_a",
        {SOURCE: TableData(SCHEMA, (ROW, ROW))},
        {},
        test.expect,
        SCHEMA,
        test.comments,
        test.labels,
    )


def test_a_wildcard_becomes_a_table_of_the_day_of_the_run() -> None:
    test = SqlTest("test_a", {WILD: TableData(SCHEMA)}, {"submission_date": PARAMETERS["submission_date"]})
    assert "acme-data.shop.log_20250601.yaml" in files(sql_test.write(TABLE, test, "tests"))


def test_a_value_of_another_type_or_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no field `pric`"):
        sql_test.write(TABLE, SqlTest("test_a", {SOURCE: TableData(SCHEMA, ({"pric": 1},))}), "tests")


def test_schemas_lie_beside_the_tests_where_the_plugin_looks_for_them() -> None:
    (made,) = sql_test.schema_files(
        TABLE, {SOURCE: (Field("a", "STRING"),)}, [str(SOURCE), "acme-data.shop.other_v1"], "tests"
    )
    assert made.path == f"{FOLDER}/acme-data.shop.events_v1.schema.yaml"
    assert made.text == "fields:\n- name: a\n  type: STRING\n  mode: NULLABLE\n"


def test_the_schema_of_a_wildcard_has_the_name_of_each_of_its_fixtures() -> None:
    wildcard = TableRef("acme-data", "shop", "days_*")
    test = SqlTest("test_a", {wildcard: TableData((Field("a", "STRING"),))}, PARAMETERS)
    name = sql_test.fixture_of(wildcard, test)
    made = sql_test.schema_files(
        TABLE, {wildcard: (Field("a", "STRING"),)}, [name, "acme-data.shop.days_20240101"], "x"
    )
    assert [file.path for file in made] == [
        f"{FOLDER}/acme-data.shop.days_20240101.schema.yaml",
        f"{FOLDER}/{name}.schema.yaml",
    ]


def test_a_test_survives_being_written_and_read() -> None:
    test = SqlTest("test_a", {SOURCE: TableData(SCHEMA, (ROW,))}, PARAMETERS, (ROW,), SCHEMA)
    found = sql_test_read.read(files(sql_test.write(TABLE, test, "tests")), TABLE, schema_of, "test_a")
    assert found.parameters == PARAMETERS
    assert compare(test.tables[SOURCE].rows, found.tables[SOURCE].rows) == ()
    seen = {name: value for name, value in ROW.items() if name not in sql_test.IGNORED}
    assert compare([seen], found.expect) == ()
