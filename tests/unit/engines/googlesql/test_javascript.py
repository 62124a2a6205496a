"""JavaScript functions: values cross the border as BigQuery documents, what is undocumented is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl_orchestrator.engines.googlesql.computed import Failed
from etl_orchestrator.engines.googlesql.javascript import JavaScript
from etl_orchestrator.engines.googlesql.types import parse_type
from etl_orchestrator.errors import EngineCrashed, Unsupported


def called(takes: str, gives: str, body: str, given: Any) -> Any:
    function = JavaScript("fn.f", [parse_type("x", takes)], parse_type("result", gives), body)
    return function(json.dumps({"x": given}))


@pytest.mark.parametrize(
    ("takes", "gives", "body", "given", "expected"),
    [
        ("STRING", "STRING", "return x + '!'", "a", "a!"),
        ("STRING", "STRING", "return x", None, None),
        ("STRING", "STRING", "", "a", None),
        ("STRING", "STRING", "return x.length", "abc", "3"),
        ("INT64", "STRING", "return typeof x + x", 7, "string7"),
        ("INT64", "INT64", "return x", "9007199254740993", 9007199254740993),
        ("FLOAT64", "STRING", "return typeof x", 1.5, "number"),
        ("FLOAT64", "BOOL", "return Number.isNaN(x)", "NaN", True),
        ("FLOAT64", "FLOAT64", "return x / 3", 1, 1 / 3),
        ("FLOAT64", "INT64", "return x + 1", 41.0, 42),
        ("FLOAT64", "INT64", "return 2n ** 62n", 0, 2**62),
        ("NUMERIC", "STRING", "return typeof x", 3, "number"),
        ("NUMERIC", "STRING", "return typeof x + x", "0.1", "string0.1"),
        ("NUMERIC", "NUMERIC", "return '0.30'", 1, Decimal("0.30")),
        ("BYTES", "STRING", "return x", "YWJj", "YWJj"),
        ("BYTES", "BYTES", "return x", "YWJj", b"abc"),
        ("DATE", "STRING", "return x.toISOString()", "2024-02-03", "2024-02-03T00:00:00.000Z"),
        ("DATE", "DATE", "x.setUTCDate(29); return x", "2024-02-03", date(2024, 2, 29)),
        ("TIMESTAMP", "INT64", "return x.getTime()", "2024-01-01T00:00:00.123456Z", 1704067200123),
        ("TIMESTAMP", "INT64", "return x.microsecond", "2024-01-01T00:00:00.123456Z", 456),
        ("TIMESTAMP", "TIMESTAMP", "return x", "2024-01-01T00:00:00Z", datetime(2024, 1, 1, tzinfo=UTC)),
        ("ARRAY<STRING>", "ARRAY<STRING>", "return x.map((s) => s.toUpperCase())", ["a", "b"], ["A", "B"]),
        ("ARRAY<STRING>", "ARRAY<STRING>", "return null", [], None),
        (
            "STRUCT<a INT64, b STRING>",
            "STRUCT<b STRING, c INT64>",
            "return x",
            {"a": 1, "b": "y"},
            {"b": "y", "c": None},
        ),
        ("JSON", "JSON", "return {n: x.n + 1}", {"n": 1}, '{"n":2}'),
    ],
)
def test_values_cross_the_border(takes: str, gives: str, body: str, given: Any, expected: Any) -> None:
    assert called(takes, gives, body, given) == expected


@pytest.mark.parametrize(
    ("gives", "body", "message"),
    [
        ("STRING", "throw new Error('no ' + x)", r"Error: no a; in the JavaScript function fn\.f"),
        ("STRING", "return y", "ReferenceError"),
        ("STRING", "return (", "SyntaxError"),
        ("INT64", "return 'one'", "Failed to coerce output value one to type INT64"),
        ("INT64", "return NaN", "INT64"),
        ("INT64", "return 2n ** 63n", "Failed to coerce"),
        ("ARRAY<INT64>", "return 'abc'", "ARRAY"),
        ("TIMESTAMP", "return new Date('x')", "TIMESTAMP"),
    ],
)
def test_an_error_of_the_function_fails_the_query(gives: str, body: str, message: str) -> None:
    with pytest.raises(Failed, match=message):
        called("STRING", gives, body, "a")


@pytest.mark.parametrize(
    ("gives", "body", "what"),
    [("STRING", "return {a: 1}", "object from JavaScript as STRING"), ("INT64", "return 1.5", "fractions"),
     ("DATETIME", "return x", "DATETIME values in JavaScript")],
)  # fmt: skip
def test_what_is_not_documented_is_refused(gives: str, body: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        called("STRING", gives, body, "a")


@pytest.mark.parametrize(
    ("body", "message"),
    [("while (true) {}", r"did not end within 0.5 s"), ("return 'x'.repeat(1e9).length", "took more than 256 MB")],
)
def test_time_and_memory_are_bounded(body: str, message: str) -> None:
    with pytest.raises(EngineCrashed, match=message):
        JavaScript("fn.f", [parse_type("x", "STRING")], parse_type("result", "INT64"), body, seconds=0.5)('{"x": "a"}')


def test_there_is_no_way_out() -> None:
    names = "['require', 'process', 'fetch', 'std', 'os', 'XMLHttpRequest', 'Deno']"
    assert (
        called("STRING", "STRING", f"return {names}.filter((n) => typeof globalThis[n] !== 'undefined').join()", "")
        == ""
    )
