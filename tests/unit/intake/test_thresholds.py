"""Large numbers of rows in `refuse_when`, made query parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from etl_orchestrator.intake.thresholds import lifted
from etl_orchestrator.requirements import Parameter, RefuseWhen, Request, Schedule


def conditions(shop: Any, text: str, *more: str, **changes: Any) -> tuple[list[str], list[Parameter], tuple[str, ...]]:
    request: Request = shop.read("description: orders")
    refusals = tuple(RefuseWhen(condition, "no") for condition in (text, *more))
    found, said = lifted(replace(request, refuse_when=refusals, **changes))
    return [one.condition for one in found.refuse_when], list(found.parameters), said


@pytest.mark.parametrize(
    ("text", "lifted_text", "name", "value"),
    [
        ("COUNT(*) < 10000", "COUNT(*) < @min_count", "min_count", "10000"),
        ("10000 >= COUNT(DISTINCT shop_id)", "@min_count >= COUNT(DISTINCT shop_id)", "min_count", "10000"),
        ("COUNTIF(a > 100) > 500 OR x > 900", "COUNTIF(a > 100) > @max_count OR x > 900", "max_count", "500"),
        ("(SELECT COUNT(*) FROM a.b) <= 41", "(SELECT COUNT(*) FROM a.b) <= @min_count", "min_count", "41"),
        ("NOT (COUNT(*) >= 1000)", "NOT (COUNT(*) >= @max_count)", "max_count", "1000"),
    ],
)
def test_a_large_count_is_a_parameter(shop: Any, text: str, lifted_text: str, name: str, value: str) -> None:
    found, parameters, said = conditions(shop, text)
    assert found == [lifted_text]
    assert parameters == [Parameter(name, "INT64", value)]
    assert said == (f"`{text}`: {value} is the query parameter @{name}, so that tests can be small",)


@pytest.mark.parametrize(
    "text",
    ["COUNT(*) < 40", "SUM(x) < 10000", "2 * COUNT(*) < 10000", "COUNT(*) < 10000 * 2", "MAX(x) > 500", "COUNT(*) < 1e6",
     "10000 < COUNT(*) + 1", "COUNT(*) / COUNT(x) > 50"],
)  # fmt: skip
def test_what_is_no_large_count_stays(shop: Any, text: str) -> None:
    assert conditions(shop, text) == ([text], [], ())


def test_names_are_taken_once(shop: Any) -> None:
    given = (Parameter("min_count", "INT64", "7"),)
    found, parameters, _ = conditions(shop, "COUNT(*) < 100 OR COUNT(x) < 200", "COUNT(*) < 300", parameters=given)
    assert found == ["COUNT(*) < @min_count_3 OR COUNT(x) < @min_count_2", "COUNT(*) < @min_count_4"]
    assert [parameter.value for parameter in parameters] == ["7", "200", "100", "300"]


def test_without_a_schedule_nobody_supplies_parameters(shop: Any) -> None:
    text = "COUNT(*) < 10000"
    assert conditions(shop, text, schedule=Schedule(none="by hand")) == ([text], [], ())
