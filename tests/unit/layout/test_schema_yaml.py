from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import schema_yaml
from etl_orchestrator.layout.schema_yaml import Entry
from etl_orchestrator.table import Field

OTHER: list[Entry] = [
    {"name": "day", "type": "DATE", "mode": "NULLABLE", "description": "The day. "},
    {
        "name": "geo",
        "type": "RECORD",
        "mode": "NULLABLE",
        "fields": [
            {"name": "country", "type": "STRING", "description": "Two letters."},
            {"name": "city", "type": "STRING"},
        ],
    },
    {"name": "clicks", "type": "INT64"},
]


def resolve(reference: Mapping[str, str]) -> Sequence[Entry]:
    assert reference in ({"file": "base.yaml"}, {"table": "p-one.d.t"})
    return OTHER


def read(text: str) -> tuple[Field, ...]:
    return schema_yaml.read(text, "schema.yaml", resolve)


def test_types_and_modes_come_in_their_legacy_names() -> None:
    text = """
fields:
- {mode: repeated, name: a, type: struct, fields: [{name: b, type: int64}]}
- {name: c, type: FLOAT64, description: A rate.}
"""
    assert read(text) == (
        Field("a", "RECORD", "REPEATED", None, (Field("b", "INTEGER"),)),
        Field("c", "FLOAT", "NULLABLE", "A rate."),
    )


def test_writing_orders_the_keys_and_leaves_out_what_is_not_said() -> None:
    schema = (
        Field("day", "DATE", "REQUIRED", "The day: in UTC."),
        Field("items", "RECORD", "REPEATED", None, (Field("id", "INT64"),)),
    )
    assert schema_yaml.write(schema) == (
        "fields:\n"
        "- name: day\n  type: DATE\n  mode: REQUIRED\n  description: 'The day: in UTC.'\n"
        "- name: items\n  type: RECORD\n  mode: REPEATED\n"
        "  fields:\n  - name: id\n    type: INTEGER\n    mode: NULLABLE\n"
    )
    assert schema_yaml.read(schema_yaml.write(schema), "schema.yaml") == schema


def test_an_included_field_takes_its_changes() -> None:
    text = """
fields:
- !include-field
  file: base.yaml
  field: day
  new_name: first_day
  new_type: TIMESTAMP
  new_mode: REQUIRED
  append_description: Of the client.
  prepend_description: Not null.
"""
    assert read(text) == (Field("first_day", "TIMESTAMP", "REQUIRED", "Not null.\nThe day.\nOf the client."),)


def test_an_included_record_takes_more_parts() -> None:
    text = """
fields:
- !include-field
  table: p-one.d.t
  field: geo
  new_description: Where.
  append_fields: [{name: last, type: STRING}]
  prepend_fields: [{name: first, type: STRING}]
"""
    (geo,) = read(text)
    assert geo.description == "Where."
    assert [part.name for part in geo.fields] == ["first", "country", "city", "last"]


def test_included_fields_are_chosen_by_name_or_left_out_or_replaced() -> None:
    text = """
fields: !flatten-lists
- {name: own, type: STRING}
- !include-fields
  file: base.yaml
  exclude_field_names: [geo]
  field_replacements: [{name: clicks, type: STRING}]
- !include-fields
  file: base.yaml
  parent_field: geo
  field_names: [city, country]
"""
    assert [(field.name, field.type) for field in read(text)] == [
        ("own", "STRING"),
        ("day", "DATE"),
        ("clicks", "STRING"),
        ("city", "STRING"),
        ("country", "STRING"),
    ]


def test_a_description_is_borrowed_from_a_nested_field() -> None:
    text = """
fields:
- name: where
  type: STRING
  description: !include-field-description
    file: base.yaml
    field: geo.country
    append: Upper case.
"""
    assert read(text)[0].description == "Two letters.\nUpper case."


def test_a_whole_file_is_included() -> None:
    assert [field.name for field in read("!include\nfile: base.yaml\n")] == ["day", "geo", "clicks"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1", "no list of `fields`"),
        ("", "no list of `fields`"),
        ("fields: [a]", "`a` is not a field"),
        ("fields: [{name: on, type: STRING}]", "needs quotes: `True`"),
        ("fields: [{name: a}]", "the field `a` has no type"),
        ("fields: [{name: a, type: TEXT}]", "`TEXT` of field `a` is not a BigQuery type"),
        ("fields: [{name: a, type: STRING, mode: MANY}]", "`MANY` of field `a` is not a mode"),
        ("fields: [{name: a, type: STRING}, {name: A, type: STRING}]", "the field `A` is there twice"),
        ("fields: [{name: a, type: RECORD, fields: x}]", "`fields` of `a` is not a list"),
        ("fields: [!include-field {file: base.yaml, field: nothing}]", "there is no field `nothing`"),
        ("fields: [!include-field {field: day}]", "needs either `file` or `table`"),
        ("fields: [!include-field {file: base.yaml, field: day, new_nam: x}]", "does not know `new_nam`"),
        ("fields: [!include-field day]", "takes a mapping"),
        ("fields: !flatten-lists {a: 1}", "takes a list"),
        ("fields: [!import {a: 1}]", "unknown tag `!import`"),
    ],
)
def test_what_is_no_schema_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        read(text)
    assert (caught.value.at or "").startswith("schema.yaml")


def test_a_tag_without_a_repository_cannot_be_known() -> None:
    with pytest.raises(Unavailable, match="no repository"):
        schema_yaml.read("fields: !include-fields {file: base.yaml}", "schema.yaml")


def test_undescribed_fields_are_named_with_their_parents() -> None:
    schema = (Field("a", "RECORD", "NULLABLE", "x", (Field("b", "STRING", "NULLABLE", " "),)), Field("c", "DATE"))
    assert schema_yaml.undescribed(schema) == ("a.b", "c")
