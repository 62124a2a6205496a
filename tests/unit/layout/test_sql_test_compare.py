from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from etl_orchestrator.layout.sql_test_compare import (
    Difference,
    compare,
    compare_documents,
    compare_strictly,
    type_differences,
)
from etl_orchestrator.table import Field

Row = dict[str, Any]
Comparison = Callable[[Sequence[Row], Sequence[Row]], tuple[Difference, ...]]

every = pytest.mark.parametrize("comparison", [compare, compare_documents, compare_strictly])


@every
def test_the_order_of_rows_does_not_matter_but_how_often_they_are_there_does(comparison: Comparison) -> None:
    a, b = {"x": 1}, {"x": 2}
    assert comparison([a, b, a], [b, a, a]) == ()
    assert comparison([a, b, a], [b, a, b]) == (Difference(2, "x", 1, 2),)


@every
def test_the_order_in_arrays_matters(comparison: Comparison) -> None:
    assert [str(found) for found in comparison([{"x": [1, 2]}], [{"x": [2, 1]}])] == [
        "row 1, x[0]: expected 1, got 2",
        "row 1, x[1]: expected 2, got 1",
    ]


@every
def test_rows_too_few_and_too_many_are_told(comparison: Comparison) -> None:
    assert [str(found) for found in comparison([{"x": 1}], [])] == ['row 1 is missing: {"x": 1}']
    assert [str(found) for found in comparison([], [{"x": 1}])] == ['not expected: {"x": 1}']


@every
def test_a_wrong_row_is_told_against_the_one_most_like_it(comparison: Comparison) -> None:
    expect = [{"id": "a", "day": 1, "n": 5}, {"id": "b", "day": 1, "n": 6}]
    rows = [{"id": "b", "day": 1, "n": 7}, {"id": "a", "day": 1, "n": 8}]
    assert comparison(expect, rows) == (Difference(0, "n", 5, 8), Difference(1, "n", 6, 7))


def test_null_is_as_good_as_absent_for_typed_rows() -> None:
    assert compare([{"x": 1, "y": None, "z": {"a": None}}], [{"x": 1, "z": {}}]) == ()
    assert compare([{"y": 1}], [{"y": 1, "x": []}]) == ()


def test_an_expected_null_agrees_with_nothing_the_plugin_sees() -> None:
    (found,) = compare_documents([{"x": 1, "y": None}], [{"x": 1}])
    assert (found.column, found.kind) == ("y", "missing column")


@pytest.mark.parametrize("comparison", [compare_documents, compare_strictly])
def test_a_column_more_or_less_is_a_difference_of_shape(comparison: Comparison) -> None:
    found = comparison([{"x": 1, "y": 2}], [{"x": 1, "z": {"a": 3}}])
    assert [(one.column, one.kind, one.is_shape) for one in found] == [
        ("y", "missing column", True),
        ("z", "extra column", True),
    ]
    assert [str(one) for one in found] == [
        "row 1, y: the result has no such column, expected 2",
        'row 1, z: no expected row has this column, got {"a": 3}',
    ]


def test_a_value_of_another_type_is_told_with_its_type() -> None:
    (found,) = compare_documents([{"x": 1}], [{"x": "1"}])
    assert str(found) == "row 1, x: expected 1 (whole number), got '1' (text)"
    assert found.is_shape


def test_a_column_that_is_there_in_another_row_is_a_wrong_value() -> None:
    (found,) = compare_documents([{"x": 1, "y": 2}, {"x": 2}], [{"x": 1}, {"x": 2, "y": 3}])[:1]
    assert not found.is_shape


DIFFERENT_TYPES: list[tuple[Any, Any]] = [
    (1, True),
    ("2025-06-01", date(2025, 6, 1)),
    ("1.5", Decimal("1.50")),
    ("eHg=", b"xx"),
]


@pytest.mark.parametrize(("expected", "actual"), DIFFERENT_TYPES)
def test_typed_values_must_have_the_same_type(expected: Any, actual: Any) -> None:
    assert len(compare([{"x": expected}], [{"x": actual}])) == 1


def test_for_the_plugin_a_truth_value_is_a_number_and_floats_agree_to_the_last_digit() -> None:
    assert compare_documents([{"x": 1, "y": 2.0}], [{"x": True, "y": 2}]) == ()
    assert compare([{"x": 0.3}], [{"x": 0.1 + 0.2}]) == ()
    assert len(compare_documents([{"x": 0.3}], [{"x": 0.1 + 0.2}])) == 1


def test_rows_that_agree_are_still_paired_by_their_text_as_the_plugin_does_it() -> None:
    """The text of 10.0 stands behind that of 1 and the text of 2 behind both; sorted lists then differ."""
    assert compare_documents([{"x": 10, "y": 1}, {"x": 9.5}], [{"x": 9.5}, {"x": 10, "y": 1}]) == ()
    expect, rows = [{"x": 1.0}, {"x": "a"}], [{"x": 1}, {"x": "a"}]
    assert compare_documents(expect, rows) == ()


@pytest.mark.parametrize(("expected", "actual"), [(1, True), (1, "1"), (1.0, 1), ("x", None), ({"a": 1}, {"a": True})])
def test_strictly_a_cell_is_written_as_its_type(expected: Any, actual: Any) -> None:
    assert len(compare_strictly([{"x": expected}], [{"x": actual}])) >= 1


def test_strictly_every_column_is_named_also_when_it_is_null() -> None:
    assert compare_strictly([{"x": 1, "y": None}], [{"x": 1, "y": None}]) == ()
    (found,) = compare_strictly([{"x": 1}], [{"x": 1, "y": None}])
    assert (found.column, found.kind) == ("y", "extra column")
    assert compare_strictly([{"x": 1}], [{"x": 1.0}]) == ()


def test_strictly_one_row_must_name_what_another_one_names() -> None:
    (found,) = compare_strictly([{"x": 1}, {"x": 2, "y": 3}], [{"x": 1, "y": None}, {"x": 2, "y": 3}])
    assert str(found) == "row 1, y: the expected row does not name this column, got NULL"


@pytest.mark.parametrize("comparison", [compare, compare_strictly])
def test_times_of_making_are_ignored_unless_an_expected_row_names_them(comparison: Comparison) -> None:
    row = {"x": 1, "created_at": 5}
    assert comparison([{"x": 1}], [row]) == ()
    assert comparison([{"x": 1, "created_at": 9}], [row]) == (Difference(0, "created_at", 9, 5),)


def test_column_types_are_those_of_the_declared_schema() -> None:
    declared = (Field("x", "INTEGER", "REQUIRED"), Field("y", "STRING"), Field("z", "STRING"))
    found = type_differences(declared, (Field("x", "INTEGER"), Field("y", "STRING", "REPEATED"), Field("w", "DATE")))
    assert [str(one) for one in found] == ["y: schema.yaml says STRING, the query gives ARRAY of STRING"]


def test_many_rows_are_compared_quickly() -> None:
    expect = [{"n": number, "text": "x" * 20} for number in range(5_000)]
    assert compare(expect, list(reversed(expect))) == ()
    assert len(compare(expect, [{"n": -1, "text": ""}] * 5_000)) == 10_000
