"""Aggregate calls over the rows of a group; refused where GoogleSQL leaves the result open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

from etl_orchestrator.proving import arithmetic
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.grammar import Node, function_name
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.values import UnorderedArray, compare, group_key, is_nan, kind, sorting
from etl_orchestrator.tools import Value

if TYPE_CHECKING:
    from etl_orchestrator.proving.expressions import Evaluator


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate call taken apart: `f(DISTINCT x, … IGNORE NULLS HAVING MAX y ORDER BY z LIMIT n)`."""

    name: str
    arguments: tuple[Node, ...]
    distinct: bool
    nulls: str  # "", "IGNORE", "RESPECT"
    having: tuple[Node, bool] | None
    order: tuple[exp.Ordered, ...]
    limit: Node | None


def take_apart(node: Node, *, ignore_nulls: bool = False) -> Call:
    """The pieces of a call; sqlglot hangs the modifiers around the first argument, or around all of them."""
    arguments = list(node.expressions)
    distinct, nulls, limit = False, "IGNORE" if ignore_nulls else "", None
    having: tuple[Node, bool] | None = None
    order: tuple[exp.Ordered, ...] = ()
    for place in range(len(arguments)):
        while True:
            item = arguments[place]
            if isinstance(item, exp.Limit):
                limit = item.expression
            elif isinstance(item, exp.Order):
                order = tuple(item.expressions)
            elif isinstance(item, (exp.IgnoreNulls, exp.RespectNulls)):
                nulls = "IGNORE" if isinstance(item, exp.IgnoreNulls) else "RESPECT"
            elif isinstance(item, exp.HavingMax):
                having = (item.expression, bool(item.args.get("max")))
            elif isinstance(item, exp.Distinct):
                distinct = True
                arguments = [*arguments[:place], *item.expressions, *arguments[place + 1 :]]
                continue
            else:
                break
            arguments[place] = item.this
    return Call(function_name(node), tuple(arguments), distinct, nulls, having, order, limit)


def aggregate(evaluator: Evaluator, node: Node, rows: Sequence[Scope], *, ignore_nulls: bool = False) -> Value:
    """The value of an aggregate call over the rows of one group or frame."""
    call = take_apart(node, ignore_nulls=ignore_nulls)
    if call.name in _EXTREMES_BY:
        return _extreme_by(evaluator, call, rows)
    function = _FUNCTIONS.get(call.name)
    if function is None:
        raise CannotTell(f"the aggregate {call.name} is not covered")
    if call.having:
        rows = _having(evaluator, call.having, rows)
    if call.name in ("ARRAY_AGG", "STRING_AGG", "ARRAY_CONCAT_AGG"):
        return _collected(evaluator, call, rows)
    if call.order or call.limit or len(call.arguments) != 1:
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    if isinstance(call.arguments[0], exp.Star):
        return len(rows)
    values = [evaluator.value(call.arguments[0], row) for row in rows]
    if call.name == "ANY_VALUE":
        return _any_value(values, call.nulls)
    known = [value for value in values if value is not None]
    return function(_unique(known) if call.distinct else known)


def _unique(values: list[Value]) -> list[Value]:
    return list({group_key(value): value for value in values}.values())


def _having(evaluator: Evaluator, having: tuple[Node, bool], rows: Sequence[Scope]) -> list[Scope]:
    measured = [(evaluator.value(having[0], row), row) for row in rows]
    known = [value for value, _ in measured if value is not None]
    if not known:
        return list(rows) if not rows else _refuse_nulls()
    best = _extreme(known, 1 if having[1] else -1)
    return [row for value, row in measured if value is not None and compare(value, best) == 0]


def _refuse_nulls() -> list[Scope]:
    raise CannotTell("HAVING MAX or MIN over NULLs only")


def _any_value(values: list[Value], nulls: str) -> Value:
    if nulls == "IGNORE":
        values = [value for value in values if value is not None]
    if any(group_key(value) != group_key(values[0]) for value in values):
        raise CannotTell("ANY_VALUE of different values")
    return values[0] if values else None


def _extreme_by(evaluator: Evaluator, call: Call, rows: Sequence[Scope]) -> Value:
    """MAX_BY(x, y): the x of the greatest y; several different x are refused."""
    if len(call.arguments) != 2 or call.distinct or call.order:
        raise CannotTell(f"{call.name} with these arguments is not covered")
    wanted, measure = call.arguments
    chosen = _having(evaluator, (measure, call.name == "MAX_BY"), rows)
    return _any_value([evaluator.value(wanted, row) for row in chosen], "")


