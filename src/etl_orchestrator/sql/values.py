"""Typed cells: text or YAML scalars to the Python values that `tools` lists, checked against a field, and back to text."""

from __future__ import annotations

import base64
import difflib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

_INTEGER = re.compile(r"[+-]?\d+\Z")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_SPECIAL_FLOATS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_DATE = r"(\d{4})-(\d{1,2})-(\d{1,2})"
_TIME = r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?"
_DATE_TEXT = re.compile(rf"{_DATE}\Z")
_TIME_TEXT = re.compile(rf"{_TIME}\Z")
_CIVIL_TEXT = re.compile(rf"{_DATE}(?:[ Tt]{_TIME})?\Z")
_ZONE = r"Z|z|[+-]\d{1,2}(?::?\d{2})?|[A-Za-z][A-Za-z_]+(?:/[\w+-]+)*"
_INSTANT_TEXT = re.compile(rf"([\d-]+(?:[ Tt][\d:.]+)?)\s*({_ZONE})?\Z")
_INTERVAL = re.compile(r"-?\d+-\d+ -?\d+ -?\d+:\d{1,2}:\d{1,2}(\.\d{1,6})?\Z")
_RANGE = re.compile(r"\[[^,\[\]()]+, [^,\[\]()]+\)\Z")
_INT64 = range(-(2**63), 2**63)

#: digits before and after the point (BigQuery's data types, "Decimal types")
_DECIMAL_DIGITS = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}

#: What a person is told to write for a value of each type.
_FORMS = {
    "INTEGER": "a whole number from -2^63 to 2^63-1", "FLOAT": "a number such as 1.5, or NaN, inf, -inf",
    "BOOLEAN": "true or false", "STRING": "text", "BYTES": "base64 text", "DATE": "a day as YYYY-MM-DD",
    "DATETIME": "YYYY-MM-DD HH:MM:SS, at most microseconds, no time zone",
    "TIMESTAMP": "YYYY-MM-DD HH:MM:SS UTC, at most microseconds", "TIME": "HH:MM:SS, at most microseconds, in quotes",
    "NUMERIC": "a number with at most 29 digits before and 9 after the point",
    "BIGNUMERIC": "a number with at most 38 digits before and 38 after the point",
    "JSON": "JSON text (a word in double quotes inside it)",
    "INTERVAL": "Y-M D H:M:S", "RANGE": "[start, end)", "GEOGRAPHY": "WKT text",
}  # fmt: skip


def parse_cell(field: Field, cell: object) -> Value:
    """A cell as written (text, None, list, mapping, or a scalar that YAML typed already) as a value of the field.

    A missing part of a RECORD is NULL, NULL for a REPEATED field is no elements. Raises InvalidInput naming field and value.
    """
    return _parse(field, cell, field.name)


def check(field: Field, value: Value) -> None:
    """Raises InvalidInput unless `value` is a value of the field as `tools` describes them; rows come here before engines."""
    _check(field, value, field.name)


def cell_of(field: Field, value: Value) -> object:
    """A typed value as str, int, float, bool, None, list or dict: what a YAML fixture holds and BigQuery's JSON load reads.

    Dates and times are ISO text (`2025-06-01T00:00:00+00:00`), BYTES base64, NUMERIC text, NaN and infinities text.
    """
    if value is None:
        return None
    if field.mode == "REPEATED":
        element = _element(field)
        return [cell_of(element, item) for item in value]
    if field.type == "RECORD":
        return {part.name: cell_of(part, value.get(part.name)) for part in field.fields}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def equal(left: Value, right: Value) -> bool:
    """Whether two typed values are the same: floats within a relative 1e-9, NaN equals NaN, arrays in order."""
    if isinstance(left, float) or isinstance(right, float):
        return _equal_floats(left, right)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(item, right[name]) for name, item in left.items())
    return bool(left == right)


def _equal_floats(left: Value, right: Value) -> bool:
    numbers = (int, float, Decimal)
    if not isinstance(left, numbers) or not isinstance(right, numbers):
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return math.isclose(left, right, rel_tol=1e-9)


def empty(field: Field) -> Value:
    """What a field holds that a row does not name."""
    return [] if field.mode == "REPEATED" else None


