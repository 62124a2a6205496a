from __future__ import annotations

from collections.abc import Mapping

import pytest

from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.monitors import MONITORS, monitors_of
from etl_orchestrator.monitors.check import Subject, saved_metrics
from etl_orchestrator.monitors.collection import collection_of
from etl_orchestrator.monitors.requested import problem_of
from etl_orchestrator.monitors.tier_rule import monitoring_rule
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import TableFacts

SAVED = frozenset(
    {"is_not_null", "is_unique", "composite_key_uniqueness_2_column", "composite_key_uniqueness_3_column"}
)


def made(subject: Subject) -> list[Monitor]:
    return [monitor for _, monitor in monitors_of(subject)]


def test_names_are_given_once() -> None:
    assert len({check.name for check in MONITORS}) == len(MONITORS)
    assert all(check.about for check in MONITORS)


def test_a_table_without_keys_and_schedule_has_its_volume_watched() -> None:
    assert made(Subject(scheduled=False)) == [Monitor("VOLUME")]
    assert made(Subject(blocking_volume=True)) == [Monitor("FRESHNESS"), Monitor("VOLUME", blocking=True)]


def test_keys_by_the_metrics_of_the_repository() -> None:
    one = made(Subject(keys=("id",), saved=SAVED))[2:]
    assert one == [Monitor("is_not_null", ("id",)), Monitor("is_unique", ("id",))]
    two = made(Subject(keys=("a", "b"), partition_field="day", saved=SAVED))[2:]
    assert two == [
        Monitor("is_not_null", ("a", "b"), date_column="day"),
        Monitor("composite_key_uniqueness_2_column", ("a", "b"), date_column="day"),
    ]


def test_keys_without_saved_metrics() -> None:
    one = made(Subject(keys=("id",)))[2:]
    assert one == [Monitor("PERCENT_NULL", ("id",), upper=0), Monitor("COUNT_DUPLICATES", ("id",), upper=0)]
    assert made(Subject(keys=("a", "b")))[2:] == [Monitor("PERCENT_NULL", ("a", "b"), upper=0)]


def test_submission_date_needs_no_override() -> None:
    monitors = made(Subject(keys=("submission_date",), partition_field="submission_date", saved=SAVED))
    assert all(monitor.date_column is None for monitor in monitors)


def test_a_grain_of_four_is_checked_within_the_newest_partition() -> None:
    unique = made(Subject(keys=("submission_date", "a", "b", "c"), partition_field="submission_date", saved=SAVED))[-1]
    expected = Monitor(
        "composite_key_uniqueness_3_column", ("a", "b", "c"), lookback_days=0, date_column="submission_date"
    )
    assert unique == expected
    longer = made(Subject(keys=("a", "b", "c", "d"), saved=SAVED))
    assert [monitor.metric for monitor in longer] == ["FRESHNESS", "VOLUME", "is_not_null"]


def test_what_was_asked_for_replaces_ours() -> None:
    asked = ({"check": "volume", "blocking": True}, {"check": "MIN", "columns": "n", "lower": "1"})
    monitors = made(Subject(asked=asked))
    assert monitors == [Monitor("FRESHNESS"), Monitor("VOLUME", blocking=True), Monitor("MIN", ("n",), lower=1.0)]


def test_words_of_ours_become_metrics() -> None:
    asked = ({"check": "not_null", "columns": ["a", "b"]}, {"check": "unique", "columns": ["a", "b"]})
    saved = made(Subject(asked=asked, saved=SAVED))[2:]
    assert saved == [Monitor("is_not_null", ("a", "b")), Monitor("composite_key_uniqueness_2_column", ("a", "b"))]
    assert made(Subject(asked=asked[:1]))[2:] == [Monitor("PERCENT_NULL", ("a", "b"), upper=0)]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"check": "volume"}, ""),
        ({"check": "is_not_null", "columns": ["a"]}, ""),
        ({"check": "AVERAGE", "column": "a", "lower": 1}, ""),
        ({"check": "volume", "columns": ["a"]}, "takes no columns"),
        ({"check": "not_null"}, "needs `columns`"),
        ({"check": "unique", "columns": ["a", "b", "c", "d"]}, "no saved metric for a key of 4"),
        ({"check": "fresh"}, "no check that is known"),
        ({}, "no check that is known"),
        ({"check": "volume", "when": "now"}, "`when` is not known"),
        ({"check": "MIN", "columns": ["a"], "lower": "much"}, "`lower` is not a number"),
        ({"check": "volume", "blocking": 3.5}, "true or false"),
    ],
)
def test_what_is_wrong_with_a_requested_check(entry: Mapping[str, object], problem: str) -> None:
    found = problem_of(entry, Subject(saved=SAVED))
    assert problem in found
    assert bool(found) is bool(problem)


def test_a_check_that_cannot_be_carried_out_makes_nothing() -> None:
    assert made(Subject(asked=({"check": "fresh"},))) == made(Subject())


def test_saved_metrics_are_those_of_the_repository() -> None:
    text = "type: BIGCONFIG_FILE\nsaved_metric_definitions:\n  metrics:\n  - saved_metric_id: is_unique\n"
    assert saved_metrics(Memory(files={"sql/bigconfig.yml": text})) == {"is_unique"}
    assert saved_metrics(Memory()) == frozenset()


def test_the_collection_of_the_dataset_or_of_the_same_owners() -> None:
    def facts(name: str, collection: str, owner: str = "x@acme.example") -> TableFacts:
        table = TableRef.parse(f"acme-data.{name}")
        return TableFacts(table, "query.sql", owners=(owner,), collection=collection)

    def plan(name: str, owner: str) -> Plan:
        any_ = Decision("", "")
        table = TableRef.parse(f"acme-data.{name}")
        return Plan(table, any_, any_, any_, any_, Decision(owner, ""), any_, any_, any_, any_)

    everywhere = [facts("a.x_v1", "Ops"), facts("a.y_v1", "Ops"), facts("b.x_v1", "Shop", "ann@acme.example")]
    catalog = Memory(facts=everywhere)
    assert collection_of(plan("b.new_v1", "x@acme.example"), catalog) == "Shop"
    assert collection_of(plan("c.new_v1", "x@acme.example"), catalog) == "Ops"
    assert collection_of(plan("c.new_v1", "stranger@acme.example"), catalog) == ""
    assert collection_of(plan("b.x_v1", "x@acme.example"), catalog) == "Ops"
    assert collection_of(plan("b.new_v1", "x@acme.example"), Memory()) == ""


@pytest.mark.parametrize(
    ("asked", "tier", "consumers", "answer"),
    [
        ("auto", "tier_1", (), "yes"),
        ("auto", "tier_2", (), "yes"),
        ("auto", "tier_3", (), "no"),
        ("auto", "", (), "no"),
        ("auto", "tier_3", ("external partners",), "yes"),
        ("auto", "tier_3", ("internal",), "no"),
        ("none", "tier_1", ("dashboards",), "no"),
        (({"check": "volume"},), "tier_3", (), "yes"),
    ],
)
def test_the_tier_rule(
    asked: str | tuple[Mapping[str, object], ...], tier: str, consumers: tuple[str, ...], answer: str
) -> None:
    assert monitoring_rule(asked, tier, consumers).value == answer


def test_the_plan_shows_that_the_person_won() -> None:
    assert monitoring_rule("none", "tier_1").reason == "the requirements say none, although tier_1 tables are monitored"
