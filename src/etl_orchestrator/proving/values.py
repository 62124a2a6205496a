"""GoogleSQL values as plain Python: loading by schema, equality, order, group keys."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.table import Field, Schema
from etl_orchestrator.tools import Value

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Json(str):
    """A JSON value as its text: no STRING, although it is one in Python."""

    __slots__ = ()


class BigNumeric(Decimal):
    """A BIGNUMERIC value: arithmetic with it is refused, its scale is another than that of NUMERIC."""

    __slots__ = ()


class UnorderedArray(list[Any]):
    """An array whose order GoogleSQL leaves open (ARRAY_AGG without ORDER BY): compare it as a bag."""

    __slots__ = ()


def leaves_order_open(value: Any) -> bool:
    """Whether an array without an order is in it."""
    if isinstance(value, dict):
        return any(map(leaves_order_open, value.values()))
    is_open = isinstance(value, UnorderedArray) and len(value) > 1
    return is_open or (isinstance(value, list) and any(map(leaves_order_open, value)))


@dataclass(frozen=True, slots=True)
class Unknown:
    """A cell that the oracle could not work out; reading it raises CannotTell."""

    reason: str


@dataclass(frozen=True, slots=True)
class Interval:
    """INTERVAL of one part: `INTERVAL 3 DAY`."""

    amount: int
    part: str


def kind(value: Value) -> str:
    """The family of a value: values of one family can be compared."""
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, (int, float, Decimal)):
        return "NUMBER"
    if isinstance(value, Json):
        return "JSON"
    if isinstance(value, datetime):
        return "DATETIME" if value.tzinfo is None else "TIMESTAMP"
    for cls, name in ((str, "STRING"), (bytes, "BYTES"), (date, "DATE"), (time, "TIME"), (list, "ARRAY"),
                      (dict, "STRUCT")):  # fmt: skip
        if isinstance(value, cls):
            return name
    if isinstance(value, Unknown):
        raise CannotTell(value.reason)
    return type(value).__name__.upper()


def is_nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def integer(value: int) -> int:
    """The value, refused when it does not fit INT64."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise _overflow("INT64")
    return value


def _overflow(kind_name: str) -> CannotTell:
    from etl_orchestrator.proving.doubt import QueryFails

    return QueryFails(f"{kind_name} overflow")


def equal(left: Value, right: Value) -> bool | None:
    """`=`: None when either side is NULL (or a NULL inside decides)."""
    if left is None or right is None:
        return None
    if kind(left) != kind(right):
        raise CannotTell(f"{kind(left)} compared with {kind(right)}")
    if isinstance(left, list):
        return _equal_arrays(left, right)
    if isinstance(left, dict):
        return _equal_structs(list(left.values()), list(right.values()))
    if isinstance(left, (Json, Interval)):
        raise CannotTell(f"{kind(left)} has no equality")
    return bool(_number(left, right) == _number(right, left))


def _equal_arrays(left: list[Value], right: list[Value]) -> bool | None:
    if len(left) != len(right):
        return False
    if len(left) > 1 and (isinstance(left, UnorderedArray) or isinstance(right, UnorderedArray)):
        raise CannotTell("an array without an order is compared")
    return _equal_structs(left, right)


def _equal_structs(left: Sequence[Value], right: Sequence[Value]) -> bool | None:
    results = [equal(a, b) for a, b in zip(left, right, strict=True)]
    return False if False in results else None if None in results else True


def _number(value: Value, other: Value) -> Value:
    """NUMERIC meets FLOAT64 as FLOAT64; other numbers compare exactly in Python."""
    return float(value) if isinstance(value, Decimal) and isinstance(other, float) else value


def compare(left: Value, right: Value) -> int | None:
    """-1, 0, 1, or None when either is NULL; NaN is for the caller to look at."""
    if left is None or right is None:
        return None
    family = kind(left)
    if family != kind(right) or family in ("JSON", "ARRAY", "STRUCT", "INTERVAL"):
        raise CannotTell(f"{family} compared with {kind(right)}")
    first, second = _number(left, right), _number(right, left)
    return int(first > second) - int(first < second)


def order(left: Value, right: Value) -> int:
    """Sorting, ascending: NaN before all numbers, NULL counted apart by the caller."""
    if is_nan(left) or is_nan(right):
        return (not is_nan(left)) - (not is_nan(right))
    result = compare(left, right)
    assert result is not None
    return result


