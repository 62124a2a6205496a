"""Fixtures: small, the same each time, and able to tell a right requirement from a slightly wrong one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.proving.material import (
    COUNTRIES,
    DAY,
    ORDERS,
    OUTPUT,
    SCHEMAS,
    columns,
    countries,
    orders,
    requirements,
)

from etl_orchestrator.proving.fixtures import MAX_CASES, MAX_ROWS, Case, cases
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.requirements import Body, Requirements, Source, Step
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

DAILY = Body(
    (orders(filter="day = @submission_date"), countries()),
    columns("day", "region = COALESCE(countries.region, 'Unknown')", "clients = COUNT(DISTINCT orders.client_id)",
            "total = SUM(orders.amount)", "paid = COUNTIF(orders.state = 'paid')"),
    where="orders.amount >= 0",
)  # fmt: skip
EVENTS = Body(
    (orders(filter="DATE(at) = @submission_date"), Source("item", unnest="orders.items", offset="place", join="CROSS")),
    columns("client_id", "sku = item.sku", "place", "kind = CASE WHEN item.price > 10 THEN 'dear' ELSE 'cheap' END"),
    where="item.sku LIKE 'sku%'",
)
LATEST = Body(
    (orders(filter="day <= @submission_date"),),
    columns("client_id", "state"),
    qualify="ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY at DESC) = 1",
)
MANY = Body((orders(filter="day = @submission_date"),), columns("country", "n = COUNT(*)"), having="COUNT(*) >= 5")
UNION = (
    Step("one", Body((orders(filter="day = @submission_date"),), columns("name = client_id"))),
    Step("two", Body((countries(join=None, on=None),), columns("name = region"), where="code IN ('DE', 'FR')")),
)
SELF = Body(
    (orders(filter="day = @submission_date"),
     Source("known", str(OUTPUT), filter="day < @submission_date", join="LEFT", on="orders.client_id = known.client_id")),
    columns("day = orders.day", "client_id = orders.client_id"),
    where="known.client_id IS NULL",
)  # fmt: skip
ALL: dict[str, Requirements] = {
    "daily": requirements(DAILY),
    "events": requirements(EVENTS),
    "latest": requirements(LATEST),
    "many": requirements(MANY),
    "union": requirements(Body(union=("one", "two")), *UNION),
    "self": requirements(SELF),
}
KNOWN = {**SCHEMAS, OUTPUT: SCHEMAS[ORDERS][:2]}


def made(name: str) -> tuple[Case, ...]:
    return cases(ALL[name], KNOWN)


def values(case: Case, column: str) -> list[Value]:
    return [row.get(column) for row in case.tables[ORDERS].rows]


def case_of(name: str, case: str) -> Case:
    return next(found for found in made(name) if found.name == case)


@pytest.mark.parametrize("name", ALL)
def test_cases_keep_their_budget_and_name_every_source(name: str) -> None:
    found = made(name)
    assert 1 < len(found) <= MAX_CASES
    assert len({case.name for case in found}) == len(found)
    for case in found:
        assert set(case.tables) == set(ALL[name].sources)
        assert sum(len(data.rows) for data in case.tables.values()) <= MAX_ROWS
        places = {f"{table}:{row}" for table, data in case.tables.items() for row in range(len(data.rows))}
        assert set(case.comments) == places
        assert all(case.comments.values())
    for table in ALL[name].sources:
        assert any(case.tables[table].rows for case in found)


@pytest.mark.parametrize("name", ALL)
def test_the_expectation_of_every_case_is_determined_and_the_first_one_has_rows(name: str) -> None:
    for number, case in enumerate(made(name)):
        expected = expected_rows(ALL[name], case.tables, case.parameters, is_init=case.name == "test_init")
        assert not expected.unknown
        assert number or expected.rows


@pytest.mark.parametrize("name", ALL)
def test_the_same_requirement_gives_the_same_cases(name: str) -> None:
    assert repr(made(name)) == repr(made(name))


def test_columns_that_are_not_read_are_left_out() -> None:
    for case in made("daily"):
        assert all("unread" not in row and "at" not in row for row in case.tables[ORDERS].rows)
    starred = requirements(
        Body((Source("s", "s"),), columns("client_id")), Step("s", Body((orders(),), columns("* = orders.*")))
    )
    assert all("unread" in row for row in cases(starred, KNOWN)[0].tables[ORDERS].rows)


def test_a_required_column_is_always_there() -> None:
    schema = (*SCHEMAS[COUNTRIES], Field("must", "INTEGER", "REQUIRED"))
    for case in cases(ALL["daily"], {**KNOWN, COUNTRIES: schema}):
        assert all(row["must"] is not None for row in case.tables[COUNTRIES].rows)


def test_the_base_case_has_a_group_with_a_copy_a_null_and_another_key() -> None:
    amounts = values(made("daily")[0], "amount")
    assert None in amounts or len(amounts) > 3
    assert len(amounts) != len(set(amounts))
    assert len(set(values(made("daily")[0], "client_id"))) > 2


def test_neighbour_days_stand_on_both_sides() -> None:
    days = values(case_of("daily", "test_neighbour_days"), "day")
    assert {DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)} <= set(days)
    moments = values(case_of("events", "test_neighbour_days"), "at")
    midnight = datetime(2024, 2, 29, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    after = midnight + timedelta(days=1)
    assert {midnight, midnight - tick, after, after - tick} <= set(moments)


def test_every_condition_is_missed_alone_and_by_null() -> None:
    found = case_of("daily", "test_rows_left_out")
    assert {-1, None} <= set(values(found, "amount"))
    skus = [row["items"][0]["sku"] for row in case_of("events", "test_rows_left_out").tables[ORDERS].rows]
    assert None in skus
    assert any(isinstance(sku, str) and not sku.startswith("sku") for sku in skus)


def test_joins_have_strangers_on_both_sides_nulls_and_doubles() -> None:
    found = case_of("daily", "test_unmatched_rows")
    left, right = set(values(found, "country")), [row["code"] for row in found.tables[COUNTRIES].rows]
    assert left - set(right) - {None}
    assert set(right) - left - {None}
    assert None in left
    assert len(right) != len(set(right))


def test_arms_arrays_and_boundaries_are_met() -> None:
    rows = case_of("events", "test_arms_and_boundaries").tables[ORDERS].rows
    assert {len(row["items"]) for row in rows} >= {0, 1, 2}
    expected = expected_rows(
        ALL["events"], case_of("events", "test_arms_and_boundaries").tables, made("events")[0].parameters
    )
    assert {row["kind"] for row in expected.rows} == {"dear", "cheap"}


def test_having_is_met_in_every_case() -> None:
    for case in made("many"):
        assert expected_rows(ALL["many"], case.tables, case.parameters).rows


def test_the_first_run_starts_from_nothing() -> None:
    found = case_of("self", "test_init")
    assert found.tables[OUTPUT].rows == ()
    assert any(case.tables[OUTPUT].rows for case in made("self"))


#: Slightly wrong requirements; each must expect other rows than the right one in at least one case.
WRONG: list[tuple[str, Body]] = [
    ("daily", replace(DAILY, where=None)),
    ("daily", replace(DAILY, where="orders.amount > 0")),
    ("daily", replace(DAILY, distinct=True, columns=columns("day", "region = countries.region", *(
        f"{column.name} = {column.sql}" for column in DAILY.columns[2:])))),
    ("daily", replace(DAILY, sources=(orders(filter="day <= @submission_date"), countries()))),
    ("daily", replace(DAILY, sources=(orders(filter="day >= @submission_date"), countries()))),
    ("daily", replace(DAILY, sources=(orders(filter="day = @submission_date"), countries(join="INNER")))),
    ("daily", replace(DAILY, sources=(orders(filter="day = @submission_date"), countries(join="CROSS", on=None)))),
    ("events", replace(EVENTS, where="item.sku LIKE '%'")),
    ("events", replace(EVENTS, where=None)),
    ("events", replace(EVENTS, distinct=True)),
    ("events", replace(EVENTS, columns=columns("client_id", "sku = item.sku", "place", "kind = 'cheap'"))),
    ("events", replace(EVENTS, sources=(EVENTS.sources[0], replace(EVENTS.sources[1], join="LEFT")), where=None)),
    ("latest", replace(LATEST, qualify=None)),
    ("latest", replace(LATEST, qualify="ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY at) = 1")),
    ("latest", replace(LATEST, qualify="RANK() OVER (ORDER BY at DESC) = 1")),
    ("many", replace(MANY, having=None)),
    ("many", replace(MANY, sources=(orders(),))),
    ("self", replace(SELF, where=None)),
    ("self", replace(SELF, sources=(SELF.sources[0], replace(SELF.sources[1], filter=None)))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), WRONG)
def test_wrong_requirements_are_told_apart(name: str, body: Body) -> None:
    right, wrong = ALL[name], requirements(body)
    differences = 0
    for case in made(name):
        if case.name == "test_init":
            continue
        one, other = (expected_rows(asked, case.tables, case.parameters).rows for asked in (right, wrong))
        differences += sorted(map(repr, one)) != sorted(map(repr, other))
    assert differences


def test_a_given_query_gets_rows_from_its_own_conditions() -> None:
    query = """
    {% if is_init() %} SELECT 1 {% else %}
    WITH recent AS (SELECT client_id, amount FROM `test-project.shop.orders_v1` WHERE day = @submission_date AND state = 'paid')
    SELECT client_id, region, SUM(amount) AS total
    FROM recent CROSS JOIN `shop.countries_v1` AS c WHERE c.code IN ('DE', 'FR') GROUP BY ALL
    {% endif %}
    """
    found = cases(requirements(Body(), query=query, sources=(ORDERS, COUNTRIES)), KNOWN)
    first = found[0]
    assert {row["state"] for row in first.tables[ORDERS].rows} == {"paid"}
    assert {row["day"] for row in first.tables[ORDERS].rows} == {DAY}
    assert first.tables[COUNTRIES].rows[0]["code"] in ("DE", "FR")
    assert DAY - timedelta(days=1) in values(next(case for case in found if case.name == "test_neighbour_days"), "day")


def test_an_unreadable_query_still_gets_a_row_for_every_source() -> None:
    found = cases(requirements(Body(), query="SELECT FROM WHERE (", sources=(ORDERS, COUNTRIES)), KNOWN)
    assert all(data.rows for data in found[0].tables.values())


def test_a_python_model_has_no_cases() -> None:
    asked = ALL["daily"]
    assert cases(replace(asked, request=replace(asked.request, python="an API")), KNOWN) == ()
