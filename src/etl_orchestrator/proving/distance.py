"""How far a condition is from holding: something to walk downhill on where trying values blindly would take too long."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.expressions import Evaluator
from etl_orchestrator.proving.grammar import Node, unwrap
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.tools import Value

#: The distance of a condition that says nothing about how to come nearer.
FAR = 1e9
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def distance(evaluator: Evaluator, node: Node, scope: Scope, *, wanted: bool = True) -> float:
    """0 where the condition comes to TRUE (or, not wanted, to anything else), else how far its numbers are from it."""
    node = unwrap(node)
    try:
        if (evaluator.condition(node, scope) is True) is wanted:
            return 0.0
    except CannotTell:
        return FAR
    if isinstance(node, exp.Not):
        return max(1.0, distance(evaluator, node.this, scope, wanted=not wanted))
    if isinstance(node, (exp.And, exp.Or)):
        sides = [distance(evaluator, side, scope, wanted=wanted) for side in (node.this, node.expression)]
        return sum(sides) if isinstance(node, exp.And) is wanted else min(sides)
    if isinstance(node, _COMPARISONS):
        return _apart(evaluator, scope, node.this, node.expression) + 1.0
    if isinstance(node, exp.Between):
        ends = [_apart(evaluator, scope, node.this, node.args[end]) for end in ("low", "high")]
        return min(ends) + 1.0
    return FAR


def _apart(evaluator: Evaluator, scope: Scope, left: Node, right: Node) -> float:
    try:
        numbers = [_number(evaluator.value(side, scope)) for side in (left, right)]
    except CannotTell:
        return FAR
    known = [number for number in numbers if number is not None]
    return abs(known[0] - known[1]) if len(known) == 2 else FAR


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).timestamp()
    return float(value.toordinal()) if isinstance(value, date) else None
