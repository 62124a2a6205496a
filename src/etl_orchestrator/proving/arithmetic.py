"""Arithmetic as GoogleSQL does it: `/` gives FLOAT64, overflow and division by zero are errors, NUMERIC is exact."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.values import BigNumeric, integer, kind
from etl_orchestrator.tools import Value

_WIDE = Context(prec=120)
_NUMERIC_SCALE = Decimal(1).scaleb(-9)
_NUMERIC_LIMIT = Decimal(10) ** 29


def _pair(left: Value, right: Value) -> tuple[Value, Value]:
    """Both sides in one type. A float beside a NUMERIC is refused: a literal would become NUMERIC, a column would not."""
    if kind(left) != "NUMBER" or kind(right) != "NUMBER":
        raise CannotTell(f"arithmetic on {kind(left)} and {kind(right)}")
    if isinstance(left, BigNumeric) or isinstance(right, BigNumeric):
        raise CannotTell("arithmetic on BIGNUMERIC")
    if isinstance(left, float) or isinstance(right, float):
        if isinstance(left, Decimal) or isinstance(right, Decimal):
            raise CannotTell("NUMERIC and FLOAT64 are mixed")
        return float(left), float(right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return Decimal(left), Decimal(right)
    return left, right


def finite(value: float, *parts: float) -> float:
    """The value; an infinity made of finite parts is an overflow."""
    if math.isinf(value) and not any(math.isinf(item) for item in parts):
        raise QueryFails("FLOAT64 overflow")
    return value


def numeric(value: Decimal) -> Decimal:
    """A NUMERIC result: nine decimals, half away from zero; BIGNUMERIC never comes here."""
    if abs(value) >= _NUMERIC_LIMIT:
        raise QueryFails("NUMERIC overflow")
    return value.quantize(_NUMERIC_SCALE, rounding=ROUND_HALF_UP, context=_WIDE)


def add(left: Value, right: Value) -> Value:
    first, second = _pair(left, right)
    if isinstance(first, float):
        return finite(first + second, first, second)
    if isinstance(first, Decimal):
        return numeric(_WIDE.add(first, second))
    return integer(first + second)


def subtract(left: Value, right: Value) -> Value:
    return add(left, negate(right, checked=False))


def negate(value: Value, *, checked: bool = True) -> Value:
    if kind(value) != "NUMBER":
        raise CannotTell(f"minus before a {kind(value)}")
    return integer(-value) if isinstance(value, int) and checked else -value


def multiply(left: Value, right: Value) -> Value:
    first, second = _pair(left, right)
    if isinstance(first, float):
        return finite(first * second, first, second)
    if isinstance(first, Decimal):
        return numeric(_WIDE.multiply(first, second))
    return integer(first * second)


def divide(left: Value, right: Value) -> Value:
    first, second = _pair(left, right)
    if second == 0:
        raise QueryFails("division by zero")
    if isinstance(first, Decimal):
        return numeric(_WIDE.divide(first, second))
    return finite(float(first) / float(second), float(first), float(second))


def whole_divide(left: Value, right: Value) -> Value:
    """DIV: towards zero, integers only."""
    first, second = _integers(left, right)
    if second == 0:
        raise QueryFails("division by zero")
    return integer(abs(first) // abs(second) * (1 if (first < 0) == (second < 0) else -1))


def remainder(left: Value, right: Value) -> Value:
    """MOD: the sign of the dividend."""
    first, second = _integers(left, right)
    if second == 0:
        raise QueryFails("division by zero")
    return int(math.copysign(1, first)) * (abs(first) % abs(second))


def _integers(left: Value, right: Value) -> tuple[int, int]:
    first, second = _pair(left, right)
    if not isinstance(first, int):
        raise CannotTell("DIV and MOD are covered for INT64 only")
    return first, second


def rounded(value: Value, digits: int = 0) -> Value:
    """ROUND: half away from zero; of a float only where its decimal text leaves no doubt."""
    if isinstance(value, int):
        if digits < 0:
            raise CannotTell("ROUND of INT64 to tens is not covered")
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return value
    text = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    result = text.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP, context=_WIDE)
    if isinstance(value, float) and Decimal(value) != text and abs(text - result) * 2 == Decimal(1).scaleb(-digits):
        raise CannotTell("ROUND of a float that stands half way")
    return float(result) if isinstance(value, float) else result


def half_away(value: Value) -> int:
    """A float or NUMERIC as INT64: half away from zero."""
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryFails("NaN or infinity cast to INT64")
    number = Decimal(value).to_integral_value(rounding=ROUND_HALF_UP)
    return integer(int(number))
