"""Every gate is seen to pass and to fail: each case is a small repository laid over `base/`, asked by one gate.

Cases are found by walking `<room>/<gate>/pass_*` and `fail_*`, never listed. A case folder holds files that replace or
add to those of base/, and may hold

    case.txt          what the case is, in words
    removed.txt       paths to leave out of base/, one a line
    finding.txt       of a fail case: the findings as they are printed, an empty line between them
    requirements.yaml what stands behind the model (base/ has one; remove it for a model made by hand)
    table.txt         another table than that of the requirements, which then are left out
    plan.yaml         decisions of the plan that the case wants otherwise
    notes.yaml        notes by path, for what only the maker of a file knows
    model/            files of the model that differ from those in the repository

After a change of words that is meant: ETLO_UPDATE_FINDINGS=1 pytest tests/gates, and read the difference.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_orchestrator import gates as rooms
from etl_orchestrator import intake
from etl_orchestrator.authors import RulesAuthor
from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.driver import ask
from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.finding import Failed, Passed
from etl_orchestrator.layout import model_files, paths, settings
from etl_orchestrator.model import Artifact, Model, Note
from etl_orchestrator.phase import Gate
from etl_orchestrator.plan import Decision, Plan
from etl_orchestrator.skills.bigquery_etl_core.conventions import plan_of
from etl_orchestrator.skills.bigquery_etl_core.dag_ranking import rank_dags
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Tools

HERE = Path(__file__).parent
BASE = HERE / "base"
TABLE = "acme-data.shop_derived.daily_orders_v1"
REQUIREMENTS = "requirements.yaml"
NO_FILES = {"case.txt", "removed.txt", "finding.txt", "table.txt", "plan.yaml", "notes.yaml"}


@dataclass(frozen=True)
class Case:
    gate: Gate
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(HERE).as_posix()

    def text(self, name: str) -> str | None:
        file = self.folder / name
        return file.read_text() if file.is_file() else None


def _gates() -> dict[str, Gate]:
    """Every gate of every room, by `room/name`."""
    found: dict[str, Gate] = {}
    for room in pkgutil.iter_modules(rooms.__path__):
        module = importlib.import_module(f"{rooms.__name__}.{room.name}")
        for gate in module.GATES:
            found[f"{room.name}/{gate.name}"] = gate
    return found


GATES = _gates()


def _cases() -> Iterator[Case]:
    for folder in sorted(HERE.glob("*/*/*")):
        gate = GATES.get(folder.parent.relative_to(HERE).as_posix())
        if gate is not None and folder.is_dir() and folder.name.startswith(("pass_", "fail_")):
            yield Case(gate, folder)


CASES = list(_cases())


@pytest.fixture(scope="session")
def engine() -> GoogleSql:
    return GoogleSql()


def _repository(case: Case, root: Path) -> None:
    """base/ with the case laid over it."""
    shutil.copytree(BASE, root, dirs_exist_ok=True)
    for line in (case.text("removed.txt") or "").split():
        gone = root / line
        assert gone.exists(), f"{case.name}/removed.txt: there is no {line}"
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink()
    for file in case.folder.rglob("*"):
        name = file.relative_to(case.folder)
        if file.is_file() and name.parts[0] != "model" and name.as_posix() not in NO_FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, root / name)


def _tools(root: Path, cache: Path, engine: GoogleSql) -> Tools:
    catalog = Checkout(root, cache)
    said = settings.read(catalog.text(paths.PROJECT_YAML) or "", paths.PROJECT_YAML)
    return Tools(engine, engine, catalog, RulesAuthor(), said)


def _model(case: Case, root: Path, tools: Tools) -> Model:
    other = case.text("table.txt")
    table = TableRef.parse(other or TABLE)
    model = model_files.read_model(tools.catalog.text, tools.catalog.paths, table)
    if other is None and (root / REQUIREMENTS).is_file():
        data = (root / REQUIREMENTS).read_bytes()
        request = intake.read_request(REQUIREMENTS, data, tools.settings.project)
        requirements = intake.accept(request, tools, lambda asked: rank_dags(asked, tools.catalog))
        model = replace(model, table=requirements.table, requirements=requirements)
        model = replace(model, plan=_plan(case, plan_of(requirements, tools)))
    return _with_notes(case, _with_own_files(case, model))


def _plan(case: Case, plan: Plan) -> Plan:
    wanted = yaml.safe_load(case.text("plan.yaml") or "{}")
    assert set(wanted) <= {field.name for field in fields(Plan)}, case.name
    decisions: dict[str, Any] = {name: Decision(str(value), "the case wants it") for name, value in wanted.items()}
    return replace(plan, **decisions)


def _with_own_files(case: Case, model: Model) -> Model:
    own = case.folder / "model"
    artifacts = {artifact.path: artifact for artifact in model.artifacts}
    for file in own.rglob("*"):
        if file.is_file():
            path = file.relative_to(own).as_posix()
            made_by = artifacts[path].made_by if path in artifacts else model_files.MADE_BY.get(file.name, "tests")
            artifacts[path] = Artifact(path, file.read_text(), made_by)
    return replace(model, artifacts=tuple(artifacts[path] for path in sorted(artifacts)))


def _with_notes(case: Case, model: Model) -> Model:
    noted = yaml.safe_load(case.text("notes.yaml") or "{}")
    artifacts = [
        replace(artifact, notes=tuple(Note(**note) for note in noted.pop(artifact.path, [])))
        for artifact in model.artifacts
    ]
    assert not noted, f"{case.name}/notes.yaml: there is no {', '.join(noted)}"
    return replace(model, artifacts=tuple(artifacts))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gate(case: Case, tmp_path: Path, engine: GoogleSql) -> None:
    root = tmp_path / "repository"
    _repository(case, root)
    tools = _tools(root, tmp_path / "cache", engine)
    verdict = ask(case.gate, _model(case, root, tools), tools).verdict
    if case.folder.name.startswith("pass_"):
        assert isinstance(verdict, Passed), verdict
        assert verdict.evidence
        return
    assert isinstance(verdict, Failed), verdict
    printed = "\n\n".join(map(str, verdict.findings)) + "\n"
    if os.environ.get("ETLO_UPDATE_FINDINGS"):
        (case.folder / "finding.txt").write_text(printed)
    assert printed == case.text("finding.txt")


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_is_seen_to_pass_and_to_fail(name: str) -> None:
    kinds = {case.folder.name[:4] for case in CASES if f"{case.folder.parent.relative_to(HERE).as_posix()}" == name}
    assert kinds == {"pass", "fail"}, f"tests/gates/{name}/ needs a pass_… and a fail_… case, it has {sorted(kinds)}"


def test_no_case_is_left_behind() -> None:
    """A folder whose gate was renamed or removed would never be asked again."""
    known = {case.folder for case in CASES}
    rooms_there = [
        folder for folder in HERE.iterdir() if folder.is_dir() and folder.name not in ("base", "__pycache__")
    ]
    for room in rooms_there:
        for folder in room.glob("*/*"):
            assert folder in known, (
                f"{folder.relative_to(HERE)} belongs to no gate, or is named neither pass_ nor fail_"
            )


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_has_a_page(name: str) -> None:
    """The page that `explain` prints: a first line that says what is wrong, then the four headings in order."""
    lines = GATES[name].page.splitlines()
    headings = [line for line in lines if line in ("What it checks", "Why", "Example", "Repair")]
    assert headings == ["What it checks", "Why", "Example", "Repair"]
    assert lines[0].endswith(".")
    assert not lines[1]


def test_codes_and_names_are_given_once() -> None:
    codes = [gate.code for gate in GATES.values()]
    names = [gate.name for gate in GATES.values()]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)
