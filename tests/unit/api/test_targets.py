"""check, validate, schema and test of what stands in a repository, by table, folder and file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from etl_orchestrator import api
from etl_orchestrator.outcome import Outcome

EXAMPLES = Path(__file__).parents[3] / "examples"
PROJECT = "sql/pedalo-data-prod"
RIDES = f"{PROJECT}/rides_derived/city_rides_daily_v1"
TABLE = "pedalo-data-prod.rides_derived.city_rides_daily_v1"
EXPECT = f"tests/{RIDES}/test_two_cities/expect.yaml"
FIXTURE = f"tests/{RIDES}/test_two_cities/pedalo-data-prod.rides_external.rides_v1.yaml"

Edit = Callable[[str, str, str], None]


def _tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def _tables(outcome: Outcome) -> list[str | None]:
    return [one.table for one in outcome.results] if outcome.results else [outcome.table]


def test_a_model_that_stands_well_passes_every_gate_and_nothing_is_written(workplace: api.Workplace) -> None:
    before = _tree(workplace.root)
    outcome = api.check(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code, outcome.table) == ("delivered", 0, TABLE)
    rooms = {phase for phase, _ in outcome.answers}
    assert rooms == {"plan", "query", "metadata", "tests", "monitoring", "validation"}
    assert len({answer.code for _, answer in outcome.answers}) == len(outcome.answers)
    assert _tree(workplace.root) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        (f"{RIDES}/query.sql", "COUNT(*) AS ride_count", "COUNT(*) + 1 AS ride_count", "TST006"),
        (f"{RIDES}/query.sql", "  COUNT(*)", "    COUNT(*)", "QRY006"),
        (f"{RIDES}/query.sql", "SUM(price)", "SUM(prize)", "QRY002"),
        (f"{RIDES}/schema.yaml", "description: Number of rides.", "description: ''", "MET"),
        (f"{RIDES}/metadata.yaml", "dag_name: bqetl_rides", "dag_name: bqetl_nowhere", "MET"),
        (EXPECT, "ride_count: 3", "ride_count: 4", "TST006"),
        (EXPECT, "ride_count: 3", "rides: 3", "TST"),
        (FIXTURE, "distance_m: 2500", "distance_m: far", "TST"),
    ],
    ids=[
        "wrong rows", "not formatted", "no such column", "no description", "unknown DAG", "wrong expectation",
        "misspelt expectation", "fixture of a wrong type",
    ],
)  # fmt: skip
def test_a_model_broken_by_hand_is_found_out(
    file: str, old: str, new: str, code: str, workplace: api.Workplace, edit: Edit
) -> None:
    edit(file, old, new)
    outcome = api.check(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    assert any(found.startswith(code) for found in _codes(outcome)), outcome.findings
    assert all(finding.message and finding.at and finding.fix for finding in outcome.findings)


@pytest.mark.parametrize(
    "target",
    [TABLE, f"`{TABLE}`", TABLE.partition(".")[2], RIDES, f"{RIDES}/", f"{RIDES}/query.sql", f"tests/{RIDES}", EXPECT],
)
def test_the_ways_to_name_one_table(target: str, workplace: api.Workplace) -> None:
    assert _tables(api.check(workplace, [target])) == [TABLE]


def test_an_absolute_path_names_a_table(workplace: api.Workplace) -> None:
    assert _tables(api.check(workplace, [str(workplace.root / RIDES)])) == [TABLE]


def test_a_path_is_seen_from_the_current_folder_first(
    workplace: api.Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace.root / PROJECT / "rides_derived")
    assert _tables(api.check(workplace, ["city_rides_daily_v1"])) == [TABLE]


def test_a_folder_names_all_tables_below_it_and_each_is_asked_once(workplace: api.Workplace) -> None:
    outcome = api.check(workplace, [TABLE, f"{PROJECT}/rides_derived", f"{RIDES}/query.sql"])
    assert _tables(outcome) == [TABLE, "pedalo-data-prod.rides_derived.rider_days_v1"]
    assert outcome.status == "open"  # the second one has no test


@pytest.mark.parametrize("verb", [api.check, api.validate, api.schema, api.test])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("rides_derived.nothing_v1", "there is no table `pedalo-data-prod.rides_derived.nothing_v1`"),
        ("dags.yaml", "there is no table"),
        ("bigquery_etl", "there is no table"),
        ("nowhere/query.sql", "there is no file or folder `nowhere/query.sql`"),
        ("sql/nowhere", "there is no file or folder"),
        ("qeury.sql", "there is no file or folder"),
        ("rides_derived.rides_*", "wildcard"),
        ("../../../nowhere", "there is no file or folder"),
        ("", "is not a table name"),
        ("x" * 5000, "is not a table name"),
        ("/", "outside the repository"),
    ],
)
def test_a_target_that_names_no_table_is_bad_input(
    verb: Callable[[api.Workplace, list[str]], Outcome],
    target: str,
    said: str,
    workplace: api.Workplace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = verb(workplace, [target])
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert said in str(outcome.error)


@pytest.mark.parametrize("verb", [api.check, api.validate, api.lineage])
def test_the_nearest_table_is_named(
    verb: Callable[[api.Workplace, list[str]], Outcome], workplace: api.Workplace
) -> None:
    outcome = verb(workplace, ["rides_derived.city_rides_dayly_v1"])
    assert outcome.error is not None
    assert outcome.error.fix == f"did you mean `{TABLE}`?"


def test_what_lies_outside_of_the_repository_is_refused(workplace: api.Workplace, tmp_path: Path) -> None:
    file = tmp_path / "sql" / "a-project" / "b" / "c_v1" / "query.sql"
    file.parent.mkdir(parents=True)
    file.write_text("select 1\n")
    (workplace.root / "leads_out").symlink_to(tmp_path)
    try:
        for target in (str(file), str(file.parent), "leads_out/sql"):
            for outcome in (
                api.check(workplace, [target]),
                api.format_sql_files(workplace, [target]),
                api.schema(workplace, [target], write=True),
            ):
                assert (outcome.status, outcome.exit_code) == ("refused", 2), target
                assert "outside the repository" in str(outcome.error)
    finally:
        (workplace.root / "leads_out").unlink()
    assert file.read_text() == "select 1\n"


def test_validate_tells_columns_and_tables(workplace: api.Workplace) -> None:
    outcome = api.validate(workplace, [TABLE])
    assert outcome.status == "delivered"
    assert outcome.data["tables"] == ["pedalo-data-prod.rides_external.rides_v1"]
    assert outcome.data["columns"][0] == {"name": "submission_date", "type": "DATE", "mode": "NULLABLE"}


def test_validate_points_at_the_place(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "SUM(price)", "SUM(prize)")
    outcome = api.validate(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    (finding,) = outcome.findings
    assert (finding.code, finding.owner) == ("QRY002", "query")
    assert finding.at == f"{RIDES}/query.sql:9:7"
    assert "prize" in finding.message


def test_a_folder_is_validated_where_there_are_queries(workplace: api.Workplace) -> None:
    outcome = api.validate(workplace, [PROJECT])
    assert outcome.status == "delivered"
    assert len(outcome.results) == len(list((workplace.root / PROJECT).rglob("query.sql"))) > 1
    alone = api.validate(workplace, ["static.cities_v1"])
    assert (alone.status, alone.exit_code) == ("unchecked", 4)
    assert "no query.sql" in str(alone.error)
    none = api.validate(workplace, [f"{PROJECT}/static"])
    assert (none.status, none.exit_code) == ("refused", 2)


def test_a_query_on_a_table_that_nobody_knows_is_unchecked(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "rides_external.rides_v1", "rides_external.secret_v1")
    outcome = api.validate(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code) == ("unchecked", 4)
    assert "secret_v1" in str(outcome.error)


def test_schema_shows_and_writes_only_when_asked(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "  SUM(price) AS gross_price", "  SUM(price) AS gross_price,\n  MIN(price) AS least")
    edit(f"{RIDES}/schema.yaml", "fields:", "fields:")  # put back afterwards
    before = _tree(workplace.root)
    shown = api.schema(workplace, [TABLE])
    assert (shown.status, shown.changed, shown.data["differs"]) == ("delivered", (), True)
    assert "  - name: least\n    type: NUMERIC\n    mode: NULLABLE\n" in shown.data["text"]
    least = shown.data["text"].partition("- name: least\n")[2].partition("- name:")[0]
    assert "description" not in least
    described = api.schema(workplace, [TABLE], describe=True).data["text"]
    assert "description" in described.partition("- name: least\n")[2].partition("- name:")[0]
    assert "Number of different riders; guests are not counted." in shown.data["text"]
    assert _tree(workplace.root) == before
    written = api.schema(workplace, [TABLE], write=True)
    assert written.changed == (f"{RIDES}/schema.yaml",)
    assert (workplace.root / RIDES / "schema.yaml").read_text() == written.data["text"]
    again = api.schema(workplace, [TABLE], write=True)
    assert (again.changed, again.data["differs"]) == ((), False)


def test_schema_of_a_view(workplace: api.Workplace) -> None:
    view = workplace.root / f"{PROJECT}/rides/city_rides_daily/view.sql"
    view.parent.mkdir(parents=True)
    view.write_text(f"CREATE VIEW `pedalo-data-prod.rides.city_rides_daily` AS SELECT * FROM `{TABLE}`")
    try:
        shown = api.schema(workplace, [str(view)])
        described = api.schema(workplace, [str(view)], describe=True)
    finally:
        shutil.rmtree(view.parent.parent)
    assert shown.status == "delivered", shown.error
    assert "- name: submission_date\n  type: DATE\n" in shown.data["text"]
    assert "description" not in shown.data["text"]
    assert "Number of rides." in described.data["text"]


def test_schema_keeps_what_agrees_and_describes_what_is_asked(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/schema.yaml", "description: Number of rides.", "description: '' # to do")
    before = (workplace.root / RIDES / "schema.yaml").read_text()
    assert api.schema(workplace, [TABLE], write=True).changed == ()
    assert api.schema(workplace, [TABLE], write=True, describe=True).changed == (f"{RIDES}/schema.yaml",)
    after = (workplace.root / RIDES / "schema.yaml").read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == ["    description: '' # to do"]
    assert "description: ''" not in after


def test_schema_of_a_broken_query_writes_nothing(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "SUM(price)", "SUM(prize)")
    before = _tree(workplace.root)
    outcome = api.schema(workplace, [TABLE], write=True)
    assert outcome.status != "delivered"
    assert _tree(workplace.root) == before


def test_tests_run_and_tell_each_verdict(workplace: api.Workplace) -> None:
    outcome = api.test(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code) == ("delivered", 0)
    (entry,) = outcome.data
    assert (entry["test"], entry["status"], entry["verdict"], entry["detail"]) == (
        "test_two_cities",
        "passed",
        "passed",
        "",
    )
    assert entry["path"].endswith("city_rides_daily_v1/test_two_cities")


def test_a_wrong_query_fails_its_test_cell_by_cell(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "COUNT(*) AS ride_count", "COUNT(*) + 1 AS ride_count")
    outcome = api.test(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code, _codes(outcome)) == ("open", 1, {"TST006"})
    (entry,) = outcome.data
    assert entry["verdict"] == "failed (logic)"
    assert "row 1, ride_count: expected 3, got 4" in entry["detail"]


def test_a_table_read_without_a_fixture_stops_the_test(workplace: api.Workplace, edit: Edit) -> None:
    cities = "city_code IN (SELECT city_code FROM `pedalo-data-prod.static.cities_v1`)"
    edit(f"{RIDES}/query.sql", "ended_at IS NOT NULL", f"ended_at IS NOT NULL\n  AND {cities}")
    outcome = api.test(workplace, [TABLE])
    assert "TST002" in _codes(outcome)
    assert outcome.data[0]["verdict"] == "failed (fixture)"


def test_a_query_that_is_refused_fails_its_tests(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "SUM(price)", "SUM(prize)")
    outcome = api.test(workplace, [TABLE])
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    assert outcome.data[0]["verdict"] == "failed (error)"
    assert "prize" in outcome.data[0]["detail"]


def test_a_folder_is_tested_where_there_are_tests(workplace: api.Workplace) -> None:
    outcome = api.test(workplace, [str(workplace.root)])
    assert (outcome.status, outcome.table) == ("delivered", TABLE)
    alone = api.test(workplace, ["rides_derived.rider_days_v1"])
    assert (alone.status, alone.exit_code) == ("refused", 2)
    assert "there are no SQL tests" in str(alone.error)
    none = api.test(workplace, [str(workplace.root)], api.Selection("no_such_test"))
    assert "no test fits `-k no_such_test`" in str(none.error)
