"""Calls whose arguments are not all values: conditions that are not always evaluated, date parts, arrays of queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from sqlglot import exp

from etl_orchestrator.proving import casts, civil, date_formats
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.grammar import Node, function_name, unwrap
from etl_orchestrator.proving.values import Interval, UnorderedArray, equal
from etl_orchestrator.tools import Value

if TYPE_CHECKING:
    from etl_orchestrator.proving.expressions import Evaluator
    from etl_orchestrator.proving.scopes import Scope

Form = Callable[["Evaluator", list[Node], "Scope"], Value]


def date_part(node: Node) -> str:
    """`DAY`, `WEEK(MONDAY)`."""
    if isinstance(node, (exp.Column, exp.Var, exp.Identifier)):
        return node.name.upper()
    if function_name(node) == "WEEK" and len(node.expressions) == 1:
        return f"WEEK({node.expressions[0].name.upper()})"
    raise CannotTell(f"{node.sql('bigquery')} as a part of a date")


def is_literal(node: Node) -> bool:
    """A string literal, which GoogleSQL may read as a date."""
    bare = unwrap(node)
    return isinstance(bare, exp.Literal) and bool(bare.is_string)


def choose(evaluator: Evaluator, chosen: Node, others: list[Node], scope: Scope) -> Value:
    """The value of one arm; a text literal that may be a date in the type of the other arms is looked at closely."""
    value = evaluator.value(chosen, scope)
    if not (is_literal(chosen) and isinstance(value, str) and value[:1].isdigit()):
        return value
    rest = [other for other in others if other is not chosen and not is_literal(other)]
    for other in rest:
        try:
            hint = evaluator.value(other, scope)
        except CannotTell:
            continue
        if hint is not None:
            return coerce(value, hint)
    if all(isinstance(unwrap(other), exp.Null) for other in rest) or not ("-" in value or ":" in value):
        return value
    raise CannotTell(f"whether {value!r} is a text or a date here")


def coerce(literal: str, other: Value) -> Value:
    """A string literal beside a value of another type."""
    if isinstance(other, datetime):
        return casts.to_timestamp(literal) if other.tzinfo else casts.to_datetime(literal)
    if isinstance(other, date):
        return casts.to_date(literal)
    return casts.convert(literal, "TIME") if isinstance(other, time) else literal


def _arity(name: str, arguments: list[Node], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise CannotTell(f"{name} with {len(arguments)} arguments is not covered")


def _coalesce(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("COALESCE", arguments, 1, 1000)
    for argument in arguments:
        if evaluator.value(argument, scope) is not None:
            return choose(evaluator, argument, arguments, scope)
    return None


def _ifnull(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("IFNULL", arguments, 2, 2)
    return _coalesce(evaluator, arguments, scope)


def _nullif(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("NULLIF", arguments, 2, 2)
    left, right = evaluator.operands(arguments[0], arguments[1], scope)
    return None if equal(left, right) else left


def _error(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    raise QueryFails(f"ERROR({arguments[0].sql('bigquery') if arguments else ''})")


def _struct(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    result: dict[str, Value] = {}
    for place, argument in enumerate(arguments):
        name = argument.alias_or_name if isinstance(argument, (exp.Alias, exp.Column, exp.Dot)) else ""
        name = name or f"_field_{place + 1}"
        if name in result:
            raise CannotTell(f"a STRUCT with two fields `{name}`")
        result[name] = evaluator.value(argument.this if isinstance(argument, exp.Alias) else argument, scope)
    return result


def _array(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("ARRAY", arguments, 1, 1)
    query = arguments[0]
    if not isinstance(query, exp.Select):
        raise CannotTell("ARRAY of something that is no SELECT")
    values = evaluator.column(query, scope)
    return values if query.args.get("order") else UnorderedArray(values)


def _moment(evaluator: Evaluator, node: Node, family: str, scope: Scope) -> Value:
    """The first argument of a DATE_, DATETIME_, TIMESTAMP_ function, in the type its name says or a wider one."""
    value = evaluator.value(node, scope)
    if value is None:
        return None
    if is_literal(node):
        return casts.convert(value, family)
    matches = {"DATE": date, "DATETIME": datetime, "TIMESTAMP": datetime}[family]
    if not isinstance(value, matches):
        raise CannotTell(f"a {family} function of {type(value).__name__}")
    if isinstance(value, datetime) and (value.tzinfo is not None) != (family == "TIMESTAMP"):
        raise CannotTell(f"a {family} function of another kind of time")
    return value


def _shift(family: str, sign: int) -> Form:
    def form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
        _arity(f"{family}_ADD", arguments, 2, 2)
        moment = _moment(evaluator, arguments[0], family, scope)
        interval = evaluator.value(arguments[1], scope)
        if moment is None or interval is None:
            return None
        if not isinstance(interval, Interval):
            raise CannotTell(f"{family}_ADD without INTERVAL")
        return civil.add(moment, sign * interval.amount, interval.part)

    return form


def _diff(family: str) -> Form:
    def form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
        _arity(f"{family}_DIFF", arguments, 3, 3)
        later = _moment(evaluator, arguments[0], family, scope)
        earlier = _moment(evaluator, arguments[1], family, scope)
        if later is None or earlier is None:
            return None
        return civil.difference(later, earlier, date_part(arguments[2]))

    return form


def _trunc(family: str) -> Form:
    def form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
        _arity(f"{family}_TRUNC", arguments, 2, 3)
        if len(arguments) == 3 and arguments[2].name.upper() != "UTC":
            raise CannotTell("truncation in another time zone")
        moment = _moment(evaluator, arguments[0], family, scope)
        return None if moment is None else civil.truncate(moment, date_part(arguments[1]))

    return form


def _format(family: str) -> Form:
    def form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
        _arity(f"FORMAT_{family}", arguments, 2, 2)
        pattern = evaluator.value(arguments[0], scope)
        moment = _moment(evaluator, arguments[1], family, scope)
        return None if pattern is None or moment is None else date_formats.formatted(moment, pattern)

    return form


def _parse(family: str) -> Form:
    def form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
        _arity(f"PARSE_{family}", arguments, 2, 2)
        pattern, text = (evaluator.value(argument, scope) for argument in arguments)
        if pattern is None or text is None:
            return None
        if not isinstance(pattern, str) or not isinstance(text, str):
            raise CannotTell(f"PARSE_{family} of something that is no text")
        return casts.convert(date_formats.parsed(text, pattern), family)

    return form


def _last_day(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("LAST_DAY", arguments, 1, 2)
    part = date_part(arguments[1]) if len(arguments) == 2 else "MONTH"
    day = _moment(evaluator, arguments[0], "DATE", scope)
    if day is None:
        return None
    if part not in ("MONTH", "QUARTER", "YEAR"):
        raise CannotTell(f"LAST_DAY of a {part}")
    return civil.add(civil.add(civil.truncate_date(day, part), 1, part), -1, "DAY")


def _date_array(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    _arity("GENERATE_DATE_ARRAY", arguments, 2, 3)
    first, last = (_moment(evaluator, argument, "DATE", scope) for argument in arguments[:2])
    step = evaluator.value(arguments[2], scope) if len(arguments) == 3 else Interval(1, "DAY")
    if first is None or last is None or step is None:
        return None
    if not isinstance(step, Interval) or step.amount < 1:
        raise CannotTell("GENERATE_DATE_ARRAY backwards")
    days: list[Value] = []
    while (day := civil.add(first, step.amount * len(days), step.part)) <= last:
        days.append(day)
        if len(days) > 10_000:
            raise CannotTell("GENERATE_DATE_ARRAY over more than 10,000 days")
    return days


def _date_form(evaluator: Evaluator, arguments: list[Node], scope: Scope) -> Value:
    """DATE('2024-01-01'): the literal is read as a TIMESTAMP or a DATE, which is the same day."""
    from etl_orchestrator.proving.functions import apply

    values = [evaluator.value(argument, scope) for argument in arguments]
    if len(values) == 1 and isinstance(values[0], str):
        return casts.to_date(values[0])
    return apply("DATE", values)


FORMS: Mapping[str, Form] = {
    "COALESCE": _coalesce,
    "IFNULL": _ifnull,
    "NULLIF": _nullif,
    "ERROR": _error,
    "STRUCT": _struct,
    "ARRAY": _array,
    "LAST_DAY": _last_day,
    "GENERATE_DATE_ARRAY": _date_array,
    "DATE": _date_form,
    **{f"{family}_ADD": _shift(family, 1) for family in ("DATE", "DATETIME", "TIMESTAMP")},
    **{f"{family}_SUB": _shift(family, -1) for family in ("DATE", "DATETIME", "TIMESTAMP")},
    **{f"{family}_DIFF": _diff(family) for family in ("DATE", "DATETIME", "TIMESTAMP")},
    **{f"{family}_TRUNC": _trunc(family) for family in ("DATE", "DATETIME", "TIMESTAMP")},
    **{f"FORMAT_{family}": _format(family) for family in ("DATE", "DATETIME", "TIMESTAMP")},
    **{f"PARSE_{family}": _parse(family) for family in ("DATE", "DATETIME", "TIMESTAMP")},
}
