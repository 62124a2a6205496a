"""Cells to values and back."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.values import cell_of, check, equal, parse_cell
from etl_orchestrator.table import Field

RECORD = Field("r", "RECORD", fields=(Field("a", "INTEGER"), Field("b", "DATE", "REPEATED")))


def field(kind: str, mode: str = "NULLABLE") -> Field:
    return Field("x", kind, mode)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("STRING", "NO", "NO"),
        ("STRING", "", ""),
        ("STRING", 12, "12"),
        ("STRING", 125.0, "125.0"),
        ("STRING", True, "true"),
        ("STRING", date(2025, 6, 1), "2025-06-01"),
        ("INTEGER", "-7", -7),
        ("INTEGER", 7, 7),
        ("FLOAT", "1e3", 1000.0),
        ("FLOAT", 1, 1.0),
        ("FLOAT", "-inf", -math.inf),
        ("FLOAT", ".inf", math.inf),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", False, False),
        ("BYTES", "aGk=", b"hi"),
        ("DATE", "2025-06-01", date(2025, 6, 1)),
        ("DATE", date(2025, 6, 1), date(2025, 6, 1)),
        ("DATETIME", "2025-06-01 01:02:03.4", datetime(2025, 6, 1, 1, 2, 3, 400000)),
        ("DATETIME", "2025-06-01T01:02:03", datetime(2025, 6, 1, 1, 2, 3)),
        ("DATETIME", date(2025, 6, 1), datetime(2025, 6, 1)),
        ("TIMESTAMP", "2025-06-01", datetime(2025, 6, 1, tzinfo=UTC)),
        ("TIMESTAMP", "2025-06-01 00:00:00 UTC", datetime(2025, 6, 1, tzinfo=UTC)),
        ("TIMESTAMP", "2025-06-01T00:00:00Z", datetime(2025, 6, 1, tzinfo=UTC)),
        ("TIMESTAMP", "2025-06-01 00:00:00+02:30", datetime(2025, 5, 31, 21, 30, tzinfo=UTC)),
        ("TIMESTAMP", "2025-06-01 00:00:00-07", datetime(2025, 6, 1, 7, tzinfo=UTC)),
        ("TIMESTAMP", "2025-06-01 00:00:00 America/Los_Angeles", datetime(2025, 6, 1, 7, tzinfo=UTC)),
        ("TIMESTAMP", datetime(2025, 6, 1), datetime(2025, 6, 1, tzinfo=UTC)),
        ("TIMESTAMP", datetime(2025, 6, 1, 2, tzinfo=timezone(timedelta(hours=2))), datetime(2025, 6, 1, tzinfo=UTC)),
        ("TIME", "1:02:03.000004", time(1, 2, 3, 4)),
        ("NUMERIC", "1.50", Decimal("1.5")),
        ("NUMERIC", 1.5, Decimal("1.5")),
        ("BIGNUMERIC", "1e-38", Decimal("1e-38")),
        ("JSON", '{"b": 1, "a": [true]}', '{"a":[true],"b":1}'),
        ("JSON", {"b": 1.5, "a": None}, '{"a":null,"b":1.5}'),
        ("JSON", '"text"', '"text"'),
        ("INTERVAL", "0-1 2 3:4:5", "0-1 2 3:4:5"),
        ("RANGE", "[2025-01-01, UNBOUNDED)", "[2025-01-01, UNBOUNDED)"),
        ("GEOGRAPHY", "POINT(1 2)", "POINT(1 2)"),
    ],
)
def test_cells_become_values(kind: str, cell: object, value: object) -> None:
    parsed = parse_cell(field(kind), cell)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("INTEGER", "1.0"), ("INTEGER", True), ("INTEGER", 1.5), ("INTEGER", "9223372036854775808"), ("INTEGER", "1_0"),
        ("INTEGER", ""), ("FLOAT", "x"), ("FLOAT", "1e999"), ("FLOAT", True), ("BOOLEAN", "NO"), ("BOOLEAN", 1),
        ("BYTES", "not base64!"), ("DATE", "2025-02-30"), ("DATE", "01/02/2025"), ("DATE", datetime(2025, 1, 1)),
        ("DATETIME", "2025-06-01 00:00:00Z"), ("DATETIME", datetime(2025, 1, 1, tzinfo=UTC)), ("DATETIME", "25:00"),
        ("TIMESTAMP", "2025-06-01 00:00:00.1234567"), ("TIMESTAMP", "2025-06-01 00:00:00 Mars/Base"), ("TIMESTAMP", 5),
        ("TIMESTAMP", "0001-01-01 00:00:00+14:00"), ("TIME", 45000), ("TIME", "24:00:00"),
        ("NUMERIC", "0.0000000001"), ("NUMERIC", "1e29"), ("NUMERIC", "NaN"), ("JSON", "text"), ("JSON", "{"),
        ("JSON", "NaN"), ("STRING", ["a"]), ("STRING", {"a": 1}), ("INTERVAL", "1 day"), ("RANGE", "2025-01-01"),
        ("STRING", "\ud800"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_naming_field_and_form(kind: str, cell: object) -> None:
    with pytest.raises(InvalidInput, match="`x`") as refused:
        parse_cell(field(kind), cell)
    assert refused.value.fix


def test_a_time_that_yaml_read_in_base_60_is_explained() -> None:
    with pytest.raises(InvalidInput, match="base 60"):
        parse_cell(field("TIME"), 45000)


def test_null_and_missing() -> None:
    assert parse_cell(field("STRING"), None) is None
    assert parse_cell(field("STRING", "REPEATED"), None) == []
    assert parse_cell(RECORD, {}) == {"a": None, "b": []}
    assert parse_cell(RECORD, None) is None


def test_a_required_field_is_not_null() -> None:
    with pytest.raises(InvalidInput, match="REQUIRED"):
        parse_cell(field("STRING", "REQUIRED"), None)
    with pytest.raises(InvalidInput, match="REQUIRED"):
        check(field("STRING", "REQUIRED"), None)


def test_arrays_hold_no_null_and_are_lists() -> None:
    assert parse_cell(field("DATE", "REPEATED"), ["2025-06-01"]) == [date(2025, 6, 1)]
    with pytest.raises(InvalidInput, match=r"x\[1\].*NULL"):
        parse_cell(field("STRING", "REPEATED"), ["a", None])
    with pytest.raises(InvalidInput, match="list"):
        parse_cell(field("STRING", "REPEATED"), "a")


def test_records_are_read_by_name() -> None:
    assert parse_cell(RECORD, {"a": "1", "b": ["2025-06-01"]}) == {"a": 1, "b": [date(2025, 6, 1)]}
    with pytest.raises(InvalidInput, match=r"r\.b\[0\]"):
        parse_cell(RECORD, {"b": ["x"]})
    with pytest.raises(InvalidInput, match="has no field `bb`") as refused:
        parse_cell(RECORD, {"bb": []})
    assert refused.value.fix == "did you mean `b`?"
    with pytest.raises(InvalidInput, match="RECORD"):
        parse_cell(RECORD, "a: 1")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("STRING", 1), ("INTEGER", True), ("INTEGER", 2**63), ("INTEGER", "1"), ("FLOAT", "1"), ("BOOLEAN", 1),
        ("DATE", datetime(2025, 1, 1)), ("DATE", "2025-01-01"), ("TIMESTAMP", datetime(2025, 1, 1)),
        ("DATETIME", datetime(2025, 1, 1, tzinfo=UTC)), ("NUMERIC", 1.5), ("NUMERIC", Decimal("1e-10")),
        ("BYTES", "x"), ("JSON", "x"), ("TIME", "01:00:00"), ("BIGNUMERIC", Decimal("NaN")),
    ],
)  # fmt: skip
def test_check_refuses_what_is_not_typed(kind: str, value: object) -> None:
    with pytest.raises(InvalidInput, match="`x`"):
        check(field(kind), value)


def test_check_looks_into_records_and_arrays() -> None:
    check(RECORD, {"a": 1})
    check(field("FLOAT"), 1)
    with pytest.raises(InvalidInput, match=r"r\.a"):
        check(RECORD, {"a": "1"})
    with pytest.raises(InvalidInput, match="nope"):
        check(RECORD, {"nope": 1})


VALUES = {
    "STRING": st.text(st.characters(codec="utf-8")),
    "BYTES": st.binary(),
    "INTEGER": st.integers(-(2**63), 2**63 - 1),
    "FLOAT": st.floats(),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates(),
    "DATETIME": st.datetimes(),
    "TIMESTAMP": st.datetimes(timezones=st.just(UTC)),
    "TIME": st.times(),
    "NUMERIC": st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**20), max_value=10**20),
}


@settings(deadline=None)
@given(st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_values_survive_being_written(typed: tuple[str, object]) -> None:
    kind, value = typed
    written = cell_of(field(kind), value)
    assert isinstance(written, str | int | float | bool)
    assert equal(parse_cell(field(kind), written), value)


def test_nested_values_are_written_as_lists_and_mappings() -> None:
    value = {"a": 1, "b": [date(2025, 6, 1)]}
    assert cell_of(RECORD, value) == {"a": 1, "b": ["2025-06-01"]}
    assert cell_of(Field("r", "RECORD", "REPEATED", None, RECORD.fields), [value]) == [{"a": 1, "b": ["2025-06-01"]}]
    assert cell_of(field("TIMESTAMP"), datetime(2025, 6, 1, tzinfo=UTC)) == "2025-06-01T00:00:00+00:00"
    assert cell_of(field("NUMERIC"), Decimal("1.500")) == "1.5"
    assert cell_of(field("NUMERIC"), Decimal("1E+3")) == "1000"
    assert cell_of(field("FLOAT"), math.nan) == "NaN"
    assert cell_of(field("STRING"), None) is None


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (0.1 + 0.2, 0.3, True), (1.0, 1.001, False), (math.nan, math.nan, True), (math.nan, 1.0, False), (1, 1.0, True),
        (True, 1, False), (True, 1.0, False), ("1", 1.0, False), (None, 0.0, False), ([1.0, 2], [1.0, 2], True),
        ([1, 2], [2, 1], False), ([1], [1, 1], False), ({"a": 0.1 + 0.2}, {"a": 0.3}, True), ({"a": 1}, {"b": 1}, False),
        (None, None, True), (math.inf, math.inf, True), (math.inf, -math.inf, False), (Decimal("1.5"), 1.5, True),
    ],
)  # fmt: skip
def test_equality(left: object, right: object, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same
