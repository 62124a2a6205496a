"""Groups on each side of a HAVING, keys that move together with their partners."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.proving.material import COUNTRIES, ORDERS, SCHEMAS, columns, countries, orders, requirements

from etl_orchestrator.proving.fixtures import MAX_CASES, MAX_ROWS, Case, cases
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.requirements import Body

SMALL = Body(
    (orders(filter="day = @submission_date AND amount IS NOT NULL"),),
    columns("client_id", "lowest = MIN(orders.amount)", "n = COUNT(*)"),
    having="MIN(orders.amount) < 15",
)


def case_of(body: Body, name: str) -> Case:
    return next(case for case in cases(requirements(body), SCHEMAS) if case.name == name)


def expected(body: Body, case: Case) -> list[str]:
    return sorted(
        repr(sorted(row.items())) for row in expected_rows(requirements(body), case.tables, {**case.parameters}).rows
    )


@pytest.mark.parametrize(
    ("having", "inside", "outside"),
    [
        ("MIN(orders.amount) < 15", 14, 15),
        ("MAX(orders.amount) <= 15", 15, 16),
        ("SUM(orders.amount) > 15", 16, 15),
        ("AVG(orders.amount) >= 15", 15, 14),
    ],
)
def test_a_group_stands_on_each_side_of_having(having: str, inside: int, outside: int) -> None:
    body = replace(SMALL, having=having)
    found = case_of(body, "test_groups_left_out")
    clients = {row["amount"]: row["client_id"] for row in found.tables[ORDERS].rows}
    assert {inside, outside} <= set(clients)
    kept = {row["client_id"] for row in expected_rows(requirements(body), found.tables, found.parameters).rows}
    assert clients[inside] in kept
    assert clients[outside] not in kept


@pytest.mark.parametrize(
    "wrong", ["MIN(orders.amount) <= 15", "MIN(orders.amount) < 14", "MIN(orders.amount) < 16", "TRUE"]
)
def test_a_slightly_wrong_having_is_noticed(wrong: str) -> None:
    found = case_of(SMALL, "test_groups_left_out")
    assert expected(SMALL, found) != expected(replace(SMALL, having=wrong), found)


@pytest.mark.parametrize("wrong", ["COUNT(*) >= 4", "TRUE"])
def test_a_group_one_row_too_small_is_left_out(wrong: str) -> None:
    body = replace(SMALL, having="COUNT(*) >= 5")
    found = case_of(body, "test_groups_left_out")
    sizes = [row["client_id"] for row in found.tables[ORDERS].rows]
    assert 4 in {sizes.count(client) for client in sizes}
    assert expected(body, found) != expected(replace(body, having=wrong), found)


def test_a_key_moves_together_with_its_partner() -> None:
    body = Body(
        (orders(filter="day = @submission_date"), countries(join="INNER")),
        columns("country = orders.country", "region = ANY_VALUE(countries.region)", "n = COUNT(*)"),
    )
    found = case_of(body, "test_happy_path")
    keys = {row["country"] for row in found.tables[ORDERS].rows} - {None}
    assert len(keys) > 1
    assert keys <= {row["code"] for row in found.tables[COUNTRIES].rows}
    assert len(expected(body, found)) > 1


def test_a_condition_between_two_partners_of_one_table_is_missed_alone() -> None:
    body = Body(
        (
            orders(filter="day = @submission_date"),
            countries(alias="home", join="INNER", on="orders.country = home.code"),
            countries(alias="away", join="INNER", on="orders.state = away.code"),
        ),
        columns("client_id", "region = home.region"),
        where="home.code != away.code",
    )
    found = cases(requirements(body), SCHEMAS)
    assert any(expected(body, case) != expected(replace(body, where=None), case) for case in found)


def test_numbers_stay_small_and_tell_their_columns_apart() -> None:
    body = Body((orders(filter="day = @submission_date"),), columns("client_id", "total = SUM(orders.amount)"))
    amounts = [row.get("amount") for row in case_of(body, "test_happy_path").tables[ORDERS].rows]
    assert set(amounts) <= {None, 1, 2, 4, 8, 16, 32, 64}


def test_having_keeps_the_budget() -> None:
    for having in ("COUNT(*) >= 5", "MIN(orders.amount) < 15"):
        found = cases(requirements(replace(SMALL, having=having)), SCHEMAS)
        assert len(found) <= MAX_CASES
        assert all(sum(len(data.rows) for data in case.tables.values()) <= MAX_ROWS for case in found)
