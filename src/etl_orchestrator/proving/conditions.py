"""Conditions: AND, OR, NOT, comparisons, IN, LIKE, CASE, in three-valued logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.forms import choose
from etl_orchestrator.proving.grammar import Node
from etl_orchestrator.proving.patterns import like
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.values import compare, equal, group_key, is_nan
from etl_orchestrator.tools import Value

if TYPE_CHECKING:
    from etl_orchestrator.proving.expressions import Evaluator


def junction(decisive: bool) -> Callable[[Evaluator, Node, Scope], Value]:
    """AND (FALSE decides) and OR (TRUE decides). A side that may fail is only ignored where GoogleSQL must ignore it."""

    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        doubt: CannotTell | None = None
        results: list[bool | None] = []
        for side in (node.this, node.expression):
            try:
                results.append(evaluator.condition(side, scope))
            except QueryFails:
                raise
            except CannotTell as error:
                doubt = error
        if decisive in results:
            return decisive
        if doubt:
            raise doubt
        return None if None in results else not decisive

    return handler


def negation(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    found = evaluator.condition(node.this, scope)
    return None if found is None else not found


def comparison(accept: Callable[[int], bool]) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        left, right = evaluator.operands(node.this, node.expression, scope)
        result = compare(left, right)
        if result is None:
            return None
        return False if is_nan(left) or is_nan(right) else accept(result)

    return handler


def equality(wanted: bool) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        result = equal(*evaluator.operands(node.this, node.expression, scope))
        return None if result is None else result is wanted

    return handler


def distinctness(wanted: bool) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        left, right = evaluator.operands(node.this, node.expression, scope)
        if left is not None and right is not None:
            compare(left, right)
        return (group_key(left) != group_key(right)) is wanted

    return handler


def range_test(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    low = exp.GTE(this=node.this, expression=node.args["low"])
    high = exp.LTE(this=node.this, expression=node.args["high"])
    results = []
    for operator, accept in ((low, (0, 1)), (high, (-1, 0))):
        left, right = evaluator.operands(operator.this, operator.expression, scope)
        order = compare(left, right)
        results.append(None if order is None else order in accept and not is_nan(left) and not is_nan(right))
    return False if False in results else None if None in results else True


def likeness(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    text, pattern = evaluator.value(node.this, scope), evaluator.value(node.expression, scope)
    if text is None or pattern is None:
        return None
    if not isinstance(text, str) or not isinstance(pattern, str):
        raise CannotTell("LIKE of something that is no text")
    return like(text, pattern) is not bool(node.args.get("negate"))


def membership(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if node.args.get("field") is not None:
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    if unnest := node.args.get("unnest"):
        elements = evaluator.value(unnest.expressions[0], scope) or []
    elif query := node.args.get("query"):
        elements = evaluator.column(query.this, scope)
    else:
        results = [equal(*evaluator.operands(node.this, item, scope)) for item in node.expressions]
        return True if True in results else None if None in results else False
    sought = evaluator.value(node.this, scope)
    results = [equal(sought, element) for element in elements]
    return True if True in results else None if None in results else False


def identity(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    value = evaluator.value(node.this, scope)
    if isinstance(node.expression, exp.Null):
        return value is None
    if isinstance(node.expression, exp.Boolean):
        return value is bool(node.expression.this)
    raise CannotTell(f"`{node.sql('bigquery')}` is not covered")


def choice(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    arms = [node.args["true"], node.args.get("false") or exp.Null()]
    return choose(evaluator, arms[0 if evaluator.condition(node.this, scope) else 1], arms, scope)


def cases(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    arms = [arm.args["true"] for arm in node.args["ifs"]]
    if default := node.args.get("default"):
        arms.append(default)
    for arm in node.args["ifs"]:
        if node.this is None:
            met = evaluator.condition(arm.this, scope)
        else:
            met = equal(*evaluator.operands(node.this, arm.this, scope))
        if met:
            return choose(evaluator, arm.args["true"], arms, scope)
    return choose(evaluator, default, arms, scope) if default else None
