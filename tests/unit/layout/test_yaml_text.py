from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text

LAUGHS = "".join(
    f"{name}: &{name} [{', '.join([before] * 10)}]\n"
    for name, before in [("a", "x"), ("b", "*a"), ("c", "*b"), ("d", "*c"), ("e", "*d"), ("f", "*e"), ("g", "*f")]
)


def test_scalars_get_the_types_that_bigquery_etl_reads() -> None:
    text = "a: 1\nb: 2.5\nc: yes\nd: 2025-06-01\ne: ~\nf: '1'\ng: 2025-06-01 10:00:00\n"
    assert yaml_text.load(text, "x.yaml") == {
        "a": 1,
        "b": 2.5,
        "c": True,
        "d": datetime.date(2025, 6, 1),
        "e": None,
        "f": "1",
        "g": datetime.datetime(2025, 6, 1, 10),
    }


def test_merge_keys_are_overridden_by_their_own() -> None:
    text = "- &base {a: 1, b: {c: 2}}\n- <<: *base\n  a: 3\n- <<: [{a: 7}, *base]\n"
    assert yaml_text.load(text, "x.yaml")[1:] == [{"a": 3, "b": {"c": 2}}, {"a": 7, "b": {"c": 2}}]


def test_an_empty_text_is_none() -> None:
    assert yaml_text.load("# nothing\n", "x.yaml") is None


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "the key `c` is given twice", "x.yaml:4"),
        ("a: [1\n", "not YAML", "x.yaml:2"),
        ("a: !python/name x\n", "unknown tag `!python/name`", "x.yaml:1"),
        ("a: !!python/object/apply:os.getcwd []\n", "unknown tag", "x.yaml:1"),
        ("--- 1\n--- 2\n", "single document", "x.yaml:2"),
        ("\n\na: 2025-13-45\n", "`2025-13-45` is not a timestamp", "x.yaml:3"),
        ("a: \x00", "control characters", "x.yaml"),
        ("? [a]\n: 1\n", "a key must be a scalar", "x.yaml:1"),
        ("a: *nowhere\n", "undefined alias", "x.yaml:1"),
        ("a: &a [*a]\n", "nested deeper", "x.yaml:1"),
        (LAUGHS, "aliases make this document too large", "x.yaml:1"),
        ("<<: 3\n", "merges mappings only", "x.yaml:1"),
    ],
)
def test_what_is_doubtful_is_refused_with_its_line(text: str, message: str, at: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        yaml_text.load(text, "x.yaml")
    assert caught.value.at == at


@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, "- " * 100_000, "? " * 100_000])
def test_deep_nesting_does_not_take_the_process_down(text: str) -> None:
    """libyaml recurses in C; only a process of its own would live to tell."""
    program = f"""
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text
try:
    yaml_text.load({text[:2]!r} * {len(text) // 2}, "x.yaml")
except InvalidInput as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "nested deeper than 100 levels", done.stderr


def test_a_hundred_flat_lists_are_not_deep() -> None:
    assert len(yaml_text.load("- [1, {a: 2}]\n" * 500, "x.yaml")) == 500


def test_a_handler_gets_the_value_of_its_tag_and_the_line() -> None:
    seen: list[tuple[Any, str]] = []

    def handle(value: Any, at: str) -> str:
        seen.append((value, at))
        return "made"

    assert yaml_text.load("a: 1\nb: !of\n  c: [2]\n", "x.yaml", {"!of": handle}) == {"a": 1, "b": "made"}
    assert seen == [({"c": [2]}, "x.yaml:2")]


def test_aliases_give_separate_values() -> None:
    value = yaml_text.load("a: &x [1]\nb: *x\n", "x.yaml")
    value["a"].append(2)
    assert value["b"] == [1]


def test_keys_keep_their_order_and_sequences_stand_under_their_key() -> None:
    assert yaml_text.dump({"b": ["x", {"k": 1, "a": []}], "a": None, "d": datetime.date(2025, 6, 1)}) == (
        "b:\n- x\n- k: 1\n  a: []\na: null\nd: 2025-06-01\n"
    )


@pytest.mark.parametrize(
    "text", ["yes", "no", "on", "y", "N", "1", "1.5", "1e3", "0o17", "2025-06-01", "12:30", "~", "null", ""]
)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert yaml_text.dump({"a": text}) == f"a: '{text}'\n"


def test_unicode_is_kept() -> None:
    assert yaml_text.dump({"a": "größer → ok"}) == "a: größer → ok\n"


def test_lines_of_text_are_a_block() -> None:
    assert yaml_text.dump({"a": "one\ntwo\n"}) == "a: |\n  one\n  two\n"


def test_a_long_link_gets_a_line_of_its_own() -> None:
    link = "https://example.com/" + "x" * 130
    text = "word " * 18 + link + " and " + "more " * 40
    written = yaml_text.dump({"fields": [{"name": "a", "description": text.strip()}]})
    assert max(len(line) for line in written.splitlines()) <= 160
    assert yaml_text.load(written, "x.yaml")["fields"][0]["description"] == text.strip()


def test_what_yaml_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be written as YAML"):
        yaml_text.dump({"a": object()})


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"))
    | st.lists(st.sampled_from(["a", "- b", "c:", "#", "'", '"', "\\", "x" * 130, "  ", "\n", "é", "null:"])).map(
        " ".join
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcyn_", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_is_read_back(value: Any) -> None:
    nested = {"key": [{"inner": value}], "flat": value}
    assert yaml_text.load(yaml_text.dump(nested), "x.yaml") == nested


@pytest.mark.parametrize(
    "text", ["\x85", "a\u2028b\nc", "\u2029", "a\r\nb", "\ta", "a\n\n b\n", " \n", "\n", "\ufeffa", "😀 x"]
)
def test_rare_characters_survive(text: str) -> None:
    nested = {"key": [{"inner": text}]}
    assert yaml_text.load(yaml_text.dump(nested), "x.yaml") == nested


def test_our_files_pass_the_linter_of_bigquery_etl(tmp_path: Path) -> None:
    rules = {
        "extends": "default",
        "rules": {
            "line-length": {
                "max": 160,
                "allow-non-breakable-words": True,
                "allow-non-breakable-inline-mappings": True,
            },
            "document-start": "disable",
            "indentation": {"indent-sequences": "consistent"},
        },
    }
    value = {
        "description": "A long description, with a link: https://example.com/" + "y" * 140 + " and words " * 60,
        "block": "line one\n\nline three\n" * 3,
        "quoted": "# " + "it's 'so' " * 40,
        "list": [["a", ["b"]], {"c": [{"d": "on"}]}, []],
        "trailing": "two \nlines",
    }
    file = tmp_path / "x.yaml"
    file.write_text(yaml_text.dump(value))
    done = subprocess.run(
        [sys.executable, "-m", "yamllint", "--strict", "-d", json.dumps(rules), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)