def canonical_json(parsed: object) -> str:
    """JSON text as the engines print it: no spaces, keys sorted, characters unescaped."""
    return json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _refuse(field: Field, value: object, path: str, why: str = "") -> InvalidInput:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return InvalidInput(
        f"{shown} is not a value of `{path}` ({_spelling(field)})" + (f": {why}" if why else ""),
        fix=f"write {_FORMS.get(field.type, 'a mapping of its fields')}",
    )


def _spelling(field: Field) -> str:
    return field.type if field.mode == "NULLABLE" else f"{field.type}, {field.mode}"


def _element(field: Field) -> Field:
    return Field(field.name, field.type, "REQUIRED", None, field.fields)


def _parse(field: Field, cell: object, path: str) -> Value:
    if field.mode == "REPEATED":
        if cell is None:
            return []
        element = _element(field)
        return [_parse(element, item, f"{path}[{index}]") for index, item in enumerate(_items(field, cell, path))]
    if cell is None:
        _refuse_null(field, path)
        return None
    if field.type == "RECORD":
        parts = _record(field, cell, path)
        return {part.name: _parse(part, parts.get(part.name), f"{path}.{part.name}") for part in field.fields}
    try:
        value = _READERS[field.type](cell)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _refuse(field, cell, path, str(error)) from None
    _check(field, value, path)
    return value


def _items(field: Field, cell: object, path: str) -> list[object] | tuple[object, ...]:
    if not isinstance(cell, list | tuple):
        raise InvalidInput(f"{cell!r} is not a value of `{path}` ({_spelling(field)})", fix="write a list: [a, b]")
    return cell


def _refuse_null(field: Field, path: str) -> None:
    if field.mode == "REQUIRED":
        what = "an array cannot hold NULL" if path.endswith("]") else "the schema says REQUIRED"
        raise InvalidInput(f"`{path}` is NULL, but {what}", fix="give it a value")


def _record(field: Field, cell: object, path: str) -> Mapping[str, object]:
    if not isinstance(cell, Mapping):
        raise InvalidInput(
            f"{cell!r} is not a value of `{path}` (RECORD)",
            fix="write a mapping of " + ", ".join(part.name for part in field.fields),
        )
    refuse_unknown(cell, [part.name for part in field.fields], path)
    return cell


def refuse_unknown(row: Mapping[str, object], names: list[str], where: str) -> None:
    """Raises InvalidInput when `row` has a key that is not among `names`, telling the nearest one."""
    for key in row:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            fix = f"did you mean `{near[0]}`?" if near else "its fields are " + ", ".join(names[:12])
            raise InvalidInput(f"`{where}` has no field `{key}`", fix=fix)


# --- one reader per type: takes the cell, returns a value, raises ValueError (with a reason where one helps)


def _integer(cell: object) -> Value:
    if isinstance(cell, str) and _INTEGER.match(cell.strip()):
        return int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    raise ValueError


def _float(cell: object) -> Value:
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return float(cell)
    text = cell.strip() if isinstance(cell, str) else ""
    if _FLOAT.match(text):
        if math.isinf(float(text)):
            raise ValueError("it is too large")
        return float(text)
    special = _SPECIAL_FLOATS.get(text.lstrip("+-.").lower())
    if special is None:
        raise ValueError
    return -special if text.startswith("-") else special


def _boolean(cell: object) -> Value:
    if isinstance(cell, str) and cell.strip().lower() in ("true", "false"):
        return cell.strip().lower() == "true"
    if isinstance(cell, bool):
        return cell
    raise ValueError


def _string(cell: object) -> Value:
    """Scalars that YAML typed become the text that BigQuery's JSON load makes of them."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float | Decimal):
        return str(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    raise ValueError


def _bytes(cell: object) -> Value:
    if isinstance(cell, str):
        return base64.b64decode("".join(cell.split()), validate=True)
    if isinstance(cell, bytes):
        return cell
    raise ValueError


def _day(cell: object) -> Value:
    found = _DATE_TEXT.match(cell.strip()) if isinstance(cell, str) else None
    if found:
        return date(*(int(part) for part in found.groups()))
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell
    raise ValueError


def _civil(text: str) -> datetime:
    """`YYYY-MM-DD[ HH:MM:SS[.ffffff]]`."""
    found = _CIVIL_TEXT.match(text)
    if not found:
        raise ValueError
    year, month, day, hour, minute, second, fraction = found.groups()
    micros = int((fraction or "").ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros)


def _datetime(cell: object) -> Value:
    if isinstance(cell, str):
        return _civil(cell.strip())
    if isinstance(cell, datetime):
        if cell.tzinfo is not None:
            raise ValueError("it has a time zone")
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    raise ValueError


def _zone(name: str) -> timezone | ZoneInfo:
    if name in ("Z", "z", ""):
        return UTC
    if name[0] in "+-":
        digits = name[1:].replace(":", "")
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if name[0] == "-" else offset)
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise ValueError(f"no time zone `{name}`") from None


def _timestamp(cell: object) -> Value:
    """Text and naive values without a zone are UTC."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    found = _INSTANT_TEXT.match(cell.strip()) if isinstance(cell, str) else None
    if not found:
        raise ValueError
    return _civil(found.group(1)).replace(tzinfo=_zone(found.group(2) or "")).astimezone(UTC)


