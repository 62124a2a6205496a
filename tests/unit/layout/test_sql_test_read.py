from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout.sql_test_read import load, read
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import ParameterValue

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
SOURCE = TableRef("acme-data", "shop", "events_v1")
SCHEMA: Schema = (
    Field("day", "DATE"),
    Field("n", "INTEGER"),
    Field("name", "STRING"),
    Field("parts", "RECORD", "REPEATED", None, (Field("at", "TIMESTAMP"),)),
    Field("extra", "JSON"),
)
FIXTURE = "acme-data.shop.events_v1"


def schema_of(table: TableRef) -> Schema | None:
    return SCHEMA if table in (TABLE, SOURCE) else None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", "- {day: 2025-06-01, n: 1, name: x}\n- {day: 2025-06-02, N: 2}\n"),
        ("json", '[{"day": "2025-06-01", "n": 1, "name": "x"}, {"day": "2025-06-02", "n": 2}]'),
        ("ndjson", '{"day": "2025-06-01", "n": 1, "name": "x"}\n\n{"day": "2025-06-02", "n": 2}\n'),
    ],
)
def test_the_same_rows_come_from_every_format(kind: str, text: str) -> None:
    found = read({f"{FIXTURE}.{kind}": text, f"expect.{'json' if kind == 'ndjson' else kind}": "[]"}, TABLE, schema_of)
    assert found.tables[SOURCE].rows == (
        {"day": date(2025, 6, 1), "n": 1, "name": "x"},
        {"day": date(2025, 6, 2), "n": 2},
    )


def test_columns_of_csv_go_by_position_and_empty_is_null() -> None:
    schema = "fields: [{name: day, type: DATE}, {name: n, type: INTEGER}]"
    for head in ("", "day,n\n"):
        text = f"{head}2025-06-01,1\n2025-06-02,\n"
        found = read({f"{FIXTURE}.csv": text, f"{FIXTURE}.schema.yaml": schema, "expect.yaml": ""}, TABLE, schema_of)
        assert found.tables[SOURCE].rows == ({"day": date(2025, 6, 1), "n": 1}, {"day": date(2025, 6, 2), "n": None})


def test_a_schema_beside_the_tests_comes_first() -> None:
    files = {
        f"{FIXTURE}.yaml": "- {n: 1}",
        f"{FIXTURE}.schema.json": '[{"name": "n", "type": "STRING"}]',
        "expect.yaml": "[]",
    }
    assert read(files, TABLE, schema_of).tables[SOURCE].rows == ({"n": "1"},)


def test_cells_are_taken_as_bigquery_loads_them() -> None:
    """Dates that YAML made are text again, one value is an array of one, 2.0 is a whole number."""
    text = "- {n: 2.0, name: 2025-06-01, parts: {at: 2025-06-01 10:00:00}, extra: {of: 2025-06-01}}"
    (row,) = read({f"{FIXTURE}.yaml": text, "expect.yaml": "[]"}, TABLE, schema_of).tables[SOURCE].rows
    assert row == {
        "n": 2,
        "name": "2025-06-01",
        "parts": [{"at": datetime(2025, 6, 1, 10, tzinfo=UTC)}],
        "extra": '{"of":"2025-06-01"}',
    }


def test_a_fixture_may_leave_out_project_and_dataset() -> None:
    files = {"shop.events_v1.yaml": "[]", "orders_v1.yaml": "[]", "expect.yaml": "[]"}
    assert set(read(files, TABLE, schema_of).tables) == {SOURCE, TABLE}


def test_parameters_of_both_forms_and_the_default_type() -> None:
    text = """
- {name: submission_date, type: DATE, value: 2025-06-01}
- {name: word, value: 3}
- name: many
  parameterType: {type: ARRAY, arrayType: {type: INT64}}
  parameterValue: {arrayValues: [{value: '1'}, {value: 2}]}
- name: one
  parameterType: {type: INT64}
  parameterValue: {value: '7'}
"""
    assert read({"query_params.yaml": text, "expect.yaml": ""}, TABLE, schema_of).parameters == {
        "submission_date": ParameterValue("DATE", date(2025, 6, 1)),
        "word": ParameterValue("STRING", "3"),
        "many": ParameterValue("ARRAY<INT64>", [1, 2]),
        "one": ParameterValue("INT64", 7),
    }


