"""Every example of examples/requirements is built twice into the example repository: the same bytes, and those kept here.

Discovered, never listed. After a change that is meant: ETLO_UPDATE_GOLDEN=1 pytest tests/golden, and read the difference.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from etl_orchestrator import api

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
REQUIREMENTS = sorted(path for path in (EXAMPLES / "requirements").iterdir() if path.suffix in (".yaml", ".md"))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> api.Workplace:
    root = tmp_path_factory.mktemp("golden") / "repository"
    shutil.copytree(EXAMPLES / "repository", root)
    return api.Workplace(root)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_the_same_requirements_give_the_same_files(path: Path, workplace: api.Workplace) -> None:
    built = [api.build(workplace, path, api.BuildOptions(dry_run=True)) for _ in range(2)]
    assert [outcome.status for outcome in built] == ["delivered"] * 2, "\n".join(map(str, built[0].findings))
    files, again = ({artifact.path: artifact.text for artifact in outcome.artifacts} for outcome in built)
    assert files == again
    kept = HERE / path.stem
    if os.environ.get("ETLO_UPDATE_GOLDEN"):
        shutil.rmtree(kept, ignore_errors=True)
        for name, text in files.items():
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            (kept / name).write_text(text)
    golden = {file.relative_to(kept).as_posix(): file.read_text() for file in kept.rglob("*") if file.is_file()}
    assert files == golden


def test_no_golden_is_left_behind() -> None:
    kept = {folder.name for folder in HERE.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    assert kept == {path.stem for path in REQUIREMENTS}
