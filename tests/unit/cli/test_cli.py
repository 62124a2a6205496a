"""The command line as a person meets it: messages, exit codes, one envelope, a fast start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl_orchestrator.cli import cli, run

EXAMPLES = Path(__file__).parents[3] / "examples"

ENVELOPE = {
    "version", "verb", "status", "table", "requirements", "run", "questions", "findings", "unchecked", "assumptions", "decisions",
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


def _read_by_a_dry_run(repository: Path, query: str) -> set[str]:
    """The modules that a process has imported after it."""
    code = (
        f"import sys; from etl_orchestrator.cli import cli; sys.argv[1:] = ['validate', {query!r}]\n"
        "try: cli()\nexcept SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout.startswith("valid"), done.stdout + done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_a_dry_run_of_one_file_reads_only_what_it_needs(repository: Path) -> None:
    query = "sql/pedalo-data-prod/rides_derived/rider_days_v1/query.sql"
    _read_by_a_dry_run(repository, query)
    with (repository / query).open("a") as file:
        file.write("-- edited\n")
    read = _read_by_a_dry_run(repository, query)
    assert "wasmtime" in read  # the engine was asked
    unneeded = {"yaml", "tempfile", "importlib.resources", "zoneinfo", "difflib", "jinja2", "pydantic", "sqlglot"}
    ours = ("finding", "model", "plan", "requirements", "driver", "layout.bigconfig_yml", "sql.federated", "sql.values")
    unneeded |= {f"etl_orchestrator.{name}" for name in ours}
    unneeded |= {
        f"etl_orchestrator.engines.googlesql.{name}" for name in ("evaluation", "encoding", "optimizer", "suggestions")
    }
    assert unneeded & read == set()
    assert [name for name in read if name.startswith("zetasql.")] == ["zetasql.__version__"]


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


TABLE = "pedalo-data-prod.rides_derived.city_rides_daily_v1"
QUERY = "sql/pedalo-data-prod/rides_derived/city_rides_daily_v1/query.sql"
REQUIREMENTS = str(EXAMPLES / "requirements" / "city_demand_daily.yaml")
QUESTIONED = str(EXAMPLES / "questions" / "no_grain.md")
REFUSED = str(EXAMPLES / "refused" / "duplicate_keys.yaml")

#: A good call of every verb; `{repo}` is a repository in which a build has been delivered, `{new}` an empty folder.
VERBS: dict[str, tuple[str, ...]] = {
    "init": ("init", "{new}"),
    "plan": ("plan", REQUIREMENTS, "--repo", "{repo}"),
    "build": ("build", REQUIREMENTS, "--repo", "{repo}"),
    "resume": ("resume", "{run}", "--repo", "{repo}"),
    "runs": ("runs", "--repo", "{repo}"),
    "check": ("check", TABLE, "--repo", "{repo}"),
    "format": ("format", "sql", "--check", "--repo", "{repo}"),
    "validate": ("validate", TABLE, "--repo", "{repo}"),
    "schema": ("schema", TABLE, "--repo", "{repo}"),
    "lineage": ("lineage", TABLE, "--repo", "{repo}"),
    "test": ("test", TABLE, "--repo", "{repo}"),
    "explain": ("explain", "TST006"),
    "list": ("list", "gates"),
}
NEED_A_REPOSITORY = sorted(verb for verb, words in VERBS.items() if "--repo" in words)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A repository in which one model was built, and the run."""
    root = tmp_path_factory.mktemp("cli") / "repository"
    shutil.copytree(EXAMPLES / "repository", root)
    code, out, _ = _run("build", REQUIREMENTS, "--repo", str(root), "--json")
    assert code == 0, out
    return str(root), json.loads(out)["run"]


def _words(verb: str, built: tuple[str, str], tmp_path: Path) -> list[str]:
    places = {"repo": built[0], "run": built[1], "new": str(tmp_path / "new")}
    return [word.format(**places) for word in VERBS[verb]]


