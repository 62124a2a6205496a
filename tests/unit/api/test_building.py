"""A build from the file to published files, its journal, resume, locks, and two at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from etl_orchestrator import api, intake
from etl_orchestrator.api.building import Silence
from etl_orchestrator.phase import Phase
from etl_orchestrator.run import Run

EXAMPLES = Path(__file__).parents[3] / "examples"
REQUIREMENTS = EXAMPLES / "requirements" / "city_demand_daily.yaml"
FOLDER = "sql/pedalo-data-prod/rides_derived/city_demand_daily_v1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES / "repository", tmp_path / "repository")
    return tmp_path / "repository"


def _tree(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and ".etl-orchestrator" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


class _Killer(Silence):
    """Stands in for a death of the process at the moment a room is left."""

    def __init__(self, phase: str) -> None:
        self.phase = phase
        self.visited: list[str] = []

    def left(self, run: Run) -> None:
        self.visited.append(run.visits[-1].phase)
        if run.visits[-1].phase == self.phase:
            raise KeyboardInterrupt


def test_a_build_publishes_all_files_and_a_report(root: Path) -> None:
    before = _tree(root)
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    assert (outcome.status, outcome.exit_code) == ("delivered", 0)
    made = {path: data for path, data in _tree(root).items() if path not in before}
    assert set(made) == {artifact.path for artifact in outcome.artifacts} == set(outcome.changed)
    assert {"query.sql", "schema.yaml", "metadata.yaml", "bigconfig.yml"} <= {path.rsplit("/", 1)[-1] for path in made}
    assert outcome.report is not None
    report = (root / outcome.report).read_text()
    for heading in (
        "## Configuration",
        "## Files",
        "## Phases",
        "## Evidence by gate",
        "## Next steps",
        "## The request",
    ):
        assert heading in report
    assert json.loads(json.dumps(outcome.as_dict()))["status"] == "delivered"


def test_a_dry_run_asks_all_gates_and_writes_nothing(root: Path) -> None:
    before = _tree(root)
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions(dry_run=True))
    assert outcome.status == "delivered"
    assert outcome.changed == ()
    assert _tree(root) == before
    real = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    asked = [(phase, answer.code) for phase, answer in outcome.answers]
    assert asked == [(phase, answer.code) for phase, answer in real.answers]


def test_files_that_stand_there_are_never_touched_unless_asked(root: Path) -> None:
    (root / FOLDER).mkdir(parents=True)
    (root / FOLDER / "query.sql").write_text("-- by hand\nSELECT\n  1 AS one\n")
    before = _tree(root)
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    assert [finding.code for finding in outcome.findings] == ["FIN003"]
    assert _tree(root) == before
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions(overwrite=True))
    assert outcome.status == "delivered"
    assert (root / FOLDER / "query.sql").read_bytes() != before[f"{FOLDER}/query.sql"]


def test_building_again_changes_nothing(root: Path) -> None:
    api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    before = _tree(root)
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    assert (outcome.status, outcome.changed) == ("delivered", ())
    assert _tree(root) == before


@pytest.mark.parametrize("phase", ["plan", "query", "tests", "validation", "report"])
def test_resume_repeats_no_finished_room_and_ends_with_the_same_bytes(
    phase: str, root: Path, tmp_path: Path, golden: dict[str, bytes]
) -> None:
    before = _tree(root)
    killer = _Killer(phase)
    with pytest.raises(KeyboardInterrupt):
        api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions(), killer)
    assert _tree(root) == before
    listener = _Killer("never")
    outcome = api.resume(api.Workplace(root), None, listener)
    assert outcome.status == "delivered"
    assert not set(killer.visited) & set(listener.visited)
    assert {path: data for path, data in _tree(root).items() if path not in before} == golden


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an undisturbed build."""
    root = tmp_path_factory.mktemp("golden") / "repository"
    shutil.copytree(EXAMPLES / "repository", root)
    before = _tree(root)
    api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    return {path: data for path, data in _tree(root).items() if path not in before}


def test_kill_minus_nine_then_resume(root: Path, golden: dict[str, bytes]) -> None:
    before = _tree(root)
    command = [sys.executable, "-m", "etl_orchestrator", "build", "-q", "--repo", str(root), str(REQUIREMENTS)]
    store = api.Workplace(root).store
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not store.events(kinds=("visit",)):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    outcome = api.resume(api.Workplace(root), None)
    assert outcome.status == "delivered"
    assert {path: data for path, data in _tree(root).items() if path not in before} == golden


def test_two_builds_of_one_table_at_once(root: Path) -> None:
    class Second(Silence):
        """Builds the same table while the first is in its first room."""

        outcome: object = None

        def entered(self, run: Run, phase: Phase) -> None:
            if phase.name == "plan":
                outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
                assert outcome.status == "refused"
                assert outcome.exit_code == 1
                assert "is building `pedalo-data-prod.rides_derived.city_demand_daily_v1`" in str(outcome.error)
                Second.outcome = outcome

    assert api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions(), Second()).status == "delivered"
    assert Second.outcome is not None


def test_a_batch_in_two_processes_has_one_summary(root: Path) -> None:
    paths = [REQUIREMENTS, EXAMPLES / "questions" / "no_grain.md", EXAMPLES / "requirements" / "weather_daily.yaml"]
    outcome = api.build_all(api.Workplace(root), paths, api.BuildOptions(), None, 2)
    assert [result.status for result in outcome.results] == ["delivered", "needs_answers", "delivered"]
    assert (outcome.status, outcome.exit_code) == ("needs_answers", 3)


