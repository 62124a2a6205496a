"""Functions of values: text, numbers, arrays, JSON. NULL among the arguments gives NULL unless said otherwise."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from etl_orchestrator.proving import arithmetic, civil, documents, patterns
from etl_orchestrator.proving.casts import to_string
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.values import Json, UnorderedArray, compare, is_nan
from etl_orchestrator.tools import Value


@dataclass(frozen=True, slots=True)
class Function:
    """`call` gets the argument values; `types` are those every argument must have (None: it looks itself)."""

    call: Callable[..., Value]
    least: int
    most: int
    types: tuple[type, ...] | None = None


def apply(name: str, arguments: list[Value]) -> Value:
    """The value of a call; a name that is not in the table is refused."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise CannotTell(f"the function {name} is not covered")
    if not function.least <= len(arguments) <= function.most:
        raise CannotTell(f"{name} with {len(arguments)} arguments is not covered")
    if any(argument is None for argument in arguments):
        return None
    for place, argument in enumerate(arguments):
        if function.types and not _is(argument, function.types[min(place, len(function.types) - 1)]):
            raise CannotTell(f"{name} of {type(argument).__name__}")
    return function.call(*arguments)


def _is(value: Value, wanted: type) -> bool:
    if isinstance(value, (bool, Json)):
        return wanted is type(value)
    return isinstance(value, wanted)


def _cased(change: Callable[[str], str]) -> Callable[[str], str]:
    def call(text: str) -> str:
        changed = change(text)
        if not text.isascii() and (len(changed) != len(text) or any(ord(letter) > 0x24F for letter in text)):
            raise CannotTell("upper and lower case of unusual letters")
        return changed

    return call


def _length(text: Value) -> int:
    if not isinstance(text, (str, bytes)) or isinstance(text, Json):
        raise CannotTell("LENGTH of neither STRING nor BYTES")
    return len(text)


def _substr(text: str, start: int, length: int | None = None) -> str:
    if length is not None and length < 0:
        raise QueryFails("SUBSTR with a negative length")
    first = max(len(text) + start, 0) if start < 0 else max(start - 1, 0)
    return text[first:] if length is None else text[first : first + length]


def _left(text: str, length: int) -> str:
    return _substr(text, 1, length)


def _right(text: str, length: int) -> str:
    if length < 0:
        raise QueryFails("RIGHT with a negative length")
    return text[-length:] if length else ""


def _trim(sides: str) -> Callable[..., str]:
    def call(text: str, letters: str | None = None) -> str:
        if letters is None and any(letter.isspace() and ord(letter) not in range(9, 33) for letter in text):
            raise CannotTell("blanks that are no ASCII")
        if letters == "":
            return text
        blank = "\t\n\v\f\r " if letters is None else letters
        text = text.lstrip(blank) if "L" in sides else text
        return text.rstrip(blank) if "R" in sides else text

    return call


def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


def _split(text: str, separator: str = ",") -> list[str]:
    if not separator:
        raise CannotTell("SPLIT by nothing")
    return text.split(separator)


def _pad(left: bool) -> Callable[..., str]:
    def call(text: str, length: int, filling: str = " ") -> str:
        if length < 0 or not filling:
            raise QueryFails("LPAD or RPAD by nothing")
        padding = (filling * length)[: max(length - len(text), 0)]
        return (padding + text[:length]) if left else (text[:length] + padding)

    return call


def _concat(*texts: Value) -> Value:
    if all(isinstance(text, bytes) for text in texts):
        return b"".join(texts)
    return "".join(to_string(text) for text in texts)


