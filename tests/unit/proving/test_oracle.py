"""The oracle: what a requirement means on given rows, worked out by hand here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.proving.material import (
    COUNTRIES,
    DAY,
    ORDERS,
    OUTPUT,
    PARAMETERS,
    SCHEMAS,
    columns,
    countries,
    orders,
    requirements,
    tables,
)

from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.oracle import Expected, expected_rows
from etl_orchestrator.requirements import Body, RefuseWhen, Requirements, Source, Step
from etl_orchestrator.tools import TableData, Value

ROWS: list[dict[str, Value]] = [
    {"day": DAY, "client_id": "a", "country": "DE", "amount": 1, "state": "paid"},
    {"day": DAY, "client_id": "a", "country": "DE", "amount": 2, "state": "paid"},
    {"day": DAY, "client_id": "b", "country": "XX", "amount": 4, "state": "paid"},
    {"day": DAY, "client_id": None, "country": None, "amount": None, "state": "open"},
    {"day": DAY - timedelta(days=1), "client_id": "a", "country": "DE", "amount": 8, "state": "paid"},
]
REGIONS: list[dict[str, Value]] = [{"code": "DE", "region": "Europe"}, {"code": "FR", "region": "Europe"}]


def expect(asked: Requirements, **changes: Any) -> list[tuple[Value, ...]]:
    """The expected rows as tuples in a fixed order."""
    found = expected_rows(asked, changes.get("given", tables(ROWS, REGIONS)), PARAMETERS)
    assert not found.unknown
    return sorted((tuple(row.values()) for row in found.rows), key=repr)


def test_groups_by_the_columns_without_aggregates_and_takes_null_as_a_key() -> None:
    body = Body((orders(filter="day = @submission_date"),), columns("client_id", "n = COUNT(*)", "s = SUM(amount)"))
    assert expect(requirements(body)) == [("a", 2, 3), ("b", 1, 4), (None, 1, None)]


def test_a_filter_applies_before_the_join_so_that_a_left_join_stays_one() -> None:
    joined = countries(filter="region = 'Asia'")
    body = Body((orders(filter="day = @submission_date"), joined), columns("client_id", "region"), where="amount > 1")
    assert expect(requirements(body)) == [("a", None), ("b", None)]


@pytest.mark.parametrize(
    ("join", "rows"),
    [
        ("INNER", [("a", "DE"), ("a", "DE")]),
        ("LEFT", [("a", "DE"), ("a", "DE"), ("b", None), (None, None)]),
        ("RIGHT", [("a", "DE"), ("a", "DE"), (None, "FR")]),
        ("FULL", [("a", "DE"), ("a", "DE"), ("b", None), (None, "FR"), (None, None)]),
    ],
)
def test_joins(join: str, rows: list[tuple[Value, ...]]) -> None:
    body = Body((orders(filter="day = @submission_date"), countries(join=join)), columns("client_id", "code"))
    assert expect(requirements(body)) == sorted(rows, key=repr)


def test_a_cross_join_and_joins_with_an_empty_side() -> None:
    body = Body((orders(), countries(join="CROSS", on=None)), columns("client_id", "code"))
    assert len(expect(requirements(body))) == 10
    outer = requirements(Body((orders(), countries(join="FULL")), columns("client_id", "code")))
    assert expect(outer, given=tables([], REGIONS)) == [(None, "DE"), (None, "FR")]


def test_unnest_with_offset_and_a_left_join_that_keeps_empty_arrays() -> None:
    rows: list[dict[str, Value]] = [
        {"client_id": "a", "items": [{"sku": "x", "price": 1}, {"sku": "y", "price": 2}]},
        {"client_id": "b", "items": []},
    ]
    for join, expected in (("CROSS", []), ("LEFT", [("b", None, None)])):
        unnest = Source("item", unnest="orders.items", offset="place", join=join)
        asked = requirements(Body((orders(), unnest), columns("client_id", "sku = item.sku", "place")))
        assert expect(asked, given=tables(rows, [])) == [("a", "x", 0), ("a", "y", 1), *expected]


def test_having_and_qualify_know_output_names() -> None:
    grouped = Body((orders(),), columns("client_id", "total = SUM(amount)"), having="total > 4")
    assert expect(requirements(grouped)) == [("a", 11)]
    latest = Body(
        (orders(),),
        columns("client_id", "amount", "place = ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY amount DESC)"),
        qualify="place = 1",
    )
    assert expect(requirements(latest)) == [("a", 8, 1), ("b", 4, 1), (None, None, 1)]


def test_distinct_steps_unions_and_stars() -> None:
    today = Step("today", Body((orders(filter="day = @submission_date"),), columns("client_id", "amount")))
    before = Step("before", Body((orders(filter="day < @submission_date"),), columns("client_id", "amount")))
    both = Step("both", Body(union=("today", "before")))
    from_both = (Source("both", "both"),)
    asked = requirements(Body(from_both, columns("client_id"), distinct=True), today, before, both)
    assert expect(asked) == [("a",), ("b",), (None,)]
    starred = Step("starred", Body(from_both, columns("* = both.* EXCEPT (amount)")))
    asked = requirements(Body((Source("s", "starred"),), columns("client_id")), today, before, both, starred)
    assert len(expect(asked)) == 5
    once = requirements(Body(union=("today", "today"), union_distinct=True), today)
    assert len(expect(once)) == 4


def test_a_constant_is_a_key_so_that_nothing_gives_no_row() -> None:
    empty = tables([], [])
    assert expect(requirements(Body((orders(),), columns("n = COUNT(*)"))), given=empty) == [(0,)]
    assert expect(requirements(Body((orders(),), columns("d = @submission_date", "n = COUNT(*)"))), given=empty) == []


def test_a_table_that_reads_itself_and_its_first_run() -> None:
    schema = SCHEMAS[ORDERS][:2]
    known = Source(
        "known", str(OUTPUT), filter="day < @submission_date", join="LEFT", on="orders.client_id = known.client_id"
    )
    body = Body((orders(filter="day = @submission_date"), known), columns("day = orders.day", "client_id = orders.client_id"),
                where="known.client_id IS NULL AND orders.client_id IS NOT NULL", distinct=True)  # fmt: skip
    first = Body((orders(),), columns("day = MIN(day)", "client_id"), where="client_id IS NOT NULL")
    asked = requirements(body, on_init=first)
    itself = TableData(schema, ({"day": date(2024, 1, 1), "client_id": "a"},))
    assert asked.reads_itself
    assert expect(asked, given={**tables(ROWS, []), OUTPUT: itself}) == [(DAY, "b")]
    found = expected_rows(asked, {**tables(ROWS, []), OUTPUT: TableData(schema)}, PARAMETERS, is_init=True)
    assert sorted(tuple(row.values()) for row in found.rows) == [(DAY - timedelta(days=1), "a"), (DAY, "b")]


def test_a_subquery_reads_declared_sources_and_steps() -> None:
    top = Step("top", Body((orders(),), columns("amount = MAX(amount)")))
    body = Body((orders(),), columns("client_id"), where="amount = (SELECT amount FROM top)")
    assert expect(requirements(body, top)) == [("a",)]


def test_an_unknown_column_leaves_the_others_known() -> None:
    body = Body((orders(),), columns("client_id", "x = RAND()", "y = FARM_FINGERPRINT(client_id)"), where="amount = 4")
    found = expected_rows(requirements(body), tables(ROWS, []), PARAMETERS)
    assert found == Expected(("client_id", "x", "y"), [{"client_id": "b"}], found.unknown)
    assert set(found.unknown) == {"x", "y"}
    assert "RAND" in found.unknown["x"]


def test_unknown_values_of_a_step_spread_to_what_reads_them_only() -> None:
    step = Step("raw", Body((orders(),), columns("client_id", "x = RAND()"), where="amount = 4"))
    source = (Source("raw", "raw"),)
    found = expected_rows(
        requirements(Body(source, columns("client_id", "z = x + 1")), step), tables(ROWS, []), PARAMETERS
    )
    assert found.rows == [{"client_id": "b"}]
    for undecided in (Body(source, columns("client_id"), where="x > 0.5"), Body(source, columns("x"), distinct=True)):
        with pytest.raises(CannotTell):
            expected_rows(requirements(undecided, step), tables(ROWS, []), PARAMETERS)


@pytest.mark.parametrize(
    "body",
    [
        Body((orders(filter="RAND() < 0.5"),), columns("client_id")),
        Body((orders(),), columns("client_id = RAND()", "n = COUNT(*)")),
        Body((orders(),), columns("client_id"), qualify="ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY state) = 1"),
        Body((orders(table="other.nothing_v1"),), columns("client_id")),
        Body((orders(),), columns("client_id"), having="amount > 1"),
    ],
)  # fmt: skip
def test_rows_that_are_not_determined_are_refused(body: Body) -> None:
    rows = [*ROWS, {"client_id": "a", "state": "paid", "amount": 9}]
    with pytest.raises(CannotTell):
        expected_rows(requirements(body), tables(rows, []), PARAMETERS)


def test_exact_copies_are_no_tie() -> None:
    rows: list[dict[str, Value]] = [{"client_id": "a", "amount": 1}, {"client_id": "a", "amount": 1}]
    body = Body((orders(),), columns("amount"), qualify="ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY day) = 1")
    assert expect(requirements(body), given=tables(rows, [])) == [(1,)]


def test_a_run_that_must_fail_has_no_rows() -> None:
    body = Body((orders(),), columns("client_id", "x = 1 / (amount - 4)"))
    with pytest.raises(QueryFails, match="division by zero"):
        expected_rows(requirements(body), tables(ROWS, []), PARAMETERS)


def test_refuse_when_speaks_of_the_result_or_of_what_is_read() -> None:
    body = Body((orders(),), columns("client_id", "total = SUM(amount)"))
    for condition in ("total > 10", "COUNT(*) = 0", "orders.state = 'open'", "total < 0"):
        asked = requirements(body, refuse_when=(RefuseWhen(condition, "too much"),))
        if condition in ("total > 10", "orders.state = 'open'"):
            with pytest.raises(QueryFails, match="too much"):
                expect(asked)
        else:
            assert len(expect(asked)) == 3


def test_an_array_with_a_null_cannot_be_written() -> None:
    body = Body((orders(),), columns("all_amounts = ARRAY_AGG(amount ORDER BY day)"), where="client_id IS NULL")
    with pytest.raises(QueryFails):
        expected_rows(requirements(body), tables(ROWS, []), PARAMETERS)


def test_an_adopted_query_cannot_be_evaluated() -> None:
    asked = requirements(Body(), query="SELECT 1 AS x", sources=(ORDERS,))
    with pytest.raises(CannotTell):
        expected_rows(asked, tables([], []), PARAMETERS)


@pytest.mark.parametrize("row", [{"amount": "1"}, {"amount": True}, {"at": datetime(2024, 1, 1)}, {"nowhere": 1},
                                 {"day": datetime(2024, 1, 1, tzinfo=UTC)}])  # fmt: skip
def test_rows_that_do_not_fit_their_schema_are_refused(row: dict[str, Value]) -> None:
    with pytest.raises(CannotTell):
        expect(requirements(Body((orders(),), columns("client_id"))), given=tables([row], []))


def test_the_oracle_knows_neither_the_query_writer_nor_an_engine() -> None:
    folder = Path(__file__).parents[3] / "src" / "etl_orchestrator" / "proving"
    judged = [path for path in folder.glob("*.py") if path.name not in ("trial.py", "strength.py", "example.py")]
    assert len(judged) > 20
    for path in judged:
        text = path.read_text()
        assert "etl_orchestrator.skills" not in text
        assert "etl_orchestrator.engines" not in text
        assert "Runner" not in text


def test_countries_are_read_by_their_own_name() -> None:
    body = Body((countries(join=None, on=None),), columns("code"), where="countries.region LIKE 'Eur%'")
    assert expect(requirements(body), given={COUNTRIES: tables([], REGIONS)[COUNTRIES]}) == [("DE",), ("FR",)]


def test_rows_that_the_requirement_rules_out_are_no_test_data() -> None:
    joined = countries(join="LEFT", on="orders.country = countries.code", matches="one")
    asked = requirements(Body((orders(), joined), columns("client_id", "region")))
    expected_rows(asked, tables(ROWS, REGIONS), PARAMETERS)
    with pytest.raises(CannotTell, match="several rows of `countries` match"):
        expected_rows(asked, tables(ROWS, [*REGIONS, {"code": "DE", "region": "EU"}]), PARAMETERS)


def test_the_first_source_can_be_the_one_of_which_one_row_matches() -> None:
    sources = (orders(matches="one"), countries(join="LEFT", on="orders.country = countries.code"))
    asked = requirements(Body(sources, columns("n = COUNT(*)")))
    expected_rows(asked, tables(ROWS[1:4], REGIONS), PARAMETERS)
    with pytest.raises(CannotTell, match="several rows of `orders` match"):
        expected_rows(asked, tables(ROWS, REGIONS), PARAMETERS)
