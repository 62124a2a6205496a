"""What each kind of node in an expression means: names, literals, operators, calls, arrays, queries inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from etl_orchestrator.proving import arithmetic, casts, civil, conditions, functions
from etl_orchestrator.proving.aggregates import aggregate
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.forms import FORMS, date_part, is_literal
from etl_orchestrator.proving.grammar import AGGREGATES, Node, function_name, path
from etl_orchestrator.proving.scopes import Scope, descend, resolve
from etl_orchestrator.proving.values import Interval, Json, Unknown, integer, json_part
from etl_orchestrator.tools import Value

if TYPE_CHECKING:
    from etl_orchestrator.proving.expressions import Evaluator


def _literal(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if node.args["is_string"]:
        return node.this
    text = str(node.this)
    return integer(int(text)) if text.isdigit() else float(text)


def _name(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    names = path(node)
    if names is None:
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    return resolve(names, scope)


def _dot(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if path(node) is not None:
        return _name(evaluator, node, scope)
    if not isinstance(node.expression, exp.Identifier):
        raise CannotTell(f"the function {node.sql('bigquery')} is not covered")
    return descend(evaluator.value(node.this, scope), [node.expression.name])


def _parameter_value(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    name = node.name.lower()
    if name not in evaluator.parameters:
        raise CannotTell(f"the parameter @{name} is not given")
    return evaluator.parameters[name]


def _binary(operation: Callable[[Value, Value], Value], sign: int = 0) -> Callable[[Evaluator, Node, Scope], Value]:
    """`sign` is 1 for +, -1 for -: these also move dates."""

    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        left, right = evaluator.value(node.this, scope), evaluator.value(node.expression, scope)
        if left is None or right is None:
            return None
        if sign and isinstance(right, Interval):
            moment = casts.to_datetime(left) if not getattr(left, "tzinfo", None) else left
            return civil.add(moment, sign * right.amount, right.part)
        if sign and type(right) is int and type(left).__name__ == "date":
            return civil.add(left, sign * right, "DAY")
        return operation(left, right)

    return handler


def _neg(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if isinstance(node.this, exp.Literal) and str(node.this.this) == str(2**63):
        return -(2**63)
    value = evaluator.value(node.this, scope)
    return None if value is None else arithmetic.negate(value)


def _bits(operation: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    def call(left: Value, right: Value) -> Value:
        if type(left) is not int or type(right) is not int:
            raise CannotTell("bits of something that is no whole number")
        return operation(left, right)

    return call


def _join_texts(left: Value, right: Value) -> Value:
    if isinstance(left, list) and isinstance(right, list):
        return functions.apply("ARRAY_CONCAT", [left, right])
    return functions.apply("CONCAT", [left, right])


def _call(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    name, arguments = function_name(node), list(node.expressions)
    if name in AGGREGATES:
        if scope.group is None:
            raise CannotTell(f"{name} where there is no group")
        return aggregate(evaluator, node, scope.group)
    if name in FORMS:
        return FORMS[name](evaluator, arguments, scope)
    return functions.apply(name, [evaluator.value(argument, scope) for argument in arguments])


def _safe_call(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    arguments = [evaluator.value(argument, scope) for argument in node.this.expressions if not _is_form(node.this)]
    try:
        if _is_form(node.this):
            return evaluator.value(node.this, scope)
        return functions.apply(function_name(node.this), arguments)
    except QueryFails:
        return None


def _is_form(node: Node) -> bool:
    return function_name(node) in FORMS


def _window(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if id(node) not in scope.windows:
        raise CannotTell("a window call where none is allowed")
    found = scope.windows[id(node)]
    if isinstance(found, Unknown):
        raise CannotTell(found.reason)
    return found


def _cast(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if node.args.get("format") or node.args.get("default"):
        raise CannotTell("CAST with a format")
    value = evaluator.value(node.this, scope)
    try:
        return casts.cast(value, node.args["to"])
    except QueryFails:
        if isinstance(node, exp.TryCast):
            return None
        raise


def _extract(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    inner, zone = node.expression, None
    if isinstance(inner, exp.AtTimeZone):
        inner, zone = inner.this, evaluator.value(inner.args["zone"], scope)
    moment = evaluator.value(inner, scope)
    if moment is None:
        return None
    if isinstance(moment, str) or _is_number(moment):
        raise CannotTell("EXTRACT from something that is no date")
    if getattr(moment, "tzinfo", None):
        moment = civil.in_zone(moment, zone)
    return civil.extract(moment, date_part(node.this))


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float))


def _bracket(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    array, place = evaluator.value(node.this, scope), evaluator.value(node.expressions[0], scope)
    if array is None or place is None:
        return None
    if isinstance(array, Json) and isinstance(place, (str, int)) and not node.args.get("safe"):
        return json_part(array, place)
    if not isinstance(array, list) or type(place) is not int:
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    place -= node.args.get("offset") or 0
    if not 0 <= place < len(array):
        if node.args.get("safe"):
            return None
        raise QueryFails("array index out of bounds")
    return functions.ordered(array)[place]


def _interval(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if node.this is None or not isinstance(node.args.get("unit"), exp.Var):
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    amount = evaluator.value(node.this, scope)
    if isinstance(amount, str) and is_literal(node.this) and amount.lstrip("-").isdigit():
        amount = int(amount)
    if amount is None:
        return None
    if type(amount) is not int:
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    return Interval(amount, node.args["unit"].name.upper())


def _values(evaluator: Evaluator, node: Node, scope: Scope) -> list[Value]:
    return [evaluator.value(item, scope) for item in node.expressions]


def _array(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    return _values(evaluator, node, scope)


def _tuple(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    return {f"_field_{place + 1}": value for place, value in enumerate(_values(evaluator, node, scope))}


def _subquery(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if not isinstance(node.this, exp.Select) or node.args.get("alias"):
        raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
    found = evaluator.column(node.this, scope)
    if len(found) > 1:
        raise QueryFails("a scalar subquery with several rows")
    return found[0] if found else None


def _exists(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if not isinstance(node.this, exp.Select):
        raise CannotTell("EXISTS of something that is no SELECT")
    return bool(evaluator.rows(_any_columns(node), scope)[1])


def _any_columns(node: Node) -> exp.Select:
    """The query of EXISTS, where a star stands for whatever there is: an array's columns need not be known."""
    query: exp.Select = node.this
    starred = any(isinstance(column, exp.Star) or column.is_star for column in query.expressions)
    if not starred or query.args.get("distinct"):
        return query
    if "any_columns" not in node.meta:
        copied = query.copy()
        copied.set("expressions", [exp.Literal.number(1)])
        node.meta["any_columns"] = copied
    found: exp.Select = node.meta["any_columns"]
    return found


