"""examples/questions are questioned, examples/refused are refused: discovered, never listed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from etl_orchestrator import api

EXAMPLES = Path(__file__).parents[3] / "examples"


def _files(folder: str) -> list[Path]:
    return sorted(path for path in (EXAMPLES / folder).iterdir() if not path.name.endswith(".expected.txt"))


def _expected(path: Path) -> list[str]:
    return path.with_name(f"{path.stem}.expected.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> api.Workplace:
    root = tmp_path_factory.mktemp("examples") / "repository"
    shutil.copytree(EXAMPLES / "repository", root)
    return api.Workplace(root)


def _written(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if ".etl-orchestrator" not in path.parts}


@pytest.mark.parametrize("path", _files("questions"), ids=lambda path: path.stem)
def test_what_is_missing_is_asked_and_nothing_else(path: Path, workplace: api.Workplace) -> None:
    before = _written(workplace.root.parent)
    outcome = api.build(workplace, path, api.BuildOptions())
    assert (outcome.status, outcome.exit_code) == ("needs_answers", 3)
    assert sorted({question.element for question in outcome.questions}) == sorted(_expected(path))
    assert all(question.text and question.at for question in outcome.questions)
    assert _written(workplace.root.parent) == before


@pytest.mark.parametrize("path", _files("refused"), ids=lambda path: path.name)
def test_what_is_hostile_or_broken_is_refused_with_place_and_reason(path: Path, workplace: api.Workplace) -> None:
    before = _written(workplace.root.parent)
    outcome = api.build(workplace, path, api.BuildOptions())
    assert (outcome.status, outcome.exit_code) == ("refused", 2)
    assert outcome.error is not None
    assert _expected(path)[0].lower() in str(outcome.error).lower()
    assert path.name in (outcome.error.at or "")
    assert _written(workplace.root.parent) == before