def _collected(evaluator: Evaluator, call: Call, rows: Sequence[Scope]) -> Value:
    entries = [
        (evaluator.value(call.arguments[0], row), [evaluator.value(item.this, row) for item in call.order])
        for row in rows
    ]
    if call.nulls == "IGNORE" or call.name != "ARRAY_AGG":
        entries = [entry for entry in entries if entry[0] is not None]
    if call.distinct:
        entries = list({group_key(entry[0]): entry for entry in entries}.values())
    if not entries:
        return None
    values, settled = _in_order(call, entries)
    if call.limit is not None:
        limit = int(str(call.limit.this))
        if limit < len(values):
            if not settled:
                _same_or_refuse(values, f"{call.name} with LIMIT")
            values, settled = values[:limit], settled or True
    if call.name == "STRING_AGG":
        return _string(evaluator, call, values, settled, rows)
    if call.name == "ARRAY_CONCAT_AGG":
        values = [element for array in values for element in array]
    return values if settled else UnorderedArray(values)


def _in_order(call: Call, entries: list[tuple[Value, list[Value]]]) -> tuple[list[Value], bool]:
    """The values in the order asked for, and whether that order leaves nothing open."""
    if not call.order:
        return [value for value, _ in entries], len(entries) < 2
    key = sorting(
        [bool(item.args.get("desc")) for item in call.order],
        [bool(item.args.get("nulls_first")) for item in call.order],
    )
    entries = sorted(entries, key=lambda entry: key(entry[1]))
    for before, after in pairwise(entries):
        tied = [group_key(cell) for cell in before[1]] == [group_key(cell) for cell in after[1]]
        if tied and group_key(before[0]) != group_key(after[0]):
            raise CannotTell(f"{call.name}: a tie in ORDER BY")
    return [value for value, _ in entries], True


def _same_or_refuse(values: Sequence[Value], what: str) -> None:
    if any(group_key(value) != group_key(values[0]) for value in values):
        raise CannotTell(f"{what}: the order is open")


def _string(evaluator: Evaluator, call: Call, values: list[Value], settled: bool, rows: Sequence[Scope]) -> Value:
    if not settled:
        _same_or_refuse(values, "STRING_AGG")
    separator = evaluator.value(call.arguments[1], rows[0]) if len(call.arguments) > 1 else ","
    if not isinstance(separator, str) or not all(isinstance(value, str) for value in values):
        raise CannotTell("STRING_AGG of something that is no text")
    return separator.join(values)


def _sum(values: list[Value]) -> Value:
    if not values:
        return None
    if all(isinstance(value, float) for value in values):
        return arithmetic.finite(math.fsum(values), *values) if all(map(math.isfinite, values)) else sum(values)
    total = values[0]
    for value in values[1:]:
        total = arithmetic.add(total, value)
    return arithmetic.add(total, 0)


def _avg(values: list[Value]) -> Value:
    return arithmetic.divide(_sum(values), len(values)) if values else None


def _extreme(values: list[Value], sign: int) -> Value:
    if any(is_nan(value) for value in values):
        return math.nan
    best = values[0]
    for value in values:
        if (compare(value, best) or 0) * sign > 0:
            best = value
    return best


def _conditions(values: list[Value]) -> list[Value]:
    if any(kind(value) != "BOOL" for value in values):
        raise CannotTell("an aggregate of conditions over something else")
    return values


_EXTREMES_BY = ("MAX_BY", "MIN_BY")
_FUNCTIONS: Mapping[str, Callable[[list[Value]], Value]] = {
    "SUM": _sum,
    "AVG": _avg,
    "COUNT": len,
    "COUNTIF": lambda values: sum(_conditions(values)),
    "APPROX_COUNT_DISTINCT": lambda values: len(_unique(values)),
    "MIN": lambda values: _extreme(values, -1) if values else None,
    "MAX": lambda values: _extreme(values, 1) if values else None,
    "LOGICAL_OR": lambda values: any(_conditions(values)) if values else None,
    "LOGICAL_AND": lambda values: all(_conditions(values)) if values else None,
    "ANY_VALUE": lambda values: None,
    "ARRAY_AGG": lambda values: None,
    "STRING_AGG": lambda values: None,
    "ARRAY_CONCAT_AGG": lambda values: None,
}
