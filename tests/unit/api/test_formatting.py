"""The verb `format`: in place, as a check, as a diff, and from text to text."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from etl_orchestrator import api
from etl_orchestrator.outcome import Outcome

EXAMPLES = Path(__file__).parents[3] / "examples"
PROJECT = "sql/pedalo-data-prod"
RIDES = f"{PROJECT}/rides_derived/city_rides_daily_v1"

Edit = Callable[[str, str, str], None]


def _tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def test_format_check_names_the_line_and_changes_nothing(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "  COUNT(*)", "    count(*)")
    before = _tree(workplace.root)
    outcome = api.format_sql_files(workplace, ["sql"], check_only=True)
    assert (outcome.status, outcome.exit_code, _codes(outcome)) == ("open", 1, {"QRY006"})
    (finding,) = outcome.findings
    assert finding.at == f"{RIDES}/query.sql:6"
    assert finding.fix == f"etl-orchestrator format {RIDES}/query.sql"
    assert outcome.data == {
        "files": len(list(workplace.root.rglob("*.sql"))),
        "changed": [f"{RIDES}/query.sql"],
    }
    assert _tree(workplace.root) == before


def test_format_mends_the_file_and_then_has_nothing_to_do(workplace: api.Workplace, edit: Edit) -> None:
    query = workplace.root / RIDES / "query.sql"
    good = query.read_text()
    edit(f"{RIDES}/query.sql", "  COUNT(*)", "    count(*)")
    outcome = api.format_sql_files(workplace, [RIDES])
    assert (outcome.status, outcome.data) == ("delivered", {"files": 1, "changed": [f"{RIDES}/query.sql"]})
    assert query.read_text() == good
    assert api.format_sql_files(workplace, [RIDES]).data == {"files": 1, "changed": []}
    assert api.format_sql_files(workplace, [RIDES], check_only=True).status == "delivered"


def test_format_leaves_what_it_cannot_read_and_formats_the_rest(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "  COUNT(*)", "  'unclosed COUNT(*)")
    other = f"{PROJECT}/rides_derived/rider_days_v1/query.sql"
    good = (workplace.root / other).read_text()
    edit(other, "SELECT", "select")
    broken = (workplace.root / RIDES / "query.sql").read_bytes()
    outcome = api.format_sql_files(workplace, [f"{PROJECT}/rides_derived"])
    assert (outcome.status, outcome.exit_code) == ("open", 1)
    (finding,) = outcome.findings
    assert (finding.code, finding.name) == ("QRY002", "refused_query")
    assert finding.at.startswith(f"{RIDES}/query.sql")
    assert outcome.data["changed"] == [other]
    assert (workplace.root / RIDES / "query.sql").read_bytes() == broken
    assert (workplace.root / other).read_text() == good


@pytest.mark.parametrize("target", ["dags.yaml", "nowhere.sql", "x" * 5000])
def test_format_touches_sql_files_only(target: str, workplace: api.Workplace) -> None:
    before = _tree(workplace.root)
    outcome = api.format_sql_files(workplace, [target])
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert outcome.error.at == target
    assert _tree(workplace.root) == before


def test_format_refuses_what_is_no_text_and_writes_nothing(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "SELECT", "select")
    strange = workplace.root / PROJECT / "rides_derived" / "zz.sql"
    strange.write_bytes(b"SELECT '\xff'\n")
    try:
        before = _tree(workplace.root)
        outcome = api.format_sql_files(workplace, [f"{PROJECT}/rides_derived"])
        assert _tree(workplace.root) == before
    finally:
        strange.unlink()
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert "not UTF-8" in outcome.error.message
    assert outcome.error.at == f"{PROJECT}/rides_derived/zz.sql"


def test_format_leaves_what_the_settings_skip(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    assert api.init(root, "acme-data").status == "delivered"
    settings = root / "bqetl_project.yaml"
    settings.write_text(settings.read_text().replace("skip: []", "skip: [sql/**/ugly.sql]"))
    ugly, other = (root / "sql" / "acme-data" / name for name in ("ugly.sql", "other.sql"))
    for file in (ugly, other):
        file.write_text("select 1\n")
    outcome = api.format_sql_files(api.Workplace(root), ["sql"])
    assert outcome.data == {"files": 1, "changed": ["sql/acme-data/other.sql"]}
    assert ugly.read_text() == "select 1\n"


def test_an_unclosed_template_is_the_finding_of_the_gate_of_templates(workplace: api.Workplace, edit: Edit) -> None:
    edit(f"{RIDES}/query.sql", "SELECT", "{{ SELECT")
    (finding,) = api.format_sql_files(workplace, [RIDES], check_only=True).findings
    assert (finding.code, finding.name) == ("QRY020", "broken_template")
    assert api.explain(finding.code).status == "delivered"


def test_format_takes_files_not_folders_that_are_named_like_one(workplace: api.Workplace) -> None:
    folder = workplace.root / PROJECT / "rides_derived" / "odd.sql"
    folder.mkdir()
    try:
        outcome = api.format_sql_files(workplace, [f"{PROJECT}/rides_derived"], check_only=True)
    finally:
        folder.rmdir()
    assert outcome.status == "delivered"


def test_settings_that_are_not_utf_8_are_named(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    assert api.init(root, "acme-data").status == "delivered"
    (root / "bqetl_project.yaml").write_bytes("# für alle\n".encode("latin-1"))
    (root / "sql" / "acme-data" / "one.sql").write_text("SELECT\n  1\n")
    outcome = api.format_sql_files(api.Workplace(root), ["sql"])
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert outcome.error.at == "bqetl_project.yaml"


def test_a_diff_is_a_patch_and_changes_nothing(workplace: api.Workplace, edit: Edit) -> None:
    query = workplace.root / RIDES / "query.sql"
    good = query.read_text()
    edit(f"{RIDES}/query.sql", "  COUNT(*)", "    count(*)")
    before = _tree(workplace.root)
    outcome = api.format_sql_files(workplace, [RIDES], diff=True)
    assert (outcome.status, outcome.exit_code, outcome.findings) == ("open", 1, ())
    assert _tree(workplace.root) == before
    patched = subprocess.run(
        ["git", "apply", "-"],
        input=outcome.data["diff"],
        cwd=workplace.root,
        text=True,
        capture_output=True,
        check=False,
    )
    assert patched.returncode == 0, patched.stderr
    assert query.read_text() == good
    assert api.format_sql_files(workplace, [RIDES], diff=True).data["diff"] == ""
    assert api.format_sql_files(workplace, [RIDES], diff=True).status == "delivered"


@pytest.mark.parametrize(
    ("broken", "place", "message"),
    [
        ("SELECT\n  a\nFROM FROM x\n", "3:6", "Unexpected keyword FROM"),
        ("select (1\n", "2:1", "Expected"),
        ("{% if is_init() %}\nselect 1 1\n{% else %}\nSELECT 2\n{% endif %}\n", "2:10", "Syntax error"),
        ("SELECT\n  1\nFROM\n", "4:1", "Unexpected end"),
        ("SELECT\n  'open\n", "2:3", "never closed"),
        ("{% if x %}\nselect 1\n", "1:1", "end of template"),
    ],
)
def test_what_does_not_parse_is_named_with_its_place_and_stays(
    broken: str, place: str, message: str, workplace: api.Workplace
) -> None:
    name = f"{PROJECT}/rides_derived/broken_v1/query.sql"
    file = workplace.root / name
    file.parent.mkdir()
    file.write_text(broken)
    try:
        outcomes = [api.format_sql_files(workplace, [name], diff=diff) for diff in (True, False)]
        assert file.read_text() == broken
    finally:
        shutil.rmtree(file.parent)
    for outcome in outcomes:
        (finding,) = outcome.findings
        assert outcome.exit_code == 1
        assert (finding.at, message in finding.message) == (f"{name}:{place}", True), str(finding)


def test_a_script_and_a_function_are_parsed_too(workplace: api.Workplace) -> None:
    for text in (
        "declare x int64 default 1; while x<3 do set x=x+1; end while; select x",
        "create or replace function f.g(a int64) returns int64 as (a+1); select f.g(1)",
        "from rides |> where paid |> aggregate count(*) as n group by city",
    ):
        outcome = api.format_text(workplace, text)
        assert outcome.status == "delivered", outcome.findings
        assert outcome.data["changed"] == ["<stdin>"]


def test_text_to_text(workplace: api.Workplace) -> None:
    assert api.format_text(workplace, "select 1").data["text"] == "SELECT\n  1\n"
    assert api.format_text(workplace, "SELECT\n  1\n", check_only=True).status == "delivered"
    checked = api.format_text(workplace, "select 1", check_only=True)
    assert (checked.status, _codes(checked), "text" in checked.data) == ("open", {"QRY006"}, False)
    assert "+SELECT" in api.format_text(workplace, "select 1", diff=True).data["diff"]
    refused = api.format_text(workplace, "select from from")
    assert (refused.exit_code, refused.findings[0].at) == (1, "<stdin>:1:8")
    assert refused.data is None