def _time(cell: object) -> Value:
    found = _TIME_TEXT.match(cell.strip()) if isinstance(cell, str) else None
    if found:
        hour, minute, second, fraction = found.groups()
        return time(int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")))
    if isinstance(cell, time):
        return cell
    raise ValueError("YAML read it in base 60" if isinstance(cell, int) else "")


def _decimal(cell: object) -> Value:
    if isinstance(cell, Decimal):
        return cell
    text = str(cell).strip() if isinstance(cell, str | int | float) else ""
    if not _FLOAT.match(text):
        raise ValueError
    return Decimal(text)


def _json(cell: object) -> Value:
    """Text is JSON text; lists, mappings and typed scalars are the document itself."""
    return canonical_json(json.loads(cell, parse_constant=_no_constant) if isinstance(cell, str) else cell)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _text(cell: object) -> Value:
    if isinstance(cell, str):
        return cell.strip()
    raise ValueError


_READERS = {
    "STRING": _string, "BYTES": _bytes, "INTEGER": _integer, "FLOAT": _float, "BOOLEAN": _boolean, "DATE": _day,
    "DATETIME": _datetime, "TIMESTAMP": _timestamp, "TIME": _time, "NUMERIC": _decimal, "BIGNUMERIC": _decimal,
    "JSON": _json, "GEOGRAPHY": _text, "INTERVAL": _text, "RANGE": _text,
}  # fmt: skip


def _check(field: Field, value: Value, path: str) -> None:
    if field.mode == "REPEATED":
        element = _element(field)
        for index, item in enumerate(_items(field, value, path)):
            _check(element, item, f"{path}[{index}]")
        return
    if value is None:
        _refuse_null(field, path)
        return
    if field.type == "RECORD":
        parts = _record(field, value, path)
        for part in field.fields:
            _check(part, parts.get(part.name, empty(part)), f"{path}.{part.name}")
        return
    if not _FITS[field.type](field, value):
        raise _refuse(field, value, path)


def _is_decimal(field: Field, value: Value) -> bool:
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    whole, fraction = _DECIMAL_DIGITS[field.type]
    scale = -int(value.normalize().as_tuple().exponent)
    return scale <= fraction and value.adjusted() < whole


def _is_json(field: Field, value: Value) -> bool:
    try:
        return isinstance(value, str) and bool(_json(value))
    except ValueError:
        return False


def _is_text(field: Field, value: Value) -> bool:
    """Half a surrogate pair is no text that could be stored."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


_FITS: dict[str, Callable[[Field, Value], bool]] = {
    "STRING": _is_text,
    "BYTES": lambda field, value: isinstance(value, bytes),
    "INTEGER": lambda field, value: isinstance(value, int) and not isinstance(value, bool) and value in _INT64,
    "FLOAT": lambda field, value: isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)),
    "BOOLEAN": lambda field, value: isinstance(value, bool),
    "DATE": lambda field, value: isinstance(value, date) and not isinstance(value, datetime),
    "DATETIME": lambda field, value: isinstance(value, datetime) and value.tzinfo is None,
    "TIMESTAMP": lambda field, value: isinstance(value, datetime) and value.tzinfo is not None,
    "TIME": lambda field, value: isinstance(value, time) and value.tzinfo is None,
    "NUMERIC": _is_decimal,
    "BIGNUMERIC": _is_decimal,
    "JSON": _is_json,
    "GEOGRAPHY": _is_text,
    "INTERVAL": lambda field, value: isinstance(value, str) and bool(_INTERVAL.match(value)),
    "RANGE": lambda field, value: isinstance(value, str) and bool(_RANGE.match(value)),
}


def _plain(value: Decimal) -> str:
    """Without exponent and trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
