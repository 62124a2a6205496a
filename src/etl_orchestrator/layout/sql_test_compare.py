"""How the rows of a result differ from the rows expected: as typed values, or as that repository's plugin compares them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from etl_orchestrator.layout.sql_test import IGNORED
from etl_orchestrator.sql import values
from etl_orchestrator.table import Field, Schema, walk
from etl_orchestrator.tools import Value

Row = Mapping[str, Value]
Kind = Literal["cell", "missing row", "extra row", "missing column", "extra column", "type", "absent"]

#: Beyond this many rows left over, they are paired in order and not by likeness.
_LIKENESS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell, or one whole row or column, that is not as expected. `row` counts the expected rows from 0; -1: none.

    `column` is a dotted path, "" for a whole row; `expected` or `actual` is None where there is nothing.
    """

    row: int
    column: str
    expected: Value
    actual: Value
    kind: Kind = "cell"

    @property
    def is_shape(self) -> bool:
        """Whether it is about columns and types and not about values."""
        return self.kind in ("missing column", "extra column", "type")

    def __str__(self) -> str:
        place = f"row {self.row + 1}, {self.column}" if self.row >= 0 else self.column
        match self.kind:
            case "extra row":
                return f"not expected: {shown(self.actual)}"
            case "missing row":
                return f"row {self.row + 1} is missing: {shown(self.expected)}"
            case "missing column":
                return f"{place}: the result has no such column, expected {shown(self.expected)}"
            case "extra column":
                return f"{place}: no expected row has this column, got {shown(self.actual)}"
            case "absent":
                return f"{place}: the expected row does not name this column, got NULL"
            case "type" if self.row < 0:
                return f"{self.column}: schema.yaml says {self.expected}, the query gives {self.actual}"
            case "type":
                return f"{place}: expected {typed(self.expected)}, got {typed(self.actual)}"
            case _:
                return f"{place}: expected {shown(self.expected)}, got {shown(self.actual)}"


def shown(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dict | list):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


_TYPES: dict[type, str] = {bool: "truth value", int: "whole number", float: "fraction", str: "text", list: "array"}


def typed(value: Value) -> str:
    return f"{shown(value)} ({_TYPES.get(type(value), type(value).__name__)})"


def compare(expect: Sequence[Row], rows: Sequence[Row], unordered: Collection[str] = ()) -> tuple[Difference, ...]:
    """Typed rows; empty when they agree. The order of rows never matters, the order in arrays does but for the columns
    that `unordered` names, NULL is as good as absent, a missing array is an empty one, floats agree within 1e-9.
    `created_at` and `generated_time` are ignored unless an expected row names them."""
    ignored = IGNORED - {name for row in expect for name in row}
    wanted = [(number, _comparable(row, ignored, unordered)) for number, row in enumerate(expect)]
    wanted, got = _unmatched(wanted, [_comparable(row, ignored, unordered) for row in rows])
    return tuple(_paired(wanted, got, values.equal))


def compare_documents(expect: Sequence[Any], rows: Sequence[Any]) -> tuple[Difference, ...]:
    """Rows as JSON documents; empty when they agree for the plugin: both sorted by their JSON text, then the same for
    Python (so 1 is as good as 1.0 and true). An expected NULL agrees with nothing, for results have none."""
    if sorted(expect, key=_text) == sorted(rows, key=_text):
        return ()
    wanted, got = _unmatched(list(enumerate(expect)), list(rows))
    columns = {name for row in expect for name in row}, {name for row in rows for name in row}
    found = [_shape(difference, *columns) for difference in _paired(wanted, got, lambda one, other: bool(one == other))]
    # The plugin pairs by text: rows that are the same for Python may still stand in another order for it.
    return tuple(found) or (Difference(0, "", expect[0], rows[0], "missing row"),)


def compare_strictly(expect: Sequence[Any], rows: Sequence[Any]) -> tuple[Difference, ...]:
    """Rows as JSON documents with their NULLs; empty when every expected row names every column of the result with a
    value of its type (1 is not '1' nor true; a FLOAT may be written as a whole number). `created_at` and
    `generated_time` are left out unless an expected row names them. NULLs are written here and left out for the plugin, so
    that a test of a result with NULLs passes one comparison or the other."""
    ignored = IGNORED - {name for row in expect for name in row}
    got = [{name: value for name, value in row.items() if name not in ignored} for row in rows]
    columns = {name for row in expect for name in row}, {name for row in got for name in row}
    wanted, left = _unmatched(list(enumerate(expect)), got)
    found = [_shape(difference, *columns) for difference in _paired(wanted, left, _strictly_same)]
    return tuple(replace(one, kind="absent") if _both_nothing(one) else one for one in found)


def _both_nothing(difference: Difference) -> bool:
    """Of cells that differ, so that one is NULL and the other is not there."""
    return difference.kind == "cell" and difference.expected is None and difference.actual is None


def _strictly_same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(_strictly_same(expected[name], actual[name]) for name in actual)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_strictly_same, expected, actual))
    same_type = type(expected) is type(actual) or (type(expected) is int and type(actual) is float)
    return same_type and bool(expected == actual)


