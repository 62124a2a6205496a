from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl_orchestrator.layout.sql_test_compare import Difference, compare

Row = dict[str, Any]


@pytest.mark.parametrize("strict", [False, True])
def test_the_order_of_rows_does_not_matter_but_how_often_they_are_there_does(strict: bool) -> None:
    a, b = {"x": 1}, {"x": 2}
    assert compare([a, b, a], [b, a, a], strict) == ()
    assert compare([a, b, a], [b, a, b], strict) == (Difference(2, "x", 1, 2),)


@pytest.mark.parametrize("strict", [False, True])
def test_null_is_as_good_as_absent(strict: bool) -> None:
    assert compare([{"x": 1, "y": None, "z": {"a": None}}], [{"x": 1, "z": {}}], strict) == ()


@pytest.mark.parametrize("strict", [False, True])
def test_the_order_in_arrays_matters(strict: bool) -> None:
    assert [str(found) for found in compare([{"x": [1, 2]}], [{"x": [2, 1]}], strict)] == [
        "row 1, x[0]: expected 1, got 2",
        "row 1, x[1]: expected 2, got 1",
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_rows_too_few_and_too_many_are_told(strict: bool) -> None:
    assert [str(found) for found in compare([{"x": 1}], [], strict)] == ['row 1 is missing: {"x": 1}']
    assert [str(found) for found in compare([], [{"x": 1}], strict)] == ['not expected: {"x": 1}']


@pytest.mark.parametrize("strict", [False, True])
def test_a_wrong_row_is_told_against_the_one_most_like_it(strict: bool) -> None:
    expect = [{"id": "a", "day": 1, "n": 5}, {"id": "b", "day": 1, "n": 6}]
    rows = [{"id": "b", "day": 1, "n": 7}, {"id": "a", "day": 1, "n": 8}]
    assert compare(expect, rows, strict) == (Difference(0, "n", 5, 8), Difference(1, "n", 6, 7))


@pytest.mark.parametrize("strict", [False, True])
def test_a_column_more_or_less_is_a_difference(strict: bool) -> None:
    assert compare([{"x": 1, "y": 2}], [{"x": 1, "z": {"a": 3}}], strict) == (
        Difference(0, "y", 2, None),
        Difference(0, "z", None, {"a": 3}),
    )


SAME_FOR_THE_PLUGIN_ONLY: list[tuple[Row, Row]] = [
    ({"x": 1}, {"x": True}),
    ({"x": "2025-06-01"}, {"x": date(2025, 6, 1)}),
    ({"x": "2025-06-01T00:00:00+00:00"}, {"x": datetime(2025, 6, 1, tzinfo=UTC)}),
    ({"x": "1.5"}, {"x": Decimal("1.50")}),
    ({"x": "eHg="}, {"x": b"xx"}),
]


@pytest.mark.parametrize(("expected", "actual"), SAME_FOR_THE_PLUGIN_ONLY)
def test_typed_values_must_have_the_same_type_when_strict(expected: Row, actual: Row) -> None:
    assert compare([expected], [actual]) == ()
    assert len(compare([expected], [actual], strict=True)) == 1


SAME_WHEN_STRICT_ONLY: list[tuple[Row, Row]] = [
    ({"x": 0.3}, {"x": 0.1 + 0.2}),
    ({"y": 1}, {"y": 1, "x": []}),
]


@pytest.mark.parametrize(("expected", "actual"), SAME_WHEN_STRICT_ONLY)
def test_the_plugin_compares_to_the_last_digit(expected: Row, actual: Row) -> None:
    assert compare([expected], [actual], strict=True) == ()
    assert len(compare([expected], [actual])) == 1


def test_times_of_making_are_ignored_unless_an_expected_row_names_them() -> None:
    row = {"x": 1, "created_at": 5, "in": {"generated_time": 6}}
    assert compare([{"x": 1, "in": {}}], [row]) == ()
    assert compare([{"x": 1, "created_at": 9, "in": {}}], [row]) == ()
    assert compare([{"x": 1, "in": {"generated_time": 6}}], [row], strict=True) == ()
    assert compare([{"x": 1, "created_at": 9, "in": {"generated_time": 6}}], [row], strict=True) == (
        Difference(0, "created_at", 9, 5),
    )


def test_many_rows_are_compared_quickly() -> None:
    expect = [{"n": number, "text": "x" * 20} for number in range(5_000)]
    assert compare(expect, list(reversed(expect)), strict=True) == ()
    assert len(compare(expect, [{"n": -1, "text": ""}] * 5_000, strict=True)) == 10_000