@pytest.mark.parametrize(
    ("files", "message", "at"),
    [
        ({}, "no expect.yaml", str(TABLE)),
        ({"expect.yaml": "a: 1"}, "not a list of rows", "expect.yaml"),
        ({"expect.yaml": "- 1"}, "expect.yaml row 1 is not a mapping", "expect.yaml"),
        ({"expect.yaml": "- {m: 1}"}, "no field `m`", "expect.yaml"),
        ({"expect.yaml": "- {n: 1}\n- {n: x}"}, "row 2: 'x' is not a value of `n`", "expect.yaml"),
        ({"expect.json": "[{]"}, "not JSON", "expect.json"),
        ({"expect.ndjson": '{"n": 1}\n{'}, "not JSON", "expect.ndjson:2"),
        ({"expect.yaml": "", "a.b.c.d.yaml": ""}, "`a.b.c.d` is not a table name", "a.b.c.d.yaml"),
        ({"expect.yaml": "", "query_params.yaml": "- {type: DATE}"}, "needs name, type", "query_params.yaml"),
        (
            {"expect.yaml": "", "query_params.yaml": "- {name: a, type: WORD}"},
            "not a BigQuery type",
            "query_params.yaml",
        ),
        (
            {"expect.yaml": "", "query_params.yaml": "- {name: a, parameterType: {type: STRUCT}}"},
            "neither a scalar nor an array",
            "query_params.yaml",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_file(files: dict[str, str], message: str, at: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        read(files, TABLE, schema_of)
    assert caught.value.at == at


@pytest.mark.parametrize("files", [{"acme-data.shop.other.yaml": "[]", "expect.yaml": ""}, {"shop.v.parquet": ""}])
def test_what_cannot_be_typed_is_not_guessed(files: dict[str, str]) -> None:
    with pytest.raises(Unavailable):
        read(files, TABLE, schema_of)


def test_other_files_of_a_test_folder_are_left_alone() -> None:
    assert read({"expect.yaml": "", "README.md": "# x", "x.py": "pass"}, TABLE, schema_of).tables == {}


# --- as the plugin loads it


def test_a_fixture_that_nobody_describes_has_the_schema_that_bigquery_detects() -> None:
    files = {"acme-data.shop.other.yaml": "- {n: '007', when: 2025-06-01, x: null}\n", "expect.yaml": "- {anything: 1}"}
    found = load(files, TABLE, schema_of)
    (data,) = found.tables.values()
    assert data.schema == (Field("n", "INTEGER"), Field("when", "DATE"), Field("x", "STRING"))
    assert data.rows == ({"n": 7, "when": date(2025, 6, 1), "x": None},)
    assert found.expect == ({"anything": 1},)


def test_only_a_fixture_with_its_whole_name_has_the_schema_of_a_table() -> None:
    files = {"shop.events_v1.yaml": "- {n: 1}", "expect.yaml": ""}
    assert load(files, TABLE, schema_of).tables[SOURCE].schema == (Field("n", "INTEGER"),)
    files = {f"{FIXTURE}.yaml": "- {n: 1}", "expect.yaml": ""}
    assert load(files, TABLE, schema_of).tables[SOURCE].schema == SCHEMA


def test_ndjson_may_have_text_in_single_quotes_as_bigquery_loads_it() -> None:
    line = """{"name": 'say "it\\'s"', "n": 1}"""
    files = {f"{FIXTURE}.ndjson": line, "expect.yaml": ""}
    assert load(files, TABLE, schema_of).tables[SOURCE].rows == ({"name": 'say "it\'s"', "n": 1},)
    with pytest.raises(InvalidInput, match="not JSON"):
        read(files, TABLE, schema_of)


def test_a_csv_fixture_that_nobody_describes_has_its_names_in_the_first_line() -> None:
    files = {"acme-data.shop.other.csv": "n,word\n1,a\n,b\n", "expect.yaml": ""}
    assert load(files, TABLE, schema_of).tables[TableRef("acme-data", "shop", "other")].rows == (
        {"n": 1, "word": "a"},
        {"n": None, "word": "b"},
    )


def test_an_instant_may_lack_its_seconds() -> None:
    schema = "fields: [{name: at, type: TIMESTAMP}]"
    files = {f"{FIXTURE}.schema.yaml": schema, f"{FIXTURE}.yaml": "- {at: '2025-06-01 10:30'}", "expect.yaml": ""}
    assert load(files, TABLE, schema_of).tables[SOURCE].rows == ({"at": datetime(2025, 6, 1, 10, 30, tzinfo=UTC)},)


def test_views_and_names_as_written_are_kept() -> None:
    found = load({"acme-data.shop.v.sql": "SELECT 1", "orders_v1.yaml": "[]", "expect.yaml": ""}, TABLE, schema_of)
    assert found.views == {TableRef("acme-data", "shop", "v"): "SELECT 1"}
    assert found.written == {TableRef("acme-data", "shop", "v"): "acme-data.shop.v", TABLE: "orders_v1"}


@pytest.mark.parametrize("kind", ["parquet", "avro", "orc"])
def test_fixtures_that_are_no_text_are_refused_by_name(kind: str) -> None:
    with pytest.raises(Unavailable, match=rf"{FIXTURE}\.{kind}"):
        load({f"{FIXTURE}.{kind}": "", "expect.yaml": ""}, TABLE, schema_of)