def _bytes(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    if "\\" in node.this or not node.this.isascii():
        raise CannotTell("an escape in a bytes literal")
    return node.this.encode()


HANDLERS: Mapping[type[Any], Callable[[Evaluator, Any, Scope], Value]] = {
    exp.Literal: _literal,
    exp.RawString: lambda evaluator, node, scope: node.this,
    exp.ByteString: _bytes,
    exp.Boolean: lambda evaluator, node, scope: bool(node.this),
    exp.Null: lambda evaluator, node, scope: None,
    exp.Paren: lambda evaluator, node, scope: evaluator.value(node.this, scope),
    exp.Column: _name,
    exp.Dot: _dot,
    exp.Parameter: _parameter_value,
    exp.And: conditions.junction(False),
    exp.Or: conditions.junction(True),
    exp.Not: conditions.negation,
    exp.EQ: conditions.equality(True),
    exp.NEQ: conditions.equality(False),
    exp.NullSafeEQ: conditions.distinctness(False),
    exp.NullSafeNEQ: conditions.distinctness(True),
    exp.LT: conditions.comparison(lambda order: order < 0),
    exp.LTE: conditions.comparison(lambda order: order <= 0),
    exp.GT: conditions.comparison(lambda order: order > 0),
    exp.GTE: conditions.comparison(lambda order: order >= 0),
    exp.Between: conditions.range_test,
    exp.Like: conditions.likeness,
    exp.In: conditions.membership,
    exp.Is: conditions.identity,
    exp.If: conditions.choice,
    exp.Case: conditions.cases,
    exp.Add: _binary(arithmetic.add, 1),
    exp.Sub: _binary(arithmetic.subtract, -1),
    exp.Mul: _binary(arithmetic.multiply),
    exp.Div: _binary(arithmetic.divide),
    exp.Neg: _neg,
    exp.BitwiseAnd: _binary(_bits(lambda left, right: left & right)),
    exp.BitwiseOr: _binary(_bits(lambda left, right: left | right)),
    exp.BitwiseXor: _binary(_bits(lambda left, right: left ^ right)),
    exp.DPipe: _binary(_join_texts),
    exp.Anonymous: _call,
    exp.SafeFunc: _safe_call,
    exp.Window: _window,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Extract: _extract,
    exp.Bracket: _bracket,
    exp.Interval: _interval,
    exp.Array: _array,
    exp.Struct: _tuple,
    exp.Tuple: _tuple,
    exp.Subquery: _subquery,
    exp.Exists: _exists,
}
