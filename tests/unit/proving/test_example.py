"""A worked example of the requirements as a typed test."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.unit.proving.material import COUNTRIES, ORDERS, SCHEMAS, columns, countries, orders, requirements

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.proving.example import test_of as made_of  # not a test of pytest's
from etl_orchestrator.requirements import Body, Example, Parameter
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import ParameterValue

REQUIRED = requirements(Body((orders(), countries()), columns("day", "total = SUM(orders.amount)")))
OUTPUT = (Field("day", "DATE"), Field("total", "INTEGER"), Field("tags", "STRING", "REPEATED"))
EXAMPLE = Example(
    "A day, two orders!",
    {str(ORDERS): ({"day": "2025-06-02", "amount": "3", "items": [{"sku": "a", "price": "2"}]}, {"country": None})},
    ({"day": "2025-06-02", "total": "3", "tags": ["x"]},),
    {"submission_date": "2025-06-02"},
)


def test_cells_are_typed_by_the_schemas_and_tables_not_given_are_empty() -> None:
    test = made_of(EXAMPLE, REQUIRED, SCHEMAS, OUTPUT)
    assert test.name == "test_a_day_two_orders"
    assert test.tables[ORDERS].rows == (
        {"day": date(2025, 6, 2), "amount": 3, "items": [{"sku": "a", "price": 2}]},
        {"country": None},
    )
    assert test.tables[COUNTRIES].rows == ()
    assert test.parameters == {"submission_date": ParameterValue("DATE", date(2025, 6, 2))}
    assert test.expect == ({"day": date(2025, 6, 2), "total": 3, "tags": ["x"]},)
    assert test.schema == OUTPUT


def test_a_parameter_has_its_declared_type_or_is_text() -> None:
    declared = replace(REQUIRED, parameters=(Parameter("days", "ARRAY<INT64>", "[1]"),))
    test = made_of(replace(EXAMPLE, parameters={"days": ["1", "2"], "free": "3"}), declared, SCHEMAS, OUTPUT)  # type: ignore[dict-item]
    assert test.parameters == {
        "days": ParameterValue("ARRAY<INT64>", [1, 2]),
        "free": ParameterValue("STRING", "3"),
    }


def test_a_table_may_be_given_without_its_project() -> None:
    test = made_of(replace(EXAMPLE, given={"shop.orders_v1": ({"amount": "3"},)}), REQUIRED, SCHEMAS, OUTPUT)
    assert test.tables[ORDERS].rows == ({"amount": 3},)


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (replace(EXAMPLE, expect=({"totel": "3"},)), "`totel`, which is no column there"),
        (replace(EXAMPLE, given={str(ORDERS): ({"zzz": "3", "amuont": "3"},)}), "`amuont`, which is no column"),
        (replace(EXAMPLE, expect=({"total": "three"},)), "three"),
        (replace(EXAMPLE, given={str(ORDERS): ({"day": "2025-02-30"},)}), "2025-02-30"),
        (replace(EXAMPLE, parameters={"submission_date": "yesterday"}), "yesterday"),
    ],
    ids=["unknown output", "unknown input", "mistyped output", "no such day", "mistyped parameter"],
)
def test_what_does_not_fit_is_refused_at_the_examples(example: Example, said: str) -> None:
    required = replace(REQUIRED, request=replace(REQUIRED.request, lines={"examples": 12}))
    with pytest.raises(InvalidInput, match=said) as caught:
        made_of(example, required, SCHEMAS, OUTPUT)
    assert caught.value.at == "x.yaml:12"


def test_names_of_columns_are_the_same_in_any_case() -> None:
    example = replace(EXAMPLE, given={str(ORDERS): ({"AMOUNT": "3"},)}, expect=({"Total": "3"},))
    test = made_of(example, REQUIRED, SCHEMAS, OUTPUT)
    assert (test.tables[ORDERS].rows, test.expect) == (({"amount": 3},), ({"total": 3},))


def test_rows_of_one_table_of_a_wildcard_are_rows_of_the_wildcard_without_its_suffix() -> None:
    events = TableRef("test-project", "shop", "events_*")
    given = {"shop.events_20240229": ({"amount": "3", "_TABLE_SUFFIX": "20240229"},)}
    test = made_of(replace(EXAMPLE, given=given), REQUIRED, {events: SCHEMAS[ORDERS]}, OUTPUT)
    assert {table: data.rows for table, data in test.tables.items()} == {events: ({"amount": 3},)}


def test_a_pseudo_column_is_no_column_of_the_output() -> None:
    with pytest.raises(InvalidInput, match="_PARTITIONTIME"):
        made_of(replace(EXAMPLE, expect=({"_PARTITIONTIME": "x"},)), REQUIRED, SCHEMAS, OUTPUT)
