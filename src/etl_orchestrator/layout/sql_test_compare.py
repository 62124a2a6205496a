"""How the rows of a result differ from the rows expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl_orchestrator.layout.sql_test import IGNORED, coerced
from etl_orchestrator.sql import values
from etl_orchestrator.tools import Value

Row = Mapping[str, Value]

#: Beyond this many rows left over, they are paired in order and not by likeness.
_LIKENESS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell, or one whole row, that is not as expected. `row` counts the expected rows from 0; -1: not expected.

    `column` is a dotted path, "" for a whole row; `expected` or `actual` is None where there is nothing.
    """

    row: int
    column: str
    expected: Value
    actual: Value

    def __str__(self) -> str:
        if self.row < 0:
            return f"not expected: {_shown(self.actual)}"
        if not self.column:
            return f"row {self.row + 1} is missing: {_shown(self.expected)}"
        return f"row {self.row + 1}, {self.column}: expected {_shown(self.expected)}, got {_shown(self.actual)}"


def _shown(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dict | list):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


def compare(expect: Sequence[Row], rows: Sequence[Row], strict: bool = False) -> tuple[Difference, ...]:
    """Empty when they agree; the order of rows never matters, the order in arrays does, NULL is as good as absent.

    As the plugin does it: values are compared as JSON (dates and decimals as text, 1 as good as 1.0, floats to the
    last digit), `created_at` and `generated_time` are ignored. `strict`: as typed values (floats within 1e-9, a
    missing array is an empty one), and nothing is ignored that an expected row names.
    """
    named = {name for row in expect for name in row} if strict else frozenset()
    ignored = IGNORED - named
    wanted = [(number, _comparable(row, strict, ignored)) for number, row in enumerate(expect)]
    got = [_comparable(row, strict, ignored) for row in rows]
    wanted, got = _unmatched(wanted, got)
    differences: list[Difference] = []
    for number, row in wanted:
        if not got:
            differences.append(Difference(number, "", row, None))
            continue
        found = got.pop(_nearest(row, got) if len(got) <= _LIKENESS_LIMIT else 0)
        differences.extend(_cells(number, "", row, found, strict))
    differences.extend(Difference(-1, "", None, row) for row in got)
    return tuple(differences)


def _comparable(row: Row, strict: bool, ignored: Iterable[str]) -> dict[str, Any]:
    if not strict:
        made: dict[str, Any] = coerced(row)
        return made
    return {name: _bare(value) for name, value in row.items() if name not in ignored and not _absent(value)}


def _absent(value: Value) -> bool:
    return value is None or value == []


def _bare(value: Value) -> Value:
    """Without the parts that hold nothing."""
    if isinstance(value, Mapping):
        return {name: _bare(part) for name, part in value.items() if not _absent(part)}
    if isinstance(value, list | tuple):
        return [_bare(part) for part in value]
    return value


def _unmatched(
    wanted: list[tuple[int, dict[str, Any]]], got: list[dict[str, Any]]
) -> tuple[list[tuple[int, dict[str, Any]]], list[dict[str, Any]]]:
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


def _nearest(row: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> int:
    likeness = [sum(1 for name in row if name in other and values.equal(row[name], other[name])) for other in among]
    return likeness.index(max(likeness))


def _cells(row: int, path: str, expected: Any, actual: Any, strict: bool) -> list[Difference]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return [
            difference
            for name in [*expected, *(name for name in actual if name not in expected)]
            for difference in _cells(
                row, f"{path}.{name}" if path else name, expected.get(name), actual.get(name), strict
            )
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            difference
            for place, (left, right) in enumerate(zip(expected, actual, strict=True))
            for difference in _cells(row, f"{path}[{place}]", left, right, strict)
        ]
    same = values.equal(expected, actual) if strict else expected == actual
    return [] if same else [Difference(row, path, expected, actual)]
