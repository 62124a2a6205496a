"""schema.yaml changed in its text: what must change does, all else stays byte for byte."""

from __future__ import annotations

import difflib
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput, OrchestratorError
from etl_orchestrator.layout import schema_yaml
from etl_orchestrator.layout.schema_edit import updated
from etl_orchestrator.layout.schema_yaml import Entry
from etl_orchestrator.table import Field, Schema

TEXT = """\
# Who rides, and where.
fields:
# the day comes first
- name: ride_date
  type: DATE # partition
  mode: REQUIRED
  description: "The day: in UTC."

- mode: NULLABLE
  name: städte
  type: RECORD
  description: |-
    Where the ride
    led to.

  fields:
    - {name: from, type: STRING, description: Start.}  # one line
    - name: "to"
      type: STRING
# the last one
- type: INT64
  name: n
"""


def field(name: str, kind: str, mode: str = "NULLABLE", *parts: Field, words: str | None = None) -> Field:
    return Field(name, kind, mode, words, parts)


DAY, START, END, N = field("ride_date", "DATE"), field("from", "STRING"), field("to", "STRING"), field("n", "INTEGER")
CITIES = field("städte", "RECORD", "NULLABLE", START, END)


def changes(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that are gone and the lines that are new."""
    lines = [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[:2] in ("- ", "+ ")]
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


@pytest.mark.parametrize("wanted", [(DAY, CITIES, N), (N, CITIES, DAY)])
def test_what_agrees_stays_whatever_the_order(wanted: Schema) -> None:
    assert updated(TEXT, wanted, "schema.yaml") == TEXT


@pytest.mark.parametrize(
    ("wanted", "gone", "new"),
    [
        ((DAY, CITIES), ["- type: INT64", "  name: n"], []),
        ((replace(DAY, type="TIMESTAMP"), CITIES, N), ["  type: DATE # partition"], ["  type: TIMESTAMP # partition"]),
        ((replace(DAY, mode="REPEATED"), CITIES, N), ["  mode: REQUIRED"], ["  mode: REPEATED"]),
        ((DAY, CITIES, replace(N, mode="REPEATED")), [], ["  mode: REPEATED"]),
        ((DAY, CITIES, replace(N, type="FLOAT")), ["- type: INT64"], ["- type: FLOAT"]),
        (
            (DAY, replace(CITIES, fields=(replace(START, mode="REPEATED"), END)), N),
            ["    - {name: from, type: STRING, description: Start.}  # one line"],
            ["    - {name: from, type: STRING, mode: REPEATED, description: Start.}  # one line"],
        ),
        (
            (DAY, replace(CITIES, fields=(START,)), N),
            ['    - name: "to"', "      type: STRING"],
            [],
        ),
        (
            (DAY, replace(CITIES, fields=(START, field("via", "STRING", words="On the way."), END)), N),
            [],
            ["    - name: via", "      type: STRING", "      mode: NULLABLE", "      description: On the way."],
        ),
        (
            (field("id", "STRING", words="Key."), DAY, CITIES, N),
            [],
            ["- name: id", "  type: STRING", "  mode: NULLABLE", "  description: Key."],
        ),
        (
            (DAY, field("städte", "STRING"), N),
            [
                "  type: RECORD",
                "  fields:",
                "    - {name: from, type: STRING, description: Start.}  # one line",
                '    - name: "to"',
                "      type: STRING",
            ],
            ["  type: STRING"],
        ),
        (
            (DAY, CITIES, field("n", "RECORD", "NULLABLE", field("a", "DATE", words="A."))),
            ["- type: INT64"],
            [
                "- type: RECORD",
                "  fields:",
                "  - name: a",
                "    type: DATE",
                "    mode: NULLABLE",
                "    description: A.",
            ],
        ),
        ((DAY, CITIES, field("N", "INTEGER")), ["  name: n"], ["  name: N"]),
    ],
)
def test_only_the_lines_that_differ_change(wanted: Schema, gone: list[str], new: list[str]) -> None:
    text = updated(TEXT, wanted, "schema.yaml")
    assert changes(TEXT, text) == (gone, new)
    assert "# the day comes first\n- " in text
    assert updated(text, wanted, "schema.yaml") == text


def test_a_new_field_stands_after_the_one_it_follows() -> None:
    text = updated(TEXT, (DAY, field("x", "STRING"), CITIES, N, field("last", "STRING")), "schema.yaml")
    names = [line.split(": ")[1] for line in text.splitlines() if line.startswith(("- name", "  name"))]
    assert names == ["ride_date", "x", "städte", "n", "last"]


def test_everything_new() -> None:
    wanted = (field("a", "STRING", words="A."), field("b", "STRING", words="B."))
    for text in ("fields: []\n", "fields:\n- {name: z, type: DATE}\n", "fields: [{name: z, type: DATE}]", TEXT):
        assert schema_yaml.read(updated(text, wanted, "s"), "s") == wanted


def test_line_breaks_stay_those_of_the_file() -> None:
    text = updated(TEXT.replace("\n", "\r\n"), (DAY, CITIES, replace(N, mode="REPEATED")), "schema.yaml")
    assert text == updated(TEXT, (DAY, CITIES, replace(N, mode="REPEATED")), "schema.yaml").replace("\n", "\r\n")


def test_a_list_in_brackets() -> None:
    text = "fields: [{name: a, type: DATE}, {name: b, type: DATE}, {name: c, type: DATE}] # brief\n"
    a, b, c = (field(name, "DATE") for name in "abc")
    assert updated(text, (a, c), "s") == "fields: [{name: a, type: DATE}, {name: c, type: DATE}] # brief\n"
    assert updated(text, (a,), "s") == "fields: [{name: a, type: DATE}] # brief\n"
    assert updated(text, (c,), "s") == "fields: [{name: c, type: DATE}] # brief\n"
    assert "{name: a, type: DATE}, {name: d, type: STRING, mode: NULLABLE}, {name: b" in updated(
        text, (a, field("d", "STRING"), b, c), "s"
    )


def test_descriptions_are_added_only_when_asked() -> None:
    wanted = (
        replace(DAY, description="never taken"),
        replace(CITIES, fields=(START, replace(END, description="Target: where it ends."))),
        replace(N, description="How many."),
    )
    assert updated(TEXT, wanted, "s") == TEXT
    gone, new = changes(TEXT, updated(TEXT, wanted, "s", describe=True))
    assert gone == []
    assert new == ["      description: 'Target: where it ends.'", "  description: How many."]
    bare = "fields:\n- name: n\n  type: INTEGER\n  description:\n- {name: to, type: STRING, description: ''}\n"
    assert updated(bare, (wanted[2], wanted[1].fields[1]), "s", describe=True) == (
        "fields:\n- name: n\n  type: INTEGER\n  description: How many.\n"
        '- {name: to, type: STRING, description: "Target: where it ends."}\n'
    )


# --- tags

BASE: dict[str, Sequence[Entry]] = {
    "base.yaml": [
        {"name": "id", "type": "STRING", "description": "Key."},
        {"name": "day", "type": "DATE"},
        {"name": "n", "type": "INTEGER"},
    ]
}
TAGGED = """\
fields: !flatten-lists
- !include-field
  file: base.yaml
  field: id # the key
- name: city
  type: STRING
  description: !include-field-description
    file: base.yaml
    field: id
- !include-fields
  file: base.yaml
  exclude_field_names: id
"""
ID, CITY, INCLUDED = field("id", "STRING"), field("city", "STRING"), (field("day", "DATE"), field("n", "INTEGER"))


def _edited(text: str, *wanted: Field) -> str:
    return updated(text, wanted, "schema.yaml", lambda reference: BASE[reference["file"]])


def test_tags_stay() -> None:
    assert _edited(TAGGED, ID, CITY, *INCLUDED) == TAGGED
    assert _edited(TAGGED, CITY, *INCLUDED) == TAGGED.replace(
        "- !include-field\n  file: base.yaml\n  field: id # the key\n", ""
    )
    gone, new = changes(TAGGED, _edited(TAGGED, ID, replace(CITY, type="INTEGER"), *INCLUDED, field("z", "DATE")))
    assert (gone, new) == (["  type: STRING"], ["  type: INTEGER", "- name: z", "  type: DATE", "  mode: NULLABLE"])
    assert _edited(TAGGED, ID, CITY).endswith("    field: id\n")


@pytest.mark.parametrize(
    ("wanted", "name", "line"),
    [
        ((ID, CITY, INCLUDED[0]), "n", 10),
        ((ID, CITY, INCLUDED[0], replace(INCLUDED[1], type="FLOAT")), "n", 10),
        ((replace(ID, mode="REPEATED"), CITY, *INCLUDED), "id", 2),
    ],
)
def test_what_is_borrowed_is_not_changed_but_named(wanted: Schema, name: str, line: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        _edited(TAGGED, *wanted)
    assert f"`{name}` differs" in raised.value.message
    assert raised.value.at == f"schema.yaml:{line}"


def test_a_schema_that_is_borrowed_as_a_whole_takes_no_new_field() -> None:
    text = "fields: !include-fields\n  file: base.yaml\n"
    assert _edited(text, ID, *INCLUDED) == text
    with pytest.raises(InvalidInput, match="`new` differs"):
        _edited(text, ID, *INCLUDED, field("new", "DATE"))


def test_what_stands_in_two_places_is_not_changed() -> None:
    text = "fields:\n- name: a\n  type: RECORD\n  fields: &parts\n  - {name: x, type: DATE}\n- name: b\n  type: RECORD\n  fields: *parts\n"
    x, y = field("x", "DATE"), field("y", "DATE")
    same = (field("a", "RECORD", "NULLABLE", x), field("b", "RECORD", "NULLABLE", x))
    assert updated(text, same, "s") == text
    with pytest.raises(InvalidInput):
        updated(text, (same[0], field("b", "RECORD", "NULLABLE", y)), "s")


# --- whatever the file looks like

NAMES = st.sampled_from(["a", "b", "c", "day", "user_id", "größe"])
TYPES = ["STRING", "INTEGER", "DATE", "BOOLEAN"]


def schemas(depth: int = 2) -> st.SearchStrategy[Schema]:
    modes = st.sampled_from(["NULLABLE", "REPEATED"])
    words = st.sampled_from(["Words.", "Words: more #1.", "Two\nlines.", "Größe 'x'"])
    leaf = st.builds(Field, NAMES, st.sampled_from(TYPES), modes, words)
    one: st.SearchStrategy[Field] = leaf
    if depth:
        one = leaf | st.builds(Field, NAMES, st.just("RECORD"), modes, words, schemas(depth - 1))
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda found: found.name).map(tuple)


def written(schema: Schema, rnd: random.Random, indent: str = "") -> list[str]:
    """A schema in a style of nobody's: any order of keys, comments, blank lines, one-line fields."""
    lines: list[str] = []
    for one in schema:
        if rnd.random() < 0.3:
            lines.append(f"{indent}# about {one.name}")
        if not one.fields and rnd.random() < 0.3:
            lines.append(f"{indent}- {{name: {one.name}, type: {one.type}, mode: {one.mode}}} # brief")
            continue
        keys = [[f"name: '{one.name}'"], [f"type: {one.type}  # its type"]]
        if one.mode != "NULLABLE" or rnd.random() < 0.5:
            keys.append([f"mode: {one.mode}"])
        if rnd.random() < 0.7:
            keys.append(["description: |-", *(f"    {line}" for line in (one.description or "").split("\n"))])
        if one.fields:
            deeper = rnd.choice(["", "  "])
            keys.append(["fields:", *(f"{deeper}{line}" for line in written(one.fields, rnd))])
        rnd.shuffle(keys)
        flat = [line for key in keys for line in key]
        lines += [f"{indent}- {flat[0]}", *(f"{indent}  {line}" for line in flat[1:])]
        if rnd.random() < 0.2:
            lines.append("")
    return lines


def shape(schema: Schema) -> set[object]:
    return {(one.name, one.type, one.mode, frozenset(shape(one.fields))) for one in schema}


@settings(max_examples=300, deadline=None)
@given(schemas(), schemas(), st.randoms(use_true_random=False), st.booleans())
def test_any_schema_becomes_any_other(first: Schema, second: Schema, rnd: random.Random, ends: bool) -> None:
    text = "\n".join(["# head", "fields:", *written(first, rnd)]) + ("\n" if ends else "")
    assert updated(text, first, "s") == text
    wanted = second if rnd.random() < 0.3 else (*first[: rnd.randrange(len(first) + 1)], *second)
    wanted = tuple({one.name: one for one in wanted}.values())
    changed = updated(text, wanted, "s")
    assert shape(schema_yaml.read(changed, "s")) == shape(wanted)
    assert updated(changed, wanted, "s") == changed
    for line in (line for line in text.split("\n") if line.startswith("#")):
        assert line in changed.split("\n")


# --- that repository's files


def _gone_added_retyped(text: str, at: str) -> None:
    schema = schema_yaml.read(text, at)
    assert updated(text, schema, at) == text
    for index in {0, len(schema) // 2, len(schema) - 1}:
        one = schema[index]
        without = schema[:index] + schema[index + 1 :]
        if without:
            gone, new = changes(text, updated(text, without, at))
            assert new == []
            assert len(gone) >= 1
        other = "STRING" if one.type == "DATE" else "DATE"
        if one.type != "RECORD":
            gone, new = changes(
                text, updated(text, (*schema[:index], replace(one, type=other), *schema[index + 1 :]), at)
            )
            assert (len(gone), len(new)) == (1, 1)
        added = (*schema[: index + 1], Field("zz_new", "DATE", description="New."), *schema[index + 1 :])
        gone, new = changes(text, updated(text, added, at))
        assert (gone, len(new)) == ([], 4)


@pytest.mark.skipif("ETLO_GENERATED_SQL" not in os.environ, reason="ETLO_GENERATED_SQL names no checkout")
def test_a_sample_of_the_corpus_changes_only_where_it_must() -> None:
    files = sorted(Path(os.environ["ETLO_GENERATED_SQL"]).glob("sql/*/*/*/schema.yaml"))[::25]
    asked = 0
    for file in files:
        text = file.read_bytes().decode()
        if len(text) > 60_000:
            continue  # the diffs of the largest take minutes
        try:
            schema_yaml.read(text, file.name)
        except OrchestratorError:
            continue
        _gone_added_retyped(text, file.name)
        asked += 1
    assert asked > 50
