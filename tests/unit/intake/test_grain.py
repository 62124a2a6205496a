"""Which columns the words of a grain name."""

from __future__ import annotations

import pytest

from etl_orchestrator.intake import grain
from etl_orchestrator.requirements import Body, Column

NAMES = ["submission_date", "client_id", "country_code", "topic", "order_count"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("one row per client_id and submission_date", ("client_id", "submission_date")),
        ("One row per `client_id` and `submission_date`.", ("client_id", "submission_date")),
        ("one row per client and day", ("client_id", "submission_date")),
        ("One row per client per day", ("client_id", "submission_date")),
        ("one row per day, client and country", ("submission_date", "client_id", "country_code")),
        ("One row for each topic on each day, that is per submission_date and topic.", ("topic", "submission_date")),
        ("one row per client_id, for clients with a topic in the last 28 days", ("client_id",)),
        ("one row per client (of any country) and", ("client_id",)),
        ("client_id, topic", ("client_id", "topic")),
        ("unique by client_id", ("client_id",)),
        ("CLIENT_ID x day", ("client_id",)),
    ],
)
def test_recognised(words: str, expected: tuple[str, ...]) -> None:
    keys = grain.recognise(words, NAMES, "submission_date")
    assert keys.names == expected


@pytest.mark.parametrize(
    ("words", "strange"),
    [
        ("one row per client and region", ("region",)),
        ("client_id, regoin", ("regoin",)),
        ("one row per visit", ("visit",)),
        ("the users", ()),
    ],
)
def test_words_that_name_no_column_are_told(words: str, strange: tuple[str, ...]) -> None:
    assert grain.recognise(words, NAMES, "submission_date").strange == strange


def test_day_needs_one_column_of_days() -> None:
    names = ["first_date", "last_date", "client_id"]
    assert grain.recognise("one row per day", names).names == ()
    assert grain.recognise("one row per day", names, "last_date").names == ("last_date",)
    assert grain.recognise("one row per month and hour", ["month_start", "sent_hour"]).names == (
        "month_start",
        "sent_hour",
    )


def test_grouping() -> None:
    body = Body(columns=(Column("a"), Column("b", "SUM(x) OVER ()"), Column("n", "COUNT(*)")))
    assert grain.is_grouped(body)
    assert grain.group_keys(body) == ["a", "b"]
    assert not grain.is_grouped(Body(columns=(Column("a"), Column("b", "(SELECT COUNT(*) FROM t)"))))
    assert grain.is_grouped(Body(columns=(Column("a"),), having="COUNT(*) > 1"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@submission_date", True),
        ("'x'", True),
        ("DATE_SUB(@submission_date, INTERVAL 1 DAY)", True),
        ("a", False),
        (None, False),
        ("(SELECT MAX(x) FROM d.t)", False),
        ("COUNT(*)", False),
    ],
)
def test_constants(expression: str | None, expected: bool) -> None:
    assert grain.is_constant(Column("x", expression)) is expected