def _main(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """The entry point but for the end of the process, which turns errors into exit codes."""
    monkeypatch.setattr(sys, "argv", ["etl-orchestrator", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_every_verb_is_called_below() -> None:
    assert set(VERBS) == set(cli.commands)


@pytest.mark.parametrize("verb", VERBS)
def test_stdout_of_every_verb_is_the_envelope_and_nothing_else(
    verb: str, built: tuple[str, str], tmp_path: Path
) -> None:
    code, out, _ = _run(*_words(verb, built, tmp_path), "--json")
    envelope = json.loads(out)
    assert set(envelope) == ENVELOPE
    assert (envelope["version"], envelope["verb"], envelope["status"], code) == (1, verb, "delivered", 0)


@pytest.mark.parametrize("verb", NEED_A_REPOSITORY)
def test_without_a_repository_every_verb_still_answers_with_the_envelope(
    verb: str, built: tuple[str, str], tmp_path: Path
) -> None:
    words = [str(tmp_path) if word == built[0] else word for word in _words(verb, built, tmp_path)]
    code, out, _ = _run(*words, "--json")
    envelope = json.loads(out)
    assert set(envelope) == ENVELOPE
    assert (envelope["verb"], envelope["status"], code) == (verb, "refused", 2)
    assert envelope["error"]["fix"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_where_nobody_listens_the_exit_code_is_the_same(closed: str) -> None:
    for words, code in (("--version", 0), ("no_such_verb", 2)):
        command = f"'{sys.executable}' -m etl_orchestrator {words} {closed}"
        assert subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode == code


def test_the_exit_codes_from_0_to_4(repository: Path) -> None:
    calls: dict[int, tuple[str, ...]] = {
        0: ("check", TABLE),
        1: ("check", "rides_derived.rider_days_v1"),
        2: ("plan", REFUSED),
        3: ("plan", QUESTIONED),
        4: ("validate", "static.cities_v1"),
    }
    statuses = ["delivered", "open", "refused", "needs_answers", "unchecked"]
    for code, words in calls.items():
        got, out, _ = _run(*words, "--repo", str(repository), "--json")
        assert (got, json.loads(out)["status"]) == (code, statuses[code])


def test_a_batch_ends_with_its_worst_and_tells_of_each(repository: Path) -> None:
    code, out, _ = _run("plan", REQUIREMENTS, QUESTIONED, REFUSED, "--repo", str(repository), "--json")
    envelope = json.loads(out)
    assert (code, envelope["status"]) == (2, "refused")
    assert [result["status"] for result in envelope["results"]] == ["delivered", "needs_answers", "refused"]
    assert all(set(result) == ENVELOPE for result in envelope["results"])


def test_answers_on_the_command_line_complete_the_requirements(repository: Path) -> None:
    path = str(EXAMPLES / "questions" / "no_partitioning.yaml")
    code, out, _ = _run("plan", path, "--repo", str(repository), "--answer", "partitioning = full refresh", "--json")
    assert code == 0
    assert json.loads(out)["decisions"]["refresh"]["value"] == "full refresh"


def test_what_must_be_answered_comes_with_the_command_that_answers(repository: Path) -> None:
    code, out, _ = _run("plan", QUESTIONED, "--repo", str(repository))
    assert code == 3
    assert out.splitlines()[0].startswith("needs answers")
    assert out.splitlines()[-1] == f"next: etl-orchestrator plan {QUESTIONED} --answer grain=…"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["bulid"],
        ["build"],
        ["build", "--jobs", "0", "x.yaml"],
        ["build", "--jobs", "many", "x.yaml"],
        ["build", "--no-such-option", "x.yaml"],
        ["plan", "x.yaml", "--answer", "grain"],
        ["plan", "x.yaml", "--answer", "=day"],
        ["list", "sandwiches"],
        ["explain"],
        ["explain", "TST006", "TST007"],
        ["check", "--repo"],
    ],
    ids=" ".join,
)
def test_a_usage_error_is_one_clear_message(
    words: list[str], repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    code, out, err = _main(words, monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert err.startswith(("Usage: etl-orchestrator", "Error: "))
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["build", "--help"], ["--version"]], ids=" ".join)
def test_help_and_version_are_data(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _main(words, monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert out.strip()


def test_without_a_repository_a_person_reads_why_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _main(["runs", "--repo", str(tmp_path / "nowhere")], monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert err.count("\n") == 2
    assert "fix: " in err


@pytest.mark.parametrize("target", ["x" * 5000, "../../../etc/passwd", "$(id)", "a.b.c.d", "sql/\n"])
def test_a_hostile_target_is_bad_input(target: str, repository: Path) -> None:
    for verb in ("check", "validate", "schema", "test", "format"):
        code, out, _ = _run(verb, target, "--repo", str(repository), "--json")
        assert (code, json.loads(out)["status"]) == (2, "refused"), verb


def test_progress_is_a_line_for_each_room_on_stderr(repository: Path) -> None:
    code, out, err = _run("build", REQUIREMENTS, "--repo", str(repository), "--dry-run")
    assert code == 0
    assert "building pedalo-data-prod.rides_derived.city_demand_daily_v1" in err
    heads = [line for line in err.splitlines() if line.startswith("[")]
    assert [head.partition(":")[0] for head in heads] == [
        "[1/7] plan", "[2/7] query", "[3/7] metadata", "[4/7] tests", "[5/7] monitoring", "[6/7] validation",
        "[7/7] report",
    ]  # fmt: skip
    assert "\n    " not in err
    assert "[1/7]" not in out


def test_quiet_prints_no_progress_and_the_same_answer(repository: Path) -> None:
    words = ("build", REQUIREMENTS, "--repo", str(repository), "--dry-run")
    code, out, err = _run(*words, "--quiet")
    assert (code, err) == (0, "")
    assert out.startswith("delivered  pedalo-data-prod.rides_derived.city_demand_daily_v1")
    assert _run("plan", REQUIREMENTS, "--repo", str(repository), "-q")[2] == ""
    run = json.loads(_run("runs", "--repo", str(repository), "--json")[1])["data"][-1]["run"]
    assert _run("resume", run, "--repo", str(repository), "-q")[2] == ""


def test_verbose_tells_the_evidence_of_each_gate(repository: Path) -> None:
    words = ("build", REQUIREMENTS, "--repo", str(repository), "--dry-run")
    once, twice = (_run(*words, detail)[2].count("\n    ") for detail in ("-v", "-vv"))
    assert 0 < once < twice


def test_format_check_then_format(repository: Path) -> None:
    file = repository / QUERY
    good = file.read_text()
    file.write_text(good.replace("SELECT", "select"))
    code, out, _ = _run("format", QUERY, "--check", "--repo", str(repository))
    assert code == 1
    assert f"QRY006 unformatted_query: not formatted\n  at {QUERY}:2\n" in out
    code, out, _ = _run("format", QUERY, "--repo", str(repository))
    assert code == 0
    assert out.startswith(f"formatted {QUERY}\n1 files, 1 changed")
    assert file.read_text() == good


def test_format_from_stdin_to_stdout_needs_no_repository(tmp_path: Path) -> None:
    def piped(text: bytes, *words: str) -> tuple[int, bytes, bytes]:
        ran = subprocess.run(
            [sys.executable, "-m", "etl_orchestrator", "format", "-", *words],
            input=text, capture_output=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        return ran.returncode, ran.stdout, ran.stderr

    assert piped(b"SELECT\n  1\n") == (0, b"SELECT\n  1\n", b"")
    assert piped(b"select '\xc3\xa9'") == (0, "SELECT\n  'é'\n".encode(), b"")
    code, out, said = piped(b"select from from")
    assert (code, out) == (1, b"")
    assert b"<stdin>:1:8" in said
    code, out, said = piped(b"select 1\n", "--diff")
    assert (code, said) == (1, b"")
    assert out.endswith(b"-select 1\n+SELECT\n+  1\n")
    assert piped(b"select 1", "--check")[0] == 1
    assert piped(b"\xff")[0] == 2
    assert piped(b"SELECT 1", "sql")[0] == 2


def test_a_fault_of_the_program_is_an_envelope_too() -> None:
    code = (
        "import sys; from etl_orchestrator.cli import cli, json_option, main\n"
        "@cli.command('faulty')\n@json_option\ndef faulty(as_json): raise KeyError('lost')\n"
        "sys.argv = ['etlo', 'faulty', '--json']; main()"
    )
    plain = {name: value for name, value in os.environ.items() if name != "ETLO_DEBUG"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=plain)
    envelope = json.loads(done.stdout)
    assert (done.returncode, envelope["verb"], envelope["status"]) == (1, "faulty", "failed")
    assert "KeyError: 'lost'" in envelope["error"]["message"]
    assert done.stderr.startswith("etl-orchestrator failed: KeyError: 'lost'\n")


def test_a_fault_of_the_program_is_one_message_and_a_traceback_only_when_asked() -> None:
    code = (
        "import click, sys; from etl_orchestrator.cli import cli, main\n"
        "@cli.command('faulty')\ndef faulty(): raise KeyError('lost')\n"
        "sys.argv = ['etlo', 'faulty']; main()"
    )

    def run(**more: str) -> tuple[int, str]:
        plain = {name: value for name, value in os.environ.items() if name != "ETLO_DEBUG"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**plain, **more}
        )
        return done.returncode, done.stderr

    assert run() == (
        1,
        "etl-orchestrator failed: KeyError: 'lost'\n"
        "this is a fault of the program; run with ETLO_DEBUG=1 for the traceback\n",
    )
    status, told = run(ETLO_DEBUG="1")
    assert status == 1
    assert "Traceback" in told