def type_differences(declared: Schema, columns: Schema) -> tuple[Difference, ...]:
    """Columns of a result whose type or mode is not the one that the table's schema.yaml says; NULLABLE is as good as
    REQUIRED, and a column that only one of them has is told by other means."""
    by_name = dict(walk(declared))
    return tuple(
        Difference(-1, path, _kind(by_name[path]), _kind(field), "type")
        for path, field in walk(columns)
        if path in by_name and _kind(by_name[path]) != _kind(field)
    )


def _kind(field: Field) -> str:
    return f"ARRAY of {field.type}" if field.mode == "REPEATED" else field.type


def only_order_in_arrays(expect: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Whether rows would agree if their arrays were sorted: a query that does not sort them leaves that order open."""
    return not compare_documents(
        [_with_sorted_arrays(row) for row in expect], [_with_sorted_arrays(row) for row in rows]
    )


def _with_sorted_arrays(document: Any) -> Any:
    if isinstance(document, Mapping):
        return {name: _with_sorted_arrays(part) for name, part in document.items()}
    return sorted(map(_with_sorted_arrays, document), key=_text) if isinstance(document, list) else document


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


def _shape(difference: Difference, expected: set[str], actual: set[str]) -> Difference:
    """The same, said to be of the shape when a whole column is there on one side only or a value has another type."""
    one, other, top = difference.expected, difference.actual, difference.column.split(".")[0].split("[")[0]
    kind: Kind = difference.kind
    if kind == "cell" and top not in actual:
        kind = "missing column"
    elif kind == "cell" and top not in expected:
        kind = "extra column"
    elif kind == "cell" and None not in (one, other) and type(one) is not type(other) and str(one) == str(other):
        kind = "type"
    return Difference(difference.row, difference.column, one, other, kind)


def _comparable(row: Row, ignored: Iterable[str], unordered: Collection[str]) -> dict[str, Any]:
    bare = {name: _bare(value) for name, value in row.items() if name not in ignored and not _absent(value)}
    return {name: _as_bag(value) if name in unordered else value for name, value in bare.items()}


def _as_bag(value: Value) -> Value:
    """With the elements of every array in an order that depends on nothing but them."""
    if isinstance(value, Mapping):
        return {name: _as_bag(part) for name, part in value.items()}
    return sorted(map(_as_bag, value), key=lambda part: repr(_sorted(part))) if isinstance(value, list) else value


def _absent(value: Value) -> bool:
    return value is None or value == []


def _bare(value: Value) -> Value:
    """Without the parts that hold nothing."""
    if isinstance(value, Mapping):
        return {name: _bare(part) for name, part in value.items() if not _absent(part)}
    if isinstance(value, list | tuple):
        return [_bare(part) for part in value]
    return value


def _unmatched(wanted: list[tuple[int, Any]], got: list[Any]) -> tuple[list[tuple[int, Any]], list[Any]]:
    """What is left of both when identical rows are taken away, each as often as it is there."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(got):
        places.setdefault(_key(row), []).append(place)
    left = []
    used: set[int] = set()
    for number, row in wanted:
        same = places.get(_key(row))
        if same:
            used.add(same.pop(0))
        else:
            left.append((number, row))
    return left, [row for place, row in enumerate(got) if place not in used]


def _key(row: Mapping[str, Any]) -> str:
    return repr(_sorted(row))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [(name, _sorted(value[name])) for name in sorted(value)]
    return [_sorted(part) for part in value] if isinstance(value, list) else value


Same = Callable[[Any, Any], bool]


def _paired(wanted: Sequence[tuple[int, Any]], got: list[Any], same: Same) -> list[Difference]:
    """Every expected row against the one of those left that is most like it."""
    differences: list[Difference] = []
    for number, row in wanted:
        if not got:
            differences.append(Difference(number, "", row, None, "missing row"))
            continue
        found = got.pop(_nearest(row, got, same) if len(got) <= _LIKENESS_LIMIT else 0)
        differences.extend(_cells(number, "", row, found, same))
    differences.extend(Difference(-1, "", None, row, "extra row") for row in got)
    return differences


def _nearest(row: Mapping[str, Any], among: Sequence[Mapping[str, Any]], same: Same) -> int:
    likeness = [sum(1 for name in row if name in other and same(row[name], other[name])) for other in among]
    return likeness.index(max(likeness))


def _cells(row: int, path: str, expected: Any, actual: Any, same: Same) -> list[Difference]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return [
            difference
            for name in [*expected, *(name for name in actual if name not in expected)]
            for difference in _part(row, f"{path}.{name}" if path else name, name, (expected, actual), same)
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            difference
            for place, (left, right) in enumerate(zip(expected, actual, strict=True))
            for difference in _cells(row, f"{path}[{place}]", left, right, same)
        ]
    return [] if same(expected, actual) else [Difference(row, path, expected, actual)]


def _part(
    row: int, path: str, name: str, both: tuple[Mapping[str, Any], Mapping[str, Any]], same: Same
) -> list[Difference]:
    expected, actual = both
    if name in expected and name in actual:
        return _cells(row, path, expected[name], actual[name], same)
    return [Difference(row, path, expected.get(name), actual.get(name))]
