"""The command line as a person meets it: messages, exit codes, one envelope, a fast start."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl_orchestrator.cli import cli

EXAMPLES = Path(__file__).parents[3] / "examples"

ENVELOPE = {
    "version", "verb", "status", "table", "run", "questions", "findings", "unchecked", "assumptions", "decisions",
    "artifacts", "evidence", "phases", "error", "report", "next", "seconds", "results", "data",
}  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES / "repository", tmp_path / "repository")
    return tmp_path / "repository"


def _run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from etl_orchestrator.cli import cli\n"
        "try: cli(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'zetasql', 'wasmtime', 'sqlglot', 'pydantic', 'yaml', 'jinja2', 'duckdb', 'sqlite3'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"


@pytest.mark.parametrize("kind", ["phases", "gates", "skills", "engines", "monitors"])
def test_list(kind: str) -> None:
    code, out, _ = _run("list", kind, "--json")
    envelope = json.loads(out)
    assert (code, envelope["status"]) == (0, "delivered")
    assert set(envelope) == ENVELOPE
    assert all(entry["name"] and entry["about"] for entry in envelope["data"])
    assert _run("list", kind)[1].count("\n") == len(envelope["data"])


def test_explain_takes_code_or_name_and_names_the_nearest() -> None:
    code, out, _ = _run("explain", "TST006")
    assert code == 0
    assert "TST006 wrong_rows" in out
    assert "Repair" in out
    assert _run("explain", "wrong-rows")[1] == out
    code, out, _ = _run("explain", "wrong_row")
    assert code == 2
    assert "wrong_rows" in out.lower()


def test_a_missing_file_is_bad_input(repository: Path) -> None:
    code, out, _ = _run("build", "--repo", str(repository), "nowhere.yaml", "--json")
    assert code == 2
    assert json.loads(out)["error"]["at"] == "nowhere.yaml"


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "etl_orchestrator", "runs", "--repo", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_init_then_runs(tmp_path: Path) -> None:
    code, out, _ = _run("init", str(tmp_path / "new"), "--project", "acme-data")
    assert code == 0
    assert "dags.yaml" in out
    assert _run("runs", "--repo", str(tmp_path / "new"))[1].strip() == "no runs yet"
    before = (tmp_path / "new" / "dags.yaml").read_text()
    (tmp_path / "new" / "dags.yaml").write_text("mine: {}\n")
    code, out, _ = _run("init", str(tmp_path / "new"))
    assert code == 1
    assert (tmp_path / "new" / "dags.yaml").read_text() == "mine: {}\n" != before
