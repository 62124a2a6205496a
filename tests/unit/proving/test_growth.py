"""Rows for conditions on many rows: what HAVING asks for, what `refuse_when` forbids."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.proving.material import ORDERS, SCHEMAS, columns, countries, orders, requirements

from etl_orchestrator.proving.fixtures import blocking, cases, guard_cases
from etl_orchestrator.proving.oracle import Reading, expected_rows
from etl_orchestrator.requirements import Body, Parameter, RefuseWhen, Requirements, Source, Step

TOTALS = Body((orders(filter="day = @submission_date"),), columns("client_id", "amount = SUM(amount)"))


def kept(asked: Requirements) -> int:
    """The rows that the first case expects."""
    case = cases(asked, SCHEMAS)[0]
    return len(expected_rows(asked, case.tables, case.parameters).rows)


@pytest.mark.parametrize(
    "having",
    [
        "SUM(amount) > 1",
        "SUM(amount) > 1000",
        "amount > 1000",
        "MAX(amount) > 77 AND AVG(amount) < 500",
        "SUM(amount) BETWEEN 50 AND 100000 AND COUNT(*) > 2",
        "COUNTIF(state = 'failed') >= 2 AND COUNTIF(state = 'ok') >= 2",
        "COUNT(DISTINCT country) >= 3",
    ],
)
def test_some_group_meets_having(having: str) -> None:
    assert kept(requirements(replace(TOTALS, having=having))) > 0


def test_a_step_with_having_passes_a_group_on() -> None:
    step = Step("heavy", replace(TOTALS, having="SUM(amount) > 5000"))
    body = Body((Source("heavy", "heavy"),), columns("client_id", "amount"))
    assert kept(requirements(body, step)) > 0


def test_a_step_with_having_is_matched_by_an_outer_join() -> None:
    step = Step("heavy", replace(TOTALS, having="COUNT(*) >= 3"))
    heavy = Source("heavy", "heavy", join="LEFT", on="orders.client_id = heavy.client_id")
    body = Body(
        (orders(filter="day = @submission_date"), heavy), columns("client_id = orders.client_id", "heavy.amount")
    )
    asked = requirements(body, step)
    case = cases(asked, SCHEMAS)[0]
    assert any(row["heavy.amount"] for row in expected_rows(asked, case.tables, case.parameters).rows)


@pytest.mark.parametrize(
    "condition",
    [
        "COUNT(*) = 0",
        "COUNT(*) < 3",
        "COUNT(*) < 20",
        "MAX(orders.amount) < 100000",
        "COUNT(DISTINCT orders.client_id) < 5",
        "COUNTIF(orders.state = 'failed') > COUNT(*) / 2",
        "MAX(total) < 100000",
        "total > 1000000",
        "@submission_date < DATE '2020-01-01'",
    ],
)
def test_a_run_is_let_through_and_a_run_is_refused(condition: str) -> None:
    body = replace(TOTALS, columns=columns("client_id", "total = SUM(amount)"))
    asked = requirements(body, refuse_when=(RefuseWhen(condition, "too little"),))
    assert kept(asked) > 0
    (guard,) = guard_cases(asked, SCHEMAS)
    if condition.startswith("@"):
        assert guard.case is None  # the day of a test is no row of it
        return
    assert guard.case is not None
    assert Reading(asked, guard.case.tables, guard.case.parameters).guards()[0].fires


def test_every_guard_has_rows_of_its_own() -> None:
    asked = requirements(
        TOTALS, refuse_when=(RefuseWhen("COUNT(*) < 2", "few"), RefuseWhen("MIN(orders.amount) < 0", "negative"))
    )
    assert kept(asked) > 0
    assert [guard.case is not None for guard in guard_cases(asked, SCHEMAS)] == [True, True]


def test_a_guard_counts_what_is_read_not_what_comes_out() -> None:
    asked = requirements(
        replace(TOTALS, columns=columns("n = COUNT(*)")), refuse_when=(RefuseWhen("COUNT(*) < 3", "few"),)
    )
    case = cases(asked, SCHEMAS)[0]
    assert len(case.tables[ORDERS].rows) >= 3
    assert len(expected_rows(asked, case.tables, case.parameters).rows) == 1


def test_a_guard_that_no_readable_case_passes_is_named() -> None:
    asked = requirements(TOTALS, refuse_when=(RefuseWhen("COUNT(*) < 10000", "few"), RefuseWhen("COUNT(*) < 2", "few")))
    assert blocking(asked, SCHEMAS) == ("COUNT(*) < 10000",)
    assert blocking(requirements(TOTALS), SCHEMAS) == ()


def test_a_large_number_that_is_a_parameter_is_a_small_one_in_the_tests() -> None:
    asked = requirements(TOTALS, refuse_when=(RefuseWhen("COUNT(*) < @minimum", "few"),))
    asked = replace(asked, parameters=(*asked.parameters, Parameter("minimum", "INT64", "10000")))
    assert blocking(asked, SCHEMAS) == ()
    case = cases(asked, SCHEMAS)[0]
    assert case.parameters["minimum"].value == 2
    assert "@minimum is 2 here and 10000 in the requirements" in case.comments["query_params"]
    assert len(expected_rows(asked, case.tables, case.parameters).rows) > 0
    (guard,) = guard_cases(asked, SCHEMAS)
    assert guard.case is not None
    elsewhere = replace(asked, request=replace(asked.request, refuse_when=()))
    assert cases(elsewhere, SCHEMAS)[0].parameters["minimum"].value == 10000


def test_new_keys_bring_their_partners() -> None:
    body = Body(
        (orders(filter="day = @submission_date"), countries(join="INNER")),
        columns("country = orders.country", "region = ANY_VALUE(countries.region)", "n = COUNT(*)"),
    )
    asked = requirements(body, refuse_when=(RefuseWhen("COUNT(DISTINCT countries.code) < 4", "few"),))
    assert kept(asked) >= 4
