"""The pieces of a request made from text."""

from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements
from etl_orchestrator.requirements import Source
from etl_orchestrator.table import Field


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client_id", ("client_id",)),
        ("a, `b`", ("a", "b")),
        ("USING (a, b)", ("a", "b")),
        ("on a and b", ("a", "b")),
        ("a.x = b.x", ()),
        ("TRUE", ()),
        ("a OR b", ()),
        ("f(a)", ()),
    ],
)
def test_join_keys_as_a_list_of_names(text: str, expected: tuple[str, ...]) -> None:
    assert elements.key_names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("left", "LEFT"),
        ("LEFT OUTER JOIN", "LEFT"),
        ("join", "INNER"),
        ("full outer", "FULL"),
        ("", None),
        (None, None),
    ],
)
def test_kinds_of_joins(text: str | None, expected: str | None) -> None:
    assert elements.join(text, "f:1") == expected


@pytest.mark.parametrize(
    ("text", "alias"),
    [("p-x.d.orders_v1", "orders"), ("p-x.d.events_*", "events"), ("step", "step"), ("d.v1_v2", "v1")],
)
def test_the_alias_when_nobody_says(text: str, alias: str) -> None:
    assert elements.default_alias(text) == alias


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INT64", Field("x", "INTEGER")),
        ("STRING, REPEATED", Field("x", "STRING", "REPEATED")),
        ("`string repeated`", Field("x", "STRING", "REPEATED")),
        ("ARRAY<FLOAT64>", Field("x", "FLOAT", "REPEATED")),
        ("NUMERIC(10, 2)", Field("x", "NUMERIC")),
        (
            "ARRAY<STRUCT<a INT64, b STRUCT<c DATE>>>",
            Field(
                "x",
                "RECORD",
                "REPEATED",
                None,
                (Field("a", "INTEGER"), Field("b", "RECORD", "NULLABLE", None, (Field("c", "DATE"),))),
            ),
        ),
    ],
)
def test_types(text: str, expected: Field) -> None:
    assert elements.field(text, "f:1", "x") == expected


def test_a_schema_in_one_line() -> None:
    told = elements.schema("id STRING REQUIRED, tags ARRAY<STRING>, at TIMESTAMP, NULLABLE", "f:1")
    assert told == (Field("id", "STRING", "REQUIRED"), Field("tags", "STRING", "REPEATED"), Field("at", "TIMESTAMP"))
    with pytest.raises(InvalidInput, match="no type"):
        elements.schema("id", "f:1")
    with pytest.raises(InvalidInput, match="twice"):
        elements.schema("id STRING, ID DATE", "f:1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d.orders_v1", Source("orders", "p-xx.d.orders_v1")),
        ("`q-yy.d.t` AS x", Source("x", "q-yy.d.t")),
        ("d.t x LEFT JOIN ON a.i = x.i", Source("x", "p-xx.d.t", join="LEFT", on="a.i = x.i")),
        ("LEFT JOIN d.t AS x USING (i)", Source("x", "p-xx.d.t", join="LEFT", on="(i)")),
        ("d.t FILTER a = 'on'", Source("t", "p-xx.d.t", filter="a = 'on'")),
        ("earlier", Source("earlier", "earlier")),
    ],
)
def test_a_source_in_one_line(text: str, expected: Source) -> None:
    assert elements.source(text, "p-xx", "f:1") == expected


@pytest.mark.parametrize("text", ["", "a b c d", "../x", "d.t; DROP", "d.t ON a; b"])
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(InvalidInput):
        elements.source(text, "p-xx", "f:1")


@pytest.mark.parametrize("text", ["tier_1", "Tier 1", "1", "`tier-1`", "impact/tier_1"])
def test_tiers(text: str) -> None:
    assert elements.tier(text, "f:1") == "tier_1"


def test_nearest() -> None:
    assert elements.nearest("Colums", ["columns", "sources"]) == ["columns"]
    assert "known are a, b" in elements.suggestion("zzz", ["a", "b"])
