"""check of many tables: nothing asked twice that has not changed, several processes, one summary."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etl_orchestrator import api
from etl_orchestrator.catalogs import answers
from etl_orchestrator.outcome import Outcome

PROJECT = "sql/pedalo-data-prod"
RIDES = f"{PROJECT}/rides_derived/city_rides_daily_v1"
TABLE = "pedalo-data-prod.rides_derived.city_rides_daily_v1"

Edit = Callable[[str, str, str], None]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled engine stays where it is; what is kept of the repository must not outlive the test."""
    monkeypatch.setattr(answers, "folder", lambda: tmp_path / "cache")


def _asked_nothing(monkeypatch: pytest.MonkeyPatch, check: Callable[[], Outcome]) -> Outcome:
    def fail(*_: object) -> None:
        raise AssertionError("a gate was asked")

    with monkeypatch.context() as patched:
        patched.setattr("etl_orchestrator.driver.ask", fail)
        return check()


def _but_seconds(outcome: Outcome) -> dict[str, Any]:
    return {**outcome.as_dict(), "seconds": None}


def test_what_has_not_changed_is_not_asked_again(workplace: api.Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    first = api.check(workplace, [TABLE])
    assert first.answers
    again = _asked_nothing(monkeypatch, lambda: api.check(workplace, [TABLE]))
    assert (again.status, again.answers, again.artifacts) == (first.status, first.answers, first.artifacts)


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        (f"{RIDES}/query.sql", "COUNT(*) AS ride_count", "COUNT(*) + 1 AS ride_count", "TST006"),
        (f"{RIDES}/metadata.yaml", "dag_name: bqetl_rides", "dag_name: bqetl_nowhere", "MET014"),
        (f"tests/{RIDES}/test_two_cities/expect.yaml", "ride_count: 3", "ride_count: 4", "TST006"),
        (f"{PROJECT}/rides_external/rides_v1/schema.yaml", "name: price", "name: prize", "QRY002"),
        ("dags.yaml", "bqetl_rides:", "bqetl_rides_2:", "MET014"),
    ],
    ids=["the query", "its metadata", "a test", "the schema of a source", "the DAGs"],
)
def test_what_a_gate_looks_at_is_asked_again_when_it_changes(
    workplace: api.Workplace, edit: Edit, file: str, old: str, new: str, code: str
) -> None:
    assert api.check(workplace, [TABLE]).status == "delivered"
    edit(file, old, new)
    assert code in {finding.code for finding in api.check(workplace, [TABLE]).findings}


def test_the_lists_of_the_settings_are_looked_at_too(workplace: api.Workplace, edit: Edit) -> None:
    query = f"{RIDES}/query.sql"
    edit(query, "COUNT(*) AS ride_count", "count(*)  AS ride_count")

    def codes() -> set[str]:
        anew = api.Workplace(workplace.root)  # the settings are read once by each
        return {finding.code for finding in api.check(anew, [TABLE]).findings}

    assert "QRY006" in codes()
    edit("bqetl_project.yaml", "    - sql/pedalo-data-prod/**/script.sql", f"    - {query}")
    assert "QRY006" not in codes()


def test_many_are_asked_in_several_processes_with_one_summary(tmp_path: Path, workplace: api.Workplace) -> None:
    root = tmp_path / "repository"
    shutil.copytree(workplace.root, root)
    for number in range(16):
        shutil.copytree(root / RIDES, root / f"{PROJECT}/rides_derived/city_rides_{number}_daily_v1")
    (root / f"{PROJECT}/rides_derived/city_rides_3_daily_v1/metadata.yaml").write_bytes(b"\xff")
    told: list[str] = []
    many = api.Workplace(root)
    outcome = api.check(many, [f"{PROJECT}/rides_derived"], jobs=2, say=told.append)
    alone = api.check(many, [f"{PROJECT}/rides_derived"], jobs=1)
    assert [_but_seconds(result) for result in outcome.results] == [_but_seconds(result) for result in alone.results]
    assert outcome.data == alone.data
    assert outcome.data["models"] == len(outcome.results) >= 17
    assert {"code": "MON005", "name": "foreign_table", "models": 15} in outcome.data["open"]
    refused = [result for result in outcome.results if result.status == "refused"]
    assert [result.table for result in refused] == ["pedalo-data-prod.rides_derived.city_rides_3_daily_v1"]
