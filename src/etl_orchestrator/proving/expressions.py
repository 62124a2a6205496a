"""Interprets GoogleSQL expressions in plain Python, independently of every engine: three-valued logic, UTC.

What is not covered raises CannotTell; there are no approximations. Queries inside of an expression are worked out by
`relations`, which hands itself in as `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from etl_orchestrator.proving import arithmetic, casts, civil, functions
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.forms import FORMS, choose, coerce, date_part, is_literal
from etl_orchestrator.proving.grammar import (
    AGGREGATES,
    Node,
    function_name,
    has_aggregate,
    has_window,
    path,
)
from etl_orchestrator.proving.patterns import like
from etl_orchestrator.proving.scopes import Scope, descend, resolve
from etl_orchestrator.proving.values import (
    Interval,
    Json,
    Unknown,
    UnorderedArray,
    compare,
    equal,
    group_key,
    integer,
    is_nan,
    json_part,
    typed,
)
from etl_orchestrator.table import LEGACY_TYPES
from etl_orchestrator.tools import ParameterValue, Value

#: A query inside of an expression: its rows as lists of values, with the names of its columns.
Select = Callable[[exp.Select, Scope], tuple[tuple[str, ...], list[list[Value]]]]


class Evaluator:
    """Values of expressions under given parameters."""

    def __init__(self, parameters: Mapping[str, ParameterValue], select: Select) -> None:
        self._parameters = {name.lower(): _parameter(name, given) for name, given in parameters.items()}
        self._select = select
        self._grouped: dict[int, tuple[Node, bool]] = {}

    def value(self, node: Node, scope: Scope) -> Value:
        """The value of the expression in the scope."""
        if scope.group is not None and not self._needs_group(node):
            return self._uniform(node, scope)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise CannotTell(f"`{node.sql('bigquery')}` is not covered")
        return handler(self, node, scope)

    def condition(self, node: Node, scope: Scope) -> bool | None:
        """A BOOL value."""
        found = self.value(node, scope)
        if found is not None and not isinstance(found, bool):
            raise CannotTell(f"`{node.sql('bigquery')}` is no condition")
        return found

    def operands(self, left: Node, right: Node, scope: Scope) -> tuple[Value, Value]:
        """Both sides of a comparison, a string literal in the type of the other side."""
        first, second = self.value(left, scope), self.value(right, scope)
        if isinstance(first, str) and is_literal(left) and second is not None:
            first = coerce(first, second)
        elif isinstance(second, str) and is_literal(right) and first is not None:
            second = coerce(second, first)
        return first, second

    def rows(self, query: exp.Select, scope: Scope) -> tuple[tuple[str, ...], list[list[Value]]]:
        """The rows of a query inside of this expression."""
        return self._select(query, scope)

    def column(self, query: exp.Select, scope: Scope) -> list[Value]:
        """The one column of a query inside of this expression, structs where it is `SELECT AS STRUCT`."""
        names, rows = self._select(query, scope)
        for row in rows:
            for cell in row:
                if isinstance(cell, Unknown):
                    raise CannotTell(cell.reason)
        if str(query.args.get("kind") or "").upper() == "STRUCT":
            return [dict(zip(names, row, strict=True)) for row in rows]
        if len(names) != 1:
            raise CannotTell("a query with several columns where one value is wanted")
        return [row[0] for row in rows]

    def _needs_group(self, node: Node) -> bool:
        known = self._grouped.get(id(node))
        if known is None:
            known = self._grouped[id(node)] = (node, has_aggregate(node) or has_window(node))
        return known[1]

    def _uniform(self, node: Node, scope: Scope) -> Value:
        """The value that an expression without aggregates has in every row of the group."""
        rows = scope.group or (Scope(outer=scope.outer),)
        values = [self.value(node, row) for row in rows]
        if any(group_key(value) != group_key(values[0]) for value in values):
            raise CannotTell(f"`{node.sql('bigquery')}` is neither a group key nor aggregated")
        return values[0]


def _parameter(name: str, given: ParameterValue) -> Value:
    declared = given.type.strip().upper()
    if declared.startswith("ARRAY<") and declared.endswith(">"):
        inner = LEGACY_TYPES.get(declared[6:-1], declared[6:-1])
        return None if given.value is None else [typed(element, inner, name) for element in given.value]
    return typed(given.value, LEGACY_TYPES.get(declared, declared), name)


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
    if name not in evaluator._parameters:
        raise CannotTell(f"the parameter @{name} is not given")
    return evaluator._parameters[name]


def _junction(decisive: bool) -> Callable[[Evaluator, Node, Scope], Value]:
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


def _not(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    found = evaluator.condition(node.this, scope)
    return None if found is None else not found


def _comparison(accept: Callable[[int], bool]) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        left, right = evaluator.operands(node.this, node.expression, scope)
        result = compare(left, right)
        if result is None:
            return None
        return False if is_nan(left) or is_nan(right) else accept(result)

    return handler


def _equality(wanted: bool) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        result = equal(*evaluator.operands(node.this, node.expression, scope))
        return None if result is None else result is wanted

    return handler


def _distinctness(wanted: bool) -> Callable[[Evaluator, Node, Scope], Value]:
    def handler(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
        left, right = evaluator.operands(node.this, node.expression, scope)
        if left is not None and right is not None:
            compare(left, right)
        return (group_key(left) != group_key(right)) is wanted

    return handler


def _between(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    low = exp.GTE(this=node.this, expression=node.args["low"])
    high = exp.LTE(this=node.this, expression=node.args["high"])
    results = []
    for operator, accept in ((low, (0, 1)), (high, (-1, 0))):
        left, right = evaluator.operands(operator.this, operator.expression, scope)
        order = compare(left, right)
        results.append(None if order is None else order in accept and not is_nan(left) and not is_nan(right))
    return False if False in results else None if None in results else True


def _like(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    text, pattern = evaluator.value(node.this, scope), evaluator.value(node.expression, scope)
    if text is None or pattern is None:
        return None
    if not isinstance(text, str) or not isinstance(pattern, str):
        raise CannotTell("LIKE of something that is no text")
    return like(text, pattern) is not bool(node.args.get("negate"))


def _in(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
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


def _is(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    value = evaluator.value(node.this, scope)
    if isinstance(node.expression, exp.Null):
        return value is None
    if isinstance(node.expression, exp.Boolean):
        return value is bool(node.expression.this)
    raise CannotTell(f"`{node.sql('bigquery')}` is not covered")


def _if(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
    arms = [node.args["true"], node.args.get("false") or exp.Null()]
    return choose(evaluator, arms[0 if evaluator.condition(node.this, scope) else 1], arms, scope)


def _case(evaluator: Evaluator, node: Node, scope: Scope) -> Value:
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
        from etl_orchestrator.proving.aggregates import aggregate

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
    if isinstance(moment, str) or kind_is_number(moment):
        raise CannotTell("EXTRACT from something that is no date")
    if getattr(moment, "tzinfo", None):
        moment = civil.in_zone(moment, zone)
    return civil.extract(moment, date_part(node.this))


def kind_is_number(value: Value) -> bool:
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


_HANDLERS: Mapping[type[Any], Callable[[Evaluator, Any, Scope], Value]] = {
    exp.Literal: _literal,
    exp.RawString: lambda evaluator, node, scope: node.this,
    exp.ByteString: _bytes,
    exp.Boolean: lambda evaluator, node, scope: bool(node.this),
    exp.Null: lambda evaluator, node, scope: None,
    exp.Paren: lambda evaluator, node, scope: evaluator.value(node.this, scope),
    exp.Column: _name,
    exp.Dot: _dot,
    exp.Parameter: _parameter_value,
    exp.And: _junction(False),
    exp.Or: _junction(True),
    exp.Not: _not,
    exp.EQ: _equality(True),
    exp.NEQ: _equality(False),
    exp.NullSafeEQ: _distinctness(False),
    exp.NullSafeNEQ: _distinctness(True),
    exp.LT: _comparison(lambda order: order < 0),
    exp.LTE: _comparison(lambda order: order <= 0),
    exp.GT: _comparison(lambda order: order > 0),
    exp.GTE: _comparison(lambda order: order >= 0),
    exp.Between: _between,
    exp.Like: _like,
    exp.In: _in,
    exp.Is: _is,
    exp.If: _if,
    exp.Case: _case,
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
__all__ = ["Evaluator", "Select", "UnorderedArray"]
