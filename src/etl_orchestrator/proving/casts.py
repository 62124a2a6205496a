"""CAST: conversions between types; what a text looks like, and which texts are dates and numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sqlglot import exp

from etl_orchestrator.proving import arithmetic
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.values import Json, integer, kind
from etl_orchestrator.tools import Value

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})(?:[ Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?)?"
    r"(?:(Z|z| ?UTC)|([+-])(\d{1,2})(?::(\d{2}))?)?",
    re.ASCII,
)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NAMES = {
    "BIGINT": "INT64", "INT": "INT64", "DOUBLE": "FLOAT64", "TEXT": "STRING", "BOOLEAN": "BOOL", "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC", "TIMESTAMPTZ": "TIMESTAMP", "TIMESTAMP": "DATETIME", "BINARY": "BYTES",
    "VARBINARY": "BYTES",
}  # fmt: skip


def cast(value: Value, to: exp.DataType) -> Value:
    """CAST(value AS to); raises QueryFails where GoogleSQL ends with an error."""
    if value is None:
        return None
    name = to.this.name if isinstance(to.this, exp.DType) else str(to.this)
    if name == "ARRAY" and isinstance(value, list):
        return type(value)(cast(element, to.expressions[0]) for element in value)
    if name == "STRUCT" and isinstance(value, dict):
        if len(value) != len(to.expressions):
            raise CannotTell("a STRUCT cast to another number of fields")
        pairs = zip(value.values(), to.expressions, strict=True)
        return {target.name: cast(part, target.args["kind"]) for part, target in pairs}
    if to.expressions:
        raise CannotTell(f"CAST to {to.sql('bigquery')}")
    return convert(value, NAMES.get(name, name))


def convert(value: Value, name: str) -> Value:
    """The value as a simple GoogleSQL type."""
    if value is None:
        return None
    if isinstance(value, Json) or name not in _CONVERSIONS:
        raise CannotTell(f"CAST from {kind(value)} to {name}")
    return _CONVERSIONS[name](value)


def _refuse(value: Value, name: str) -> CannotTell:
    return CannotTell(f"CAST from {kind(value)} to {name}")


def to_string(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + _fraction(value) + ("+00" if value.tzinfo else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M:%S}" + _fraction(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise QueryFails("BYTES that are no UTF-8") from None
    raise _refuse(value, "STRING")


def _float_text(value: float) -> str:
    if not math.isfinite(value) or (value != 0 and not 1e-4 <= abs(value) < 1e15):
        raise CannotTell("the text of a very large or small FLOAT64")
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    return repr(value).removesuffix(".0")


def _fraction(moment: datetime | time) -> str:
    if not moment.microsecond:
        return ""
    return f".{moment.microsecond // 1000:03d}" if moment.microsecond % 1000 == 0 else f".{moment.microsecond:06d}"


def _to_int(value: Value) -> int:
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, (float, Decimal)):
        return arithmetic.half_away(value)
    if isinstance(value, str):
        if _INTEGER.fullmatch(value):
            return integer(int(value))
        blank = value != value.strip() and _INTEGER.fullmatch(value.strip())
        if blank or value.strip().lower().lstrip("+-").startswith("0x"):
            raise CannotTell(f"{value!r} as INT64")
        raise QueryFails(f"{value!r} is no INT64")
    raise _refuse(value, "INT64")


def _to_float(value: Value) -> float:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if _FLOAT.fullmatch(value) or value.lower() in ("nan", "inf", "+inf", "-inf"):
            return arithmetic.finite(float(value), *([math.inf] if "inf" in value.lower() else []))
        blank = value != value.strip() and _FLOAT.fullmatch(value.strip())
        if blank or value.strip().lower().lstrip("+-").startswith(("inf", "nan", "0x")):
            raise CannotTell(f"{value!r} as FLOAT64")
        raise QueryFails(f"{value!r} is no FLOAT64")
    raise _refuse(value, "FLOAT64")


def _to_numeric(value: Value) -> Decimal:
    if isinstance(value, str) and not _FLOAT.fullmatch(value):
        raise QueryFails(f"{value!r} is no NUMERIC")
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _refuse(value, "NUMERIC")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise QueryFails(f"{value!r} is no NUMERIC") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 29:
        raise QueryFails(f"{value!r} is no NUMERIC")
    return number.quantize(Decimal(1).scaleb(-9), rounding=ROUND_HALF_UP).normalize() + 0


def _to_bool(value: Value) -> bool:
    if isinstance(value, (bool, int)):
        return value != 0
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise QueryFails(f"{value!r} is no BOOL")
    raise _refuse(value, "BOOL")


def to_date(value: Value) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        match = _DATE.fullmatch(value)
        if match is None:
            if _DATE.match(value.strip()):
                raise CannotTell(f"{value!r} as DATE")
            raise QueryFails(f"{value!r} is no DATE")
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise QueryFails(f"{value!r} is no DATE") from None
    raise _refuse(value, "DATE")


def _moment(text: str) -> tuple[datetime, timedelta | None]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        if _DATE.match(text.strip()):
            raise CannotTell(f"{text!r} as a point in time")
        raise QueryFails(f"{text!r} is no point in time")
    day = to_date(match[1])
    try:
        clock = time(int(match[2] or 0), int(match[3] or 0), int(match[4] or 0), int((match[5] or "0").ljust(6, "0")))
    except ValueError:
        raise QueryFails(f"{text!r} is no point in time") from None
    offset = timedelta(0) if match[6] else None
    if match[7]:
        offset = timedelta(hours=int(match[8]), minutes=int(match[9] or 0)) * (1 if match[7] == "+" else -1)
    return datetime.combine(day, clock), offset


def to_timestamp(value: Value) -> datetime:
    """Without an offset in the text: UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if isinstance(value, str):
        local, offset = _moment(value)
        return (local - (offset or timedelta(0))).replace(tzinfo=UTC)
    raise _refuse(value, "TIMESTAMP")


def to_datetime(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        local, offset = _moment(value)
        if offset is not None:
            raise CannotTell(f"{value!r} as DATETIME")
        return local
    raise _refuse(value, "DATETIME")


def _to_time(value: Value) -> time:
    if isinstance(value, datetime):
        return value.time()
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (match := _TIME.fullmatch(value)):
        try:
            return time(int(match[1]), int(match[2]), int(match[3]), int((match[4] or "0").ljust(6, "0")))
        except ValueError:
            raise QueryFails(f"{value!r} is no TIME") from None
    raise _refuse(value, "TIME")


def _to_bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise _refuse(value, "BYTES")


_CONVERSIONS: Mapping[str, Callable[[Value], Value]] = {
    "STRING": to_string, "INT64": _to_int, "FLOAT64": _to_float, "NUMERIC": _to_numeric, "BOOL": _to_bool,
    "DATE": to_date, "TIMESTAMP": to_timestamp, "DATETIME": to_datetime, "TIME": _to_time, "BYTES": _to_bytes,
}  # fmt: skip