def group_key(value: Value) -> Any:
    """Something hashable: equal for values that GROUP BY and DISTINCT put together (NULL with NULL, NaN with NaN)."""
    if value is None:
        return ("NULL",)
    family = kind(value)
    if is_nan(value):
        return ("NaN",)
    if isinstance(value, UnorderedArray):
        return (family, tuple(sorted((group_key(element) for element in value), key=repr)))
    if isinstance(value, list):
        return (family, tuple(group_key(element) for element in value))
    if isinstance(value, dict):
        return (family, tuple(group_key(element) for element in value.values()))
    return (family, value)


def sorting(descending: Sequence[bool], nulls_first: Sequence[bool]) -> Any:
    """A sort key for lists of values, one direction and place of NULLs for each."""

    def ordered(left: Sequence[Value], right: Sequence[Value]) -> int:
        for a, b, down, first in zip(left, right, descending, nulls_first, strict=True):
            if a is None or b is None:
                result = ((a is not None) - (b is not None)) * (1 if first else -1)
            else:
                result = order(a, b) * (-1 if down else 1)
            if result:
                return result
        return 0

    return functools.cmp_to_key(ordered)


def part(struct: Mapping[str, Value], name: str) -> Value:
    """A field of a row or struct, names without regard to case."""
    if name in struct:
        found = struct[name]
    else:
        matches = [key for key in struct if key.lower() == name.lower()]
        if len(matches) != 1:
            raise CannotTell(f"no field `{name}`")
        found = struct[matches[0]]
    if isinstance(found, Unknown):
        raise CannotTell(found.reason)
    return found


def json_part(document: Json, key: str | int) -> Json | None:
    """`json.key`, `json[0]`: NULL where there is none."""
    found = json.loads(document)
    if isinstance(key, str):
        present = isinstance(found, dict) and key in found
    else:
        present = isinstance(found, list) and 0 <= key < len(found)
    return Json(json.dumps(found[key], ensure_ascii=False)) if present else None


def load(row: Mapping[str, Value], schema: Schema) -> dict[str, Value]:
    """A row with every column of the schema, values in the Python type of their column."""
    for name in row:
        if not any(field.name == name for field in schema):
            raise CannotTell(f"a row has `{name}`, which is no column of its table")
    return {field.name: _load_field(row.get(field.name), field) for field in schema}


def _load_field(value: Value, field: Field) -> Value:
    if field.mode == "REPEATED":
        return [_load_scalar(element, field) for element in value or ()]
    return _load_scalar(value, field)


def _load_scalar(value: Value, field: Field) -> Value:
    if value is None:
        return None
    if field.type == "RECORD":
        return load(value, field.fields)
    return typed(value, field.type, field.name)


_EXACT: Mapping[str, type] = {
    "STRING": str, "BYTES": bytes, "INTEGER": int, "BOOLEAN": bool, "DATE": date, "DATETIME": datetime, "TIME": time,
    "TIMESTAMP": datetime, "JSON": str, "FLOAT": float, "NUMERIC": Decimal, "BIGNUMERIC": Decimal,
}  # fmt: skip


def typed(value: Value, legacy_type: str, name: str) -> Value:
    """A value in the Python type of a (legacy) BigQuery type; numbers are widened, nothing else is converted."""
    if value is None:
        return None
    wanted = _EXACT.get(legacy_type)
    if wanted is None:
        raise CannotTell(f"values of type {legacy_type} (`{name}`) are not covered")
    if wanted is float and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return float(value)
    if wanted is Decimal and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return (BigNumeric if legacy_type == "BIGNUMERIC" else Decimal)(str(value))
    plain_date = wanted is date and isinstance(value, datetime)
    plain_int = wanted is int and isinstance(value, bool)
    if not isinstance(value, wanted) or plain_date or plain_int:
        raise CannotTell(f"{value!r} of `{name}` is no {legacy_type}")
    if isinstance(value, datetime):
        if (legacy_type == "TIMESTAMP") != (value.tzinfo is not None):
            raise CannotTell(f"{value!r} of `{name}` is no {legacy_type}")
        return value.astimezone(UTC) if value.tzinfo else value
    return Json(value) if legacy_type == "JSON" else value