def test_answers_complete_the_requirements_and_are_kept(root: Path) -> None:
    path = EXAMPLES / "questions" / "no_partitioning.yaml"
    options = api.BuildOptions(answers={"partitioning": "full refresh"})
    asked = api.plan(api.Workplace(root), path, api.BuildOptions())
    assert [question.element for question in asked.questions] == ["partitioning"]
    outcome = api.plan(api.Workplace(root), path, options)
    assert outcome.status == "delivered"
    assert outcome.plan is not None
    assert outcome.plan.refresh.value == "full refresh"


def test_a_run_that_never_was_and_one_that_is_done(root: Path) -> None:
    assert api.resume(api.Workplace(root), "nope").exit_code == 2
    assert api.resume(api.Workplace(root), None).exit_code == 2
    built = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    again = api.resume(api.Workplace(root), built.run)
    assert (again.status, set(again.changed)) == ("delivered", set(built.changed))
    listed = api.runs(api.Workplace(root)).data
    assert [(entry["run"], entry["status"], entry["published"]) for entry in listed] == [(built.run, "delivered", True)]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_bad_input(root: Path, name: str) -> None:
    for verb in (api.build, api.plan):
        outcome = verb(api.Workplace(root), Path(name), api.BuildOptions())
        assert (outcome.status, outcome.exit_code) == ("refused", 2)
        assert outcome.error is not None
        assert outcome.error.at == name


def test_answers_are_kept_with_the_run(root: Path) -> None:
    options = api.BuildOptions(
        dry_run=True, interview=lambda request, _: intake.apply_answers(request, {"tier": "tier_2"})
    )
    outcome = api.build(api.Workplace(root), REQUIREMENTS, options)
    kept = root / ".etl-orchestrator" / "runs" / str(outcome.run) / "answers.yaml"
    assert yaml.safe_load(kept.read_text()) == {"tier": "tier_2"}


def test_what_was_answered_stands_in_the_next_command_when_questions_remain(root: Path) -> None:
    path = EXAMPLES / "questions" / "no_grain.md"
    outcome = api.build(api.Workplace(root), path, api.BuildOptions({"notes": "two words"}))
    assert outcome.status == "needs_answers"
    assert "--answer 'notes=two words' --answer grain=…" in outcome.next


def test_an_answer_that_is_asked_again_is_not_repeated_in_the_next_command(root: Path) -> None:
    outcome = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions({"schedule": "bqetl_nowhere"}))
    assert outcome.status == "needs_answers"
    assert outcome.next.endswith(f"{REQUIREMENTS} --answer schedule=…")


def test_the_same_build_again_says_that_nothing_changed(root: Path) -> None:
    assert api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions()).changed
    again = api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions())
    assert (again.status, again.changed, again.dry_run) == ("delivered", (), False)
    assert "unchanged" in (root / str(again.report)).read_text()
    assert api.build(api.Workplace(root), REQUIREMENTS, api.BuildOptions(dry_run=True)).dry_run


WILDCARD = """\
table: rides_derived.wild_daily_v1
description: Events per day and city.
grain: [submission_date, city]
sources:
  - table: rides_external.events_*
    alias: e
    schema: [{name: city, type: STRING}, {name: ride, type: INTEGER}]
columns:
  - {name: submission_date, expression: "@submission_date", type: DATE, description: The day.}
  - {name: city, expression: e.city, description: The city.}
  - {name: n, expression: COUNT(*), description: Number of events.}
partitioning: {incremental: true, field: submission_date, type: day}
schedule: {none: by hand}
owners: [ana@acme.example]
monitoring: none
examples:
  - name: two rows
    parameters: {submission_date: "2025-06-02"}
    given:
      rides_external.events_20250602: [{City: a, ride: 1, _TABLE_SUFFIX: "20250602"}, {city: a, ride: 2}]
    expect: [{Submission_Date: "2025-06-02", city: a, n: 2}]
"""


def test_a_wildcard_with_a_declared_schema_is_proved_by_one_of_its_tables(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "wild.yaml"
    path.write_text(WILDCARD)
    outcome = api.build(api.Workplace(root), path, api.BuildOptions(dry_run=True))
    assert outcome.unchecked == ()
    # Found by its rows, typed by the wildcard's schema, run with the rows expected.
    verdicts = {answer.code: type(answer.verdict).__name__ for _, answer in outcome.answers}
    assert {verdicts[code] for code in ("TST003", "TST006", "TST010")} == {"Passed"}
    assert [name for name in (a.path.rsplit("/", 1)[-1] for a in outcome.artifacts) if "events_20250602" in name]


def test_the_suffix_of_a_wildcard_is_the_day_of_its_fixture(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "wild.yaml"
    suffix = "    filter: _TABLE_SUFFIX = FORMAT_DATE('%Y%m%d', @submission_date)\n"
    path.write_text(WILDCARD.replace("    alias: e\n", f"    alias: e\n{suffix}"))
    outcome = api.build(api.Workplace(root), path, api.BuildOptions(dry_run=True))
    assert (outcome.status, outcome.findings) == ("delivered", ())


def test_a_condition_that_a_day_is_null_is_missed_by_some_row(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "open_stations.yaml"
    path.write_text(
        "table: fleet_derived.open_stations_v1\ndescription: Open stations.\ngrain: station_id\n"
        "sources: [{table: fleet_external.stations_v1}]\nwhere: closed_on IS NULL\n"
        "columns: [{name: station_id}, {name: station_name}]\n"
        "partitioning: {incremental: false}\nschedule: {dag: bqetl_fleet}\n"
    )
    outcome = api.build(api.Workplace(root), path, api.BuildOptions(dry_run=True))
    assert outcome.status == "delivered"
    fixtures = [artifact.text for artifact in outcome.artifacts if artifact.path.endswith("stations_v1.yaml")]
    assert any("closed_on: '" in text for text in fixtures)
