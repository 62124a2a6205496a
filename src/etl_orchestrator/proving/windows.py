"""Window calls: partitions, order, frames; what hangs on the order of tied rows is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from etl_orchestrator.proving.aggregates import Call, aggregate, take_apart
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.grammar import AGGREGATES, function_name, window_call
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.values import UnorderedArray, group_key, sorting
from etl_orchestrator.tools import Value

if TYPE_CHECKING:
    from etl_orchestrator.proving.expressions import Evaluator

_NUMBERING = ("ROW_NUMBER", "RANK", "DENSE_RANK")
_NAVIGATION = ("LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE")


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows in order; `keys` are their values of ORDER BY."""

    rows: tuple[Scope, ...]
    keys: tuple[tuple[Value, ...], ...]

    def peers(self, place: int) -> tuple[int, int]:
        """First and last place with the same ORDER BY values."""
        same = [other for other in range(len(self.rows)) if _same(self.keys[other], self.keys[place])]
        return same[0], same[-1]


def _same(left: Sequence[Value], right: Sequence[Value]) -> bool:
    return [group_key(value) for value in left] == [group_key(value) for value in right]


def window_values(evaluator: Evaluator, window: exp.Window, scopes: Sequence[Scope]) -> list[Value]:
    """The value of one window call for every row, in the order of the rows given."""
    if window.args.get("alias") or str(window.args.get("over") or "OVER").upper() != "OVER":
        raise CannotTell("named windows are not covered")
    partitions: dict[object, list[int]] = {}
    for place, scope in enumerate(scopes):
        key = tuple(group_key(evaluator.value(node, scope)) for node in window.args.get("partition_by") or ())
        partitions.setdefault(key, []).append(place)
    result: list[Value] = [None] * len(scopes)
    for places in partitions.values():
        for place, value in zip(places, _partition(evaluator, window, [scopes[at] for at in places]), strict=True):
            result[place] = value
    return result


def _partition(evaluator: Evaluator, window: exp.Window, rows: list[Scope]) -> list[Value]:
    """Values for one partition; worked out for several orders of tied rows, which must all agree."""
    ordered = _ordering(window)
    key = sorting([bool(item.args.get("desc")) for item in ordered],
                  [bool(item.args.get("nulls_first")) for item in ordered])  # fmt: skip
    keys = [tuple(evaluator.value(item.this, row) for item in ordered) for row in rows]
    count = len(rows)
    starts = [list(range(count)), list(reversed(range(count))), [*range(1, count), 0]]
    answers: list[list[Value]] = []
    for start in starts:
        places = sorted(start, key=lambda place: key(keys[place]))
        partition = Partition(tuple(rows[at] for at in places), tuple(keys[at] for at in places))
        answer: list[Value] = [None] * count
        for position, place in enumerate(places):
            answer[place] = _value(evaluator, window, partition, position)
        answers.append(answer)
    first = _bag(rows, answers[0])
    if any(_bag(rows, answer) != first for answer in answers[1:]):
        raise CannotTell(f"`{window.sql('bigquery')}`: a tie in the order decides")
    return answers[0]


def _ordering(window: exp.Window) -> list[exp.Ordered]:
    order = window.args.get("order")
    return list(order.expressions) if order else []


def _bag(rows: Sequence[Scope], answer: Sequence[Value]) -> list[str]:
    return sorted(repr((row.content(), group_key(value))) for row, value in zip(rows, answer, strict=True))


def _value(evaluator: Evaluator, window: exp.Window, partition: Partition, place: int) -> Value:
    ignore = isinstance(window.this, exp.IgnoreNulls)
    node = window_call(window)
    name = function_name(node)
    if name in _NUMBERING:
        first, _ = partition.peers(place)
        if name == "ROW_NUMBER":
            return place + 1
        if name == "RANK":
            return first + 1
        return len({tuple(group_key(value) for value in key) for key in partition.keys[: first + 1]})
    if name in ("LAG", "LEAD"):
        return _neighbour(evaluator, take_apart(node), partition, place)
    rows = _frame(evaluator, window, partition, place)
    if name in _NAVIGATION:
        return _navigate(evaluator, take_apart(node, ignore_nulls=ignore), rows)
    if name not in AGGREGATES:
        raise CannotTell(f"the window function {name} is not covered")
    found = aggregate(evaluator, node, rows, ignore_nulls=ignore)
    return list(found) if isinstance(found, UnorderedArray) and _ordering(window) else found


