"""A copy of the example repository for a module's tests, and a way to edit it that leaves no trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl_orchestrator import api

EXAMPLES = Path(__file__).parents[3] / "examples"

Edit = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> api.Workplace:
    root = tmp_path_factory.mktemp("api") / "repository"
    shutil.copytree(EXAMPLES / "repository", root)
    return api.Workplace(root)


@pytest.fixture
def edit(workplace: api.Workplace) -> Iterator[Edit]:
    """Replaces text in a file of the repository, and puts everything back afterwards."""
    before: dict[Path, bytes] = {}

    def replace(name: str, old: str, new: str) -> None:
        file = workplace.root / name
        before.setdefault(file, file.read_bytes())
        text = file.read_text()
        assert old in text, f"{old!r} is not in {name}"
        file.write_text(text.replace(old, new))

    yield replace
    for file, data in before.items():
        file.write_bytes(data)
