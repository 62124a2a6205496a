"""Python values to the engine's protobuf values and back; what comes in has passed `sql.values.check`."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any

from etl_orchestrator.engines.googlesql.protocol import ValueProto
from etl_orchestrator.errors import EngineError, Unsupported
from etl_orchestrator.sql.values import canonical_json, empty
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date().toordinal()
_EXACT = Context(prec=160)
_SCALES = {"NUMERIC": 9, "BIGNUMERIC": 38}
_INTERVAL = re.compile(r"(-?)(\d+)-(\d+) (-?\d+) (-?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?")


class NullElement(EngineError):
    """Raised when a result holds an array with a NULL in it, which BigQuery refuses to write."""


# --- to the engine


def encode(field: Field, value: Value) -> ValueProto:
    """The cell of a table or the value of a parameter."""
    proto = ValueProto()
    _fill(proto, field, value)
    return proto


def _fill(proto: ValueProto, field: Field, value: Value) -> None:
    if field.mode == "REPEATED":
        element = replace(field, mode="NULLABLE")
        proto.array_value.SetInParent()
        for item in value or []:
            _fill(proto.array_value.element.add(), element, item)
    elif value is None:
        return
    elif field.type == "RECORD":
        proto.struct_value.SetInParent()
        for part in field.fields:
            _fill(proto.struct_value.field.add(), part, value.get(part.name, empty(part)))
    else:
        _fill_scalar(proto, field, value)


def _fill_scalar(proto: ValueProto, field: Field, value: Value) -> None:
    match field.type:
        case "STRING":
            proto.string_value = value
        case "BYTES":
            proto.bytes_value = value
        case "INTEGER":
            proto.int64_value = value
        case "FLOAT":
            proto.double_value = value
        case "BOOLEAN":
            proto.bool_value = value
        case "JSON":
            proto.json_value = value
        case "DATE":
            proto.date_value = value.toordinal() - _EPOCH_DAY
        case "TIME":
            proto.time_value = _pack_time(value) << 30 | value.microsecond * 1000
        case "DATETIME":
            days = (value.year << 4 | value.month) << 5 | value.day
            proto.datetime_value.bit_field_datetime_seconds = days << 17 | _pack_time(value)
            proto.datetime_value.nanos = value.microsecond * 1000
        case "TIMESTAMP":
            micros = (value - _EPOCH) // timedelta(microseconds=1)
            proto.timestamp_value.seconds = micros // 1_000_000
            proto.timestamp_value.nanos = micros % 1_000_000 * 1000
        case "NUMERIC" | "BIGNUMERIC":
            scaled = int(_EXACT.scaleb(value, _SCALES[field.type]))
            data = scaled.to_bytes((scaled.bit_length() + 8) // 8, "little", signed=True)
            if field.type == "NUMERIC":
                proto.numeric_value = data
            else:
                proto.bignumeric_value = data
        case "INTERVAL":
            proto.interval_value = _pack_interval(value)
        case _:
            raise Unsupported(f"this engine takes no {field.type} values (`{field.name}`)")


def _pack_time(value: time | datetime) -> int:
    return (value.hour << 6 | value.minute) << 6 | value.second


def _pack_interval(text: str) -> bytes:
    found = _INTERVAL.match(text)
    if not found:
        raise Unsupported(f"`{text}` is not an interval as Y-M D H:M:S")
    sign, years, months, days, time_sign, hours, minutes, seconds, fraction = found.groups()
    total = int(years) * 12 + int(months)
    micros = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000_000 + int((fraction or "").ljust(6, "0"))
    packed = total << 13 | (0x80000000 if sign and total else 0)
    return struct.pack("<qiI", -micros if time_sign else micros, int(days), packed)


# --- from the engine


def decode(field: Field, proto: ValueProto) -> Value:
    """The value of a result's cell. Raises NullElement."""
    kind = proto.WhichOneof("value")
    if field.mode == "REPEATED":
        element = replace(field, mode="NULLABLE")
        items = [decode(element, item) for item in proto.array_value.element] if kind else []
        if any(item is None for item in items):
            raise NullElement(f"array `{field.name}` has a NULL element, which BigQuery cannot write")
        return items
    if kind is None:
        return None
    if kind == "struct_value":
        parts = zip(field.fields, proto.struct_value.field, strict=True)
        return {part.name: decode(part, item) for part, item in parts}
    return _SCALARS[kind](getattr(proto, kind))


def _timestamp(stamp: Any) -> datetime:
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def _datetime(packed: Any) -> datetime:
    bits = packed.bit_field_datetime_seconds
    return datetime(
        bits >> 26, bits >> 22 & 15, bits >> 17 & 31, bits >> 12 & 31, bits >> 6 & 63, bits & 63, packed.nanos // 1000
    )


def _time(packed: int) -> time:
    bits = packed >> 30
    return time(bits >> 12 & 31, bits >> 6 & 63, bits & 63, (packed & (1 << 30) - 1) // 1000)


def _decimal(data: bytes, scale: int) -> Decimal:
    """Without trailing zeros and without exponent, as BigQuery prints it."""
    value = _EXACT.normalize(_EXACT.scaleb(Decimal(int.from_bytes(data, "little", signed=True)), -scale))
    exponent = value.as_tuple().exponent
    return _EXACT.quantize(value, Decimal(1)) if isinstance(exponent, int) and exponent > 0 else value


def _json(text: str) -> str:
    parsed = json.loads(text)
    return canonical_json(parsed)


def _interval(data: bytes) -> str:
    micros, days, packed = struct.unpack("<qiI", data)
    months = packed >> 13 & 0x3FFFF
    seconds, fraction = divmod(abs(micros), 1_000_000)
    clock = f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}"
    clock += f".{fraction:06d}".rstrip("0") if fraction else ""
    sign = "-" if packed & 0x80000000 else ""
    return f"{sign}{months // 12}-{months % 12} {days} {'-' if micros < 0 else ''}{clock}"


def _range(bounds: Any) -> str:
    start, end = (
        _SCALARS[kind](getattr(bound, kind)).isoformat(" ") if kind not in (None, "date_value")
        else _SCALARS[kind](getattr(bound, kind)).isoformat() if kind else "UNBOUNDED"
        for bound in (bounds.start, bounds.end)
        for kind in (bound.WhichOneof("value"),)
    )  # fmt: skip
    return f"[{start}, {end})"


_SCALARS: Mapping[str, Any] = {
    "string_value": str,
    "bytes_value": bytes,
    "int64_value": int,
    "double_value": lambda value: math.copysign(0.0, 1.0) if value == 0 else value,
    "bool_value": bool,
    "json_value": _json,
    "date_value": lambda days: date.fromordinal(days + _EPOCH_DAY),
    "time_value": _time,
    "datetime_value": _datetime,
    "timestamp_value": _timestamp,
    "numeric_value": lambda data: _decimal(data, 9),
    "bignumeric_value": lambda data: _decimal(data, 38),
    "interval_value": _interval,
    "range_value": _range,
}
