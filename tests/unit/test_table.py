"""Names of tables, hostile ones included, and fields."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.table import Field, Schema, TableRef, packed, unpacked, walk


@pytest.mark.parametrize(
    "text",
    [
        "acme-data.shop.orders_v1",
        "`acme-data.shop.orders_v1`",
        "`acme-data`.`shop`.`orders_v1`",
        "shop.orders_v1",
        " shop.orders_v1\n",
    ],
)
def test_the_ways_to_write_a_table(text: str) -> None:
    table = TableRef.parse(text, "acme-data")
    assert table == TableRef("acme-data", "shop", "orders_v1")
    assert TableRef.parse(str(table)) == table


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "orders_v1",
        "a.b.c.d",
        "acme-data.shop.",
        "acme-data..orders_v1",
        "acme-data.shop.../../../etc/passwd",
        "acme-data.shop.a/b",
        "acme-data.shop.a\\b",
        "acme-data.../x.y",
        "../../x.shop.orders",
        "acme-data.shop.orders v1",
        "acme-data.shop.orders\nv1",
        "acme-data.shop.orders_v1\x00",
        "acme-data.shop.orders_v1;DROP TABLE x",
        "acme-data.shop.orders_v1--",
        "acme-data.shop.$(id)",
        "acme-data.shop.orders_v1$20250101",
        "acme-data.shop.~root",
        "acme-data.shop.-rf",
        "acme-data.shop.1st",
        "acme-data.region-us.orders",
        "acme-data.shop.INFORMATION_SCHEMA.TABLES.x",
        "acme-data.shop.INFORMATION_SCHEMA.1",
        "acme-data.shop_*.orders",
        "acme-data.shop.or*ders",
        "acme-data.shop.órders",
        "acme-data.shop.orders\u202e_v1",
        "acme-data.shop.{{ds}}",
        "Acme-Data.shop.orders",
        "acme_data.shop.orders",
        "-acme.shop.orders",
        "acme-.shop.orders",
        "abc.shop.orders",
        "acme-data.shop." + "a" * 301,
        "a" * 65 + ".shop.orders",
    ],
)
def test_a_hostile_or_broken_name_is_refused_with_advice(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        TableRef.parse(text, "acme-data")
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "dataset", "name"),
    [
        ("acme-data.123456.ga_sessions_*", "123456", "ga_sessions_*"),
        ("acme-data.shop.*", "shop", "*"),
        ("acme-data.shop.INFORMATION_SCHEMA.TABLES", "shop", "INFORMATION_SCHEMA.TABLES"),
        ("shop.INFORMATION_SCHEMA.TABLES", "shop", "INFORMATION_SCHEMA.TABLES"),
        ("`acme-data.region-us.INFORMATION_SCHEMA.JOBS`", "region-us", "INFORMATION_SCHEMA.JOBS"),
        ("`region-US`.INFORMATION_SCHEMA.JOBS", "region-US", "INFORMATION_SCHEMA.JOBS"),
        ("`other-data`.INFORMATION_SCHEMA.SCHEMATA", "INFORMATION_SCHEMA", "SCHEMATA"),
        ("`other-data.information_schema.schemata`", "information_schema", "schemata"),
        ("INFORMATION_SCHEMA.SCHEMATA", "INFORMATION_SCHEMA", "SCHEMATA"),
    ],
)
def test_names_that_no_folder_can_have_are_tables_too(text: str, dataset: str, name: str) -> None:
    table = TableRef.parse(text, "acme-data")
    assert (table.dataset, table.name) == (dataset, name)
    assert table.is_information_schema is (not table.is_wildcard)
    with pytest.raises(InvalidInput):
        paths.table_folder(table)


@pytest.mark.parametrize("end", ["\n", " ", "/", "."])
def test_a_part_with_something_at_its_end_is_refused_however_it_is_made(end: str) -> None:
    for parts in (("acme-data" + end, "shop", "x"), ("acme-data", "shop" + end, "x"), ("acme-data", "shop", "x" + end)):
        with pytest.raises(InvalidInput):
            TableRef(*parts)


def test_two_parts_need_a_project() -> None:
    with pytest.raises(InvalidInput, match="is not a table name"):
        TableRef.parse("shop.orders_v1")


def test_the_longest_names() -> None:
    table = TableRef("a" * 64, "d" * 300, "t" * 300)
    assert TableRef.parse(str(table)) == table


def test_a_wildcard_is_a_name_without_a_folder() -> None:
    table = TableRef.parse("acme-data.shop.events_*")
    assert table.is_wildcard
    assert not TableRef.parse("acme-data.shop.events_").is_wildcard
    with pytest.raises(InvalidInput, match="wildcard"):
        paths.table_folder(table)


def test_tables_sort_by_project_dataset_and_name() -> None:
    names = ["b-proj.a.a", "a-proj.b.a", "a-proj.a.b", "a-proj.a.a"]
    assert [str(table) for table in sorted(map(TableRef.parse, names))] == sorted(names)


@pytest.mark.parametrize(("written", "kept"), [("int64", "INTEGER"), ("Struct", "RECORD"), ("date", "DATE")])
def test_a_field_has_its_legacy_type_and_an_upper_case_mode(written: str, kept: str) -> None:
    field = Field("x", written, "repeated")
    assert (field.type, field.mode) == (kept, "REPEATED")


@pytest.mark.parametrize(("kind", "mode", "named"), [("VARCHAR", "NULLABLE", "VARCHAR"), ("DATE", "MAYBE", "MAYBE")])
def test_an_unknown_type_or_mode_is_refused_by_name(kind: str, mode: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=f"`{named}` of field `x`"):
        Field("x", kind, mode)


def test_walk_gives_parents_before_children_with_dotted_paths() -> None:
    part = Field("b", "RECORD", fields=(Field("c", "STRING"),))
    schema = (Field("a", "RECORD", "REPEATED", fields=(part, Field("d", "DATE"))), Field("e", "DATE"))
    assert [path for path, _ in walk(schema)] == ["a", "a.b", "a.b.c", "a.d", "e"]


COUNTED = (Field("key", "STRING"), Field("value", "INTEGER", description="how often"))
WIDE = (
    Field("a", "RECORD", "REPEATED", "first", COUNTED),
    Field("b", "RECORD", fields=(Field("c", "RECORD", fields=COUNTED), Field("day", "DATE", "REQUIRED"))),
    Field("d", "RECORD", fields=tuple(replace(field, description=None) for field in COUNTED)),
)


@pytest.mark.parametrize("schema", [WIDE, COUNTED, ()])
def test_columns_are_what_they_were_after_a_time_as_json(schema: Schema) -> None:
    assert unpacked(json.loads(json.dumps(packed(schema, described=True)))) == schema
    bare = unpacked(json.loads(json.dumps(packed(schema))))
    assert [(path, field.type, field.mode) for path, field in walk(bare)] == [
        (path, field.type, field.mode) for path, field in walk(schema)
    ]
    assert all(field.description is None for _, field in walk(bare))


def test_equal_lists_of_fields_are_kept_once() -> None:
    parts = packed(WIDE)
    assert len(parts) == 3
    columns = unpacked(parts)
    assert columns[0].fields is columns[2].fields
    assert unpacked([]) == ()