def _number(value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise CannotTell("a number was expected")
    return value


def _whole(change: Callable[[Any], int]) -> Callable[[Value], Value]:
    def call(value: Value) -> Value:
        if isinstance(_number(value), Decimal):
            return Decimal(change(value))
        return float(change(value)) if math.isfinite(value) else float(value)

    return call


def _abs(value: Value) -> Value:
    return arithmetic.negate(value) if _number(value) < 0 else abs(value)


def _sign(value: Value) -> Value:
    if is_nan(_number(value)):
        return value
    return type(value)((value > 0) - (value < 0))


def _real(change: Callable[..., float]) -> Callable[..., float]:
    def call(*values: Value) -> float:
        if any(isinstance(_number(value), Decimal) for value in values):
            raise CannotTell("a NUMERIC in a FLOAT64 function")
        try:
            return change(*(float(value) for value in values))
        except (ValueError, OverflowError, ZeroDivisionError):
            raise QueryFails("a number outside of the function's range") from None

    return call


def _round(value: Value, digits: int = 0) -> Value:
    return arithmetic.rounded(_number(value), digits)


def _extreme(sign: int) -> Callable[..., Value]:
    def call(*values: Value) -> Value:
        best = values[0]
        for value in values:
            if is_nan(value):
                return value
            if (compare(value, best) or 0) * sign > 0:
                best = value
        return best

    return call


def _safe(operation: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    def call(left: Value, right: Value) -> Value:
        try:
            return operation(left, right)
        except QueryFails:
            return None

    return call


def _ieee_divide(left: Value, right: Value) -> float:
    first, second = float(_number(left)), float(_number(right))
    if second:
        return first / second
    return math.nan if first == 0 or math.isnan(first) else math.copysign(math.inf, first) * math.copysign(1, second)


def ordered(array: list[Value]) -> list[Value]:
    """The array, refused when its order is open and would matter."""
    if isinstance(array, UnorderedArray) and any(element != array[0] for element in array):
        raise CannotTell("the order of the array is open")
    return array


def _array_concat(*arrays: list[Value]) -> list[Value]:
    cls = UnorderedArray if any(isinstance(array, UnorderedArray) for array in arrays) else list
    return cls(element for array in arrays for element in array)


def _array_to_string(array: list[Value], separator: str, missing: str | None = None) -> str:
    texts = [missing if element is None else element for element in ordered(array)]
    return separator.join(text for text in texts if text is not None)


def _generate_array(first: int, last: int, step: int = 1) -> list[int]:
    if step == 0:
        raise QueryFails("GENERATE_ARRAY with step 0")
    return list(range(first, last + (1 if step > 0 else -1), step))


def _end(place: int) -> Callable[[list[Value]], Value]:
    def call(array: list[Value]) -> Value:
        if not array:
            raise QueryFails("ARRAY_FIRST or ARRAY_LAST of an empty array")
        return ordered(array)[place]

    return call


def _hash(name: str) -> Callable[[Value], bytes]:
    return lambda value: hashlib.new(name, value.encode() if isinstance(value, str) else value).digest()


def _date(first: Value, second: Value = None, third: Value = None) -> date:
    if third is not None:
        try:
            return date(first, second, third)
        except (ValueError, OverflowError, TypeError):
            raise QueryFails("DATE of numbers that are no date") from None
    if isinstance(first, datetime) and first.tzinfo:
        return civil.in_zone(first, second).date()
    if isinstance(first, datetime) and second is None:
        return first.date()
    if isinstance(first, date) and second is None:
        return first
    raise CannotTell("DATE of this")


def _datetime(first: Value, *rest: Value) -> datetime:
    if isinstance(first, datetime) and first.tzinfo and len(rest) < 2:
        return civil.in_zone(first, rest[0] if rest else None)
    if isinstance(first, datetime) and not rest:
        return first
    if isinstance(first, date) and not isinstance(first, datetime) and len(rest) < 2:
        if rest and not isinstance(rest[0], time):
            raise CannotTell("DATETIME of this")
        return datetime.combine(first, rest[0] if rest else time())
    if len(rest) == 5 and isinstance(first, int):
        try:
            return datetime(first, *rest)
        except (ValueError, TypeError):
            raise QueryFails("DATETIME of numbers that are none") from None
    raise CannotTell("DATETIME of this")


def _timestamp(value: Value, zone: str = "UTC") -> datetime:
    if zone.upper() != "UTC":
        raise CannotTell(f"TIMESTAMP in the zone {zone}")
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if isinstance(value, str):
        from etl_orchestrator.proving.casts import to_timestamp

        return to_timestamp(value)
    raise CannotTell("TIMESTAMP of this")


def _unix(part: str) -> Function:
    return Function(lambda moment: civil.to_epoch(moment, part), 1, 1, (datetime,))


def _epoch(part: str) -> Function:
    return Function(lambda amount: civil.from_epoch(amount, part), 1, 1, (int,))


_EPOCH_DAY = date(1970, 1, 1)
_MANY = 1000
FUNCTIONS: Mapping[str, Function] = {
    "LOWER": Function(_cased(str.lower), 1, 1, (str,)),
    "UPPER": Function(_cased(str.upper), 1, 1, (str,)),
    "LENGTH": Function(_length, 1, 1),
    "CHAR_LENGTH": Function(len, 1, 1, (str,)),
    "CHARACTER_LENGTH": Function(len, 1, 1, (str,)),
    "BYTE_LENGTH": Function(lambda text: len(text.encode()), 1, 1, (str,)),
    "SUBSTR": Function(_substr, 2, 3, (str, int)),
    "SUBSTRING": Function(_substr, 2, 3, (str, int)),
    "LEFT": Function(_left, 2, 2, (str, int)),
    "RIGHT": Function(_right, 2, 2, (str, int)),
    "TRIM": Function(_trim("LR"), 1, 2, (str,)),
    "LTRIM": Function(_trim("L"), 1, 2, (str,)),
    "RTRIM": Function(_trim("R"), 1, 2, (str,)),
    "REPLACE": Function(_replace, 3, 3, (str,)),
    "SPLIT": Function(_split, 1, 2, (str,)),
    "LPAD": Function(_pad(True), 2, 3, (str, int, str)),
    "RPAD": Function(_pad(False), 2, 3, (str, int, str)),
    "REVERSE": Function(lambda text: text[::-1], 1, 1, (str,)),
    "STRPOS": Function(lambda text, sought: text.find(sought) + 1, 2, 2, (str,)),
    "STARTS_WITH": Function(str.startswith, 2, 2, (str,)),
    "ENDS_WITH": Function(str.endswith, 2, 2, (str,)),
    "CONCAT": Function(_concat, 1, _MANY),
    "REGEXP_CONTAINS": Function(patterns.contains, 2, 2, (str,)),
    "REGEXP_EXTRACT": Function(patterns.extract, 2, 2, (str,)),
    "REGEXP_SUBSTR": Function(patterns.extract, 2, 2, (str,)),
    "REGEXP_EXTRACT_ALL": Function(patterns.extract_all, 2, 2, (str,)),
    "REGEXP_REPLACE": Function(patterns.replace, 3, 3, (str,)),
    "TO_HEX": Function(bytes.hex, 1, 1, (bytes,)),
    "MD5": Function(_hash("md5"), 1, 1),
    "SHA1": Function(_hash("sha1"), 1, 1),
    "SHA256": Function(_hash("sha256"), 1, 1),
    "SHA512": Function(_hash("sha512"), 1, 1),
    "JSON_VALUE": Function(documents.json_value, 1, 2),
    "JSON_EXTRACT_SCALAR": Function(documents.json_value, 1, 2),
    "STRING": Function(documents.json_scalar(str, False), 1, 1),
    "INT64": Function(documents.json_scalar(int, False), 1, 1),
    "BOOL": Function(documents.json_scalar(bool, False), 1, 1),
    "LAX_STRING": Function(documents.json_scalar(str, True), 1, 1),
    "LAX_INT64": Function(documents.json_scalar(int, True), 1, 1),
    "LAX_BOOL": Function(documents.json_scalar(bool, True), 1, 1),
    "ABS": Function(_abs, 1, 1),
    "SIGN": Function(_sign, 1, 1),
    "ROUND": Function(_round, 1, 2),
    "FLOOR": Function(_whole(math.floor), 1, 1),
    "CEIL": Function(_whole(math.ceil), 1, 1),
    "CEILING": Function(_whole(math.ceil), 1, 1),
    "TRUNC": Function(_whole(math.trunc), 1, 1),
    "SQRT": Function(_real(math.sqrt), 1, 1),
    "EXP": Function(_real(math.exp), 1, 1),
    "LN": Function(_real(math.log), 1, 1),
    "LOG": Function(_real(math.log), 1, 2),
    "LOG10": Function(_real(math.log10), 1, 1),
    "POW": Function(_real(math.pow), 2, 2),
    "POWER": Function(_real(math.pow), 2, 2),
    "MOD": Function(arithmetic.remainder, 2, 2),
    "DIV": Function(arithmetic.whole_divide, 2, 2),
    "GREATEST": Function(_extreme(1), 1, _MANY),
    "LEAST": Function(_extreme(-1), 1, _MANY),
    "SAFE_DIVIDE": Function(_safe(arithmetic.divide), 2, 2),
    "SAFE_ADD": Function(_safe(arithmetic.add), 2, 2),
    "SAFE_SUBTRACT": Function(_safe(arithmetic.subtract), 2, 2),
    "SAFE_MULTIPLY": Function(_safe(arithmetic.multiply), 2, 2),
    "IEEE_DIVIDE": Function(_ieee_divide, 2, 2),
    "IS_NAN": Function(lambda value: math.isnan(_number(value)), 1, 1),
    "IS_INF": Function(lambda value: math.isinf(_number(value)), 1, 1),
    "ARRAY_LENGTH": Function(len, 1, 1, (list,)),
    "ARRAY_CONCAT": Function(_array_concat, 1, _MANY, (list,)),
    "ARRAY_REVERSE": Function(lambda array: type(array)(reversed(array)), 1, 1, (list,)),
    "ARRAY_TO_STRING": Function(_array_to_string, 2, 3, (list, str)),
    "ARRAY_FIRST": Function(_end(0), 1, 1, (list,)),
    "ARRAY_LAST": Function(_end(-1), 1, 1, (list,)),
    "GENERATE_ARRAY": Function(_generate_array, 2, 3, (int,)),
    "DATE": Function(_date, 1, 3),
    "DATETIME": Function(_datetime, 1, 6),
    "TIMESTAMP": Function(_timestamp, 1, 2),
    "UNIX_DATE": Function(lambda day: (day - _EPOCH_DAY).days, 1, 1),
    "DATE_FROM_UNIX_DATE": Function(lambda days: _EPOCH_DAY + timedelta(days=days), 1, 1, (int,)),
    "UNIX_SECONDS": _unix("SECOND"),
    "UNIX_MILLIS": _unix("MILLISECOND"),
    "UNIX_MICROS": _unix("MICROSECOND"),
    "TIMESTAMP_SECONDS": _epoch("SECOND"),
    "TIMESTAMP_MILLIS": _epoch("MILLISECOND"),
    "TIMESTAMP_MICROS": _epoch("MICROSECOND"),
}
