"""The words in which people say how a table is cut and scheduled."""

from __future__ import annotations

import pytest

from etl_orchestrator.intake import phrases
from etl_orchestrator.requirements import Partitioning, Schedule

DAILY = Partitioning(True, "d", "day")


@pytest.mark.parametrize(
    ("text", "expected", "clustering"),
    [
        ("daily on d", DAILY, ()),
        ("Incremental, daily on `d`.", DAILY, ()),
        ("incremental, partitioned by day on d", DAILY, ()),
        ("monthly on month_start", Partitioning(True, "month_start", "month"), ()),
        ("hourly on `reported_at`", Partitioning(True, "reported_at", "hour"), ()),
        ("partitioned by d", Partitioning(True, "d"), ()),
        ("incremental", Partitioning(True), ()),
        ("daily", Partitioning(True, None, "day"), ()),
        ("full refresh", Partitioning(False), ()),
        ("Full refresh, not partitioned.", Partitioning(False), ()),
        ("not partitioned", Partitioning(False), ()),
        ("none", Partitioning(False), ()),
        ("full refresh, partitioned daily on d", Partitioning(False, "d", "day"), ()),
        ("append, daily on d", Partitioning(True, "d", "day", write="append"), ()),
        ("by ingestion time, daily", Partitioning(True, None, "day", ingestion_time=True), ()),
        ("daily on d, keep 90 days", Partitioning(True, "d", "day", 90), ()),
        ("daily on d; retention of 2 months", Partitioning(True, "d", "day", 60), ()),
        ("daily on d, expires after 1 year", Partitioning(True, "d", "day", 365), ()),
        ("daily on d, filter required", Partitioning(True, "d", "day", None, True), ()),
        ("daily on d, requires a partition filter", Partitioning(True, "d", "day", None, True), ()),
        ("daily on d, filter not required", Partitioning(True, "d", "day", None, False), ()),
        ("daily on d, no filter required", Partitioning(True, "d", "day", None, False), ()),
        ("daily on d, clustered by a", DAILY, ("a",)),
        ("daily on d, clustered by `a`, b and c, keep 7 days", Partitioning(True, "d", "day", 7), ("a", "b", "c")),
        ("clustered by a", None, ("a",)),
    ],
)
def test_partitioning(text: str, expected: Partitioning | None, clustering: tuple[str, ...]) -> None:
    cut = phrases.partitioning(text)
    assert (cut.partitioning, cut.clustering, cut.rest) == (expected, clustering, "")


@pytest.mark.parametrize(
    ("text", "rest"), [("as usual", "as usual"), ("daily on d, but only on Sundays", "but only on Sundays")]
)
def test_words_that_are_not_understood_come_back(text: str, rest: str) -> None:
    assert phrases.partitioning(text).rest == rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bqetl_sales", Schedule("bqetl_sales")),
        ("DAG: `bqetl_sales`", Schedule("bqetl_sales")),
        ("DAG bqetl_sales, daily", Schedule("bqetl_sales", "daily")),
        ("`bqetl_closing`, once a month", Schedule("bqetl_closing", "monthly")),
        ("every week", Schedule(None, "weekly")),
        ("daily, product: search", Schedule(None, "daily", "search")),
        ("hourly; product area fleet", Schedule(None, "hourly", "fleet")),
        ("none: filled by hand", Schedule(none="filled by hand")),
        ("not scheduled, it never changes", Schedule(none="it never changes")),
    ],
)
def test_schedule(text: str, expected: Schedule) -> None:
    plan = phrases.schedule(text)
    assert (plan.schedule, plan.rest) == (expected, "")


@pytest.mark.parametrize("text", ["none", "a new DAG is needed", "when there is time"])
def test_a_schedule_that_says_nothing(text: str) -> None:
    plan = phrases.schedule(text)
    assert plan.schedule is None
    assert plan.rest


@pytest.mark.parametrize(
    "text",
    ["<a word>", "`<a word>`", "<a> <b>", "see <the page <URN>>", "", "—", "n/a", "TBD", "@<handle>", "<one>, <two>"],
)
def test_placeholders(text: str) -> None:
    assert phrases.is_placeholder(text.removeprefix("see "))


@pytest.mark.parametrize("text", ["words", "a < b AND c > d", "`a`", "the <b> thing", "x <a>"])
def test_words_are_no_placeholders(text: str) -> None:
    assert not phrases.is_placeholder(text)
