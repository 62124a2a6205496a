"""Fields and GoogleSQL types."""

from __future__ import annotations

import pytest

from etl_orchestrator.engines.googlesql.types import field_of, parse_type, type_of
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("DATE", Field("p", "DATE")),
        ("int64", Field("p", "INTEGER")),
        ("FLOAT64", Field("p", "FLOAT")),
        ("NUMERIC(10, 2)", Field("p", "NUMERIC")),
        ("STRING(5)", Field("p", "STRING")),
        ("ARRAY<STRING>", Field("p", "STRING", "REPEATED")),
        ("ARRAY< STRUCT<a INT64, b ARRAY<DATE>> >", Field("p", "RECORD", "REPEATED", None, (Field("a", "INTEGER"), Field("b", "DATE", "REPEATED")))),
        ("STRUCT<INT64, `x y` STRING>", Field("p", "RECORD", fields=(Field("_field_1", "INTEGER"), Field("x y", "STRING")))),
    ],
)  # fmt: skip
def test_types_are_read(text: str, field: Field) -> None:
    assert parse_type("p", text) == field
    assert field_of("p", type_of(field)) == field


@pytest.mark.parametrize(
    "text", ["", "DAT", "ARRAY<DATE", "ARRAY<ARRAY<DATE>>", "STRUCT<>", "DATE DATE", "RECORD", "STRUCT<a>", "N(1", "?"]
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a GoogleSQL type"):
        parse_type("p", text)


def test_a_range_lacks_its_element() -> None:
    with pytest.raises(Unsupported, match="`r`"):
        type_of(Field("r", "RANGE"))