def _neighbour(evaluator: Evaluator, call: Call, partition: Partition, place: int) -> Value:
    if call.nulls or not 1 <= len(call.arguments) <= 3:
        raise CannotTell(f"{call.name} with these arguments is not covered")
    distance = 1
    if len(call.arguments) > 1:
        distance = int(evaluator.value(call.arguments[1], partition.rows[place]))
    target = place + (distance if call.name == "LEAD" else -distance)
    if 0 <= target < len(partition.rows):
        return evaluator.value(call.arguments[0], partition.rows[target])
    return evaluator.value(call.arguments[2], partition.rows[place]) if len(call.arguments) == 3 else None


def _navigate(evaluator: Evaluator, call: Call, rows: Sequence[Scope]) -> Value:
    values = [evaluator.value(call.arguments[0], row) for row in rows]
    if call.nulls == "IGNORE":
        values = [value for value in values if value is not None]
    place = {"FIRST_VALUE": 0, "LAST_VALUE": len(values) - 1}.get(call.name)
    if place is None:
        place = int(evaluator.value(call.arguments[1], rows[0])) - 1 if rows else 0
    return values[place] if 0 <= place < len(values) else None


def _frame(evaluator: Evaluator, window: exp.Window, partition: Partition, place: int) -> Sequence[Scope]:
    """The rows of the frame; by default up to the peers of this row, or all where there is no order."""
    spec = window.args.get("spec")
    last = len(partition.rows) - 1
    if spec is None:
        return partition.rows[: partition.peers(place)[1] + 1] if _ordering(window) else partition.rows
    by_rows = str(spec.args.get("kind")).upper() == "ROWS"
    bounds = []
    for side, default in (("start", "PRECEDING"), ("end", "")):
        bound = spec.args.get(side) or "CURRENT ROW"
        direction = str(spec.args.get(f"{side}_side") or default).upper()
        if bound == "UNBOUNDED":
            bounds.append(0 if direction == "PRECEDING" else last)
        elif bound == "CURRENT ROW":
            bounds.append(place if by_rows else partition.peers(place)[0 if side == "start" else 1])
        elif isinstance(bound, str):
            raise CannotTell(f"the frame bound {bound}")
        else:
            distance = evaluator.value(bound, partition.rows[place]) * (-1 if direction == "PRECEDING" else 1)
            bounds.append(place + distance if by_rows else _reach(window, partition, place, (side, distance)))
    return partition.rows[max(bounds[0], 0) : max(bounds[1] + 1, 0)]


def _reach(window: exp.Window, partition: Partition, place: int, bound: tuple[str, Value]) -> int:
    """Where a RANGE frame starts or ends: the first or last row within the distance of the one ORDER BY number."""
    side, distance = bound
    ordered = _ordering(window)
    own = partition.keys[place][0] if len(ordered) == 1 else None
    if len(ordered) != 1 or not (own is None or isinstance(own, (int, float))):
        raise CannotTell("RANGE frames are covered for one number only")
    if own is None:
        return partition.peers(place)[0 if side == "start" else 1]
    sign = -1 if ordered[0].args.get("desc") else 1
    numbers = [None if key[0] is None else key[0] * sign for key in partition.keys]
    limit = own * sign + distance
    if side == "start":
        inside = [at for at, number in enumerate(numbers) if number is not None and number >= limit]
        return inside[0] if inside else len(numbers)
    inside = [at for at, number in enumerate(numbers) if number is not None and number <= limit]
    return inside[-1] if inside else -1


def order_rows(
    evaluator: Evaluator, ordered: Sequence[exp.Ordered], scopes: Sequence[Scope]
) -> tuple[list[int], list[list[Value]]]:
    """Places of the rows in the order asked for, and their keys; for ORDER BY of a query."""
    keys = [[evaluator.value(item.this, scope) for item in ordered] for scope in scopes]
    key = sorting([bool(item.args.get("desc")) for item in ordered],
                  [bool(item.args.get("nulls_first")) for item in ordered])  # fmt: skip
    return sorted(range(len(scopes)), key=lambda place: key(keys[place])), keys
