"""YAML by the rules of 1.2, and what it refuses."""

from __future__ import annotations

import time

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import yaml_text


def value(text: str) -> yaml_text.Value:
    return yaml_text.read(text, "f.yaml").value


def test_scalars_stay_as_written() -> None:
    text = "a: [NO, on, 125.0, 2025-06-01, 1_000, 012, 0x1F, true]"
    assert value(text) == {"a": ["NO", "on", "125.0", "2025-06-01", "1_000", "012", "0x1F", "true"]}


def test_on_is_a_key_like_any_other() -> None:
    assert value("on: a.x = b.x\nyes: 1") == {"on": "a.x = b.x", "yes": "1"}


@pytest.mark.parametrize("text", ["null", "~", "Null", "NULL", ""])
def test_null_without_quotes_is_none(text: str) -> None:
    assert value(f"a: {text}") == {"a": None}


def test_quoted_null_is_text() -> None:
    assert value("a: 'null'\nb: \"~\"\nc: ''") == {"a": "null", "b": "~", "c": ""}


def test_native_types_are_those_of_the_core_schema() -> None:
    text = "[true, False, yes, 12, -3, 0o17, 0x1F, 1.5, 1e3, .inf, 2025-06-01, 'true', '12', null, 12_000]"
    native = yaml_text.native(value(text))
    expected = [
        True,
        False,
        "yes",
        12,
        -3,
        15,
        31,
        1.5,
        1000.0,
        float("inf"),
        "2025-06-01",
        "true",
        "12",
        None,
        "12_000",
    ]
    assert native == expected


def test_a_number_of_many_digits_stays_text() -> None:
    assert yaml_text.native(value("9" * 5000)) == "9" * 5000


def test_every_part_has_its_line() -> None:
    document = yaml_text.read("a: 1\nb:\n  - c: 2\n  - d:\n      - e\n", "f.yaml")
    assert document.at(("b", 1, "d", 0)) == "f.yaml:5"
    assert document.at(("b", 0, "c")) == "f.yaml:3"
    assert document.at(("b", 0, "nothing")) == "f.yaml:3"
    assert yaml_text.read("a: 1\nb: 2", "f.md", first_line=10).at(("b",)) == "f.md:11"


def test_anchors_are_expanded() -> None:
    assert value("a: &x {k: [1]}\nb: *x") == {"a": {"k": ["1"]}, "b": {"k": ["1"]}}


REFUSED = [
    ("a: 1\nb: 2\na: 3", "a` stands here a second time (first in line 1)", 3),
    ("a: {b: 1, b: 2}", "second time", 1),
    ("a: !!python/object/apply:os.system ['true']", "tag", 1),
    ("a: !include x.yaml", "tag", 1),
    ("a: !!str 1", "tag", 1),
    ("<<: {a: 1}", "merge keys", 1),
    ("a: *x", "no anchor", 1),
    ("a: &x [*x]", "no anchor", 1),
    ("a: 1\n---\nb: 2", "second document", 2),
    ("a: [1, 2", "not YAML", 1),
    ("a: 1\n\tb: 2", "not YAML", 2),
    ("? [a]\n: 1", "a key must be", 1),
    ("? {a: 1}\n: 1", "a key must be", 1),
    ("", "empty", 1),
    ("# only a comment", "empty", 1),
    ("a: " + "[" * 41 + "]" * 41, "nested more than", 1),
]


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED)
def test_what_is_refused(text: str, reason: str, line: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        yaml_text.read(text, "f.yaml")
    assert reason in caught.value.message
    assert caught.value.at == f"f.yaml:{line}"


def test_an_alias_bomb_is_stopped() -> None:
    lines = ["b0: &b0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"b{n}: &b{n} [{','.join([f'*b{n - 1}'] * 10)}]" for n in range(1, 12)]
    began = time.process_time()
    with pytest.raises(InvalidInput, match="anchors are expanded"):
        yaml_text.read("\n".join(lines), "f.yaml")
    assert time.process_time() - began < 10


def test_deep_nesting_is_stopped_before_it_costs_time() -> None:
    began = time.process_time()
    for text in ("[" * 100_000, "a: " + "{a: " * 50_000, "- " * 50_000):
        with pytest.raises(InvalidInput):
            yaml_text.read(text, "f.yaml")
    assert time.process_time() - began < 10


def test_chained_aliases_do_not_nest_without_end() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 500))]
    with pytest.raises(InvalidInput, match="too deep"):
        yaml_text.read("\n".join(lines), "f.yaml")


@pytest.mark.parametrize(
    ("data", "reason", "at"),
    [
        (b"a: 1\nb: \xff\xfe", "not UTF-8", "f.yaml:2"),
        (b"a: 1\nb: \x00", "U+0000", "f.yaml:2"),
        (b"a: \x1b[31m", "U+001B", "f.yaml:1"),
        ("a: \u202egnp".encode(), "U+202E", "f.yaml:1"),
        (b"\x89PNG\r\n", "not UTF-8", "f.yaml:1"),
        (b"a" * 1_000_001, "more than", "f.yaml"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, reason: str, at: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        yaml_text.decoded(data, "f.yaml")
    assert reason in caught.value.message
    assert caught.value.at == at


def test_windows_line_ends_and_byte_order_marks_are_read() -> None:
    assert yaml_text.decoded(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml") == "a: 1\nb: 2\n"
