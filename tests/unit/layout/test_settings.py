from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import settings
from etl_orchestrator.tools import Settings


def test_project_and_skip_list_are_read_and_the_rest_is_kept() -> None:
    found = settings.read("default: {project: acme-data}\nformat: {skip: [a/*.sql]}\ndry_run: {skip: [b]}\n", "x.yaml")
    assert (found.project, found.skip_format, found.extra["dry_run"]) == ("acme-data", ("a/*.sql",), {"skip": ["b"]})


def test_an_empty_file_gives_the_defaults() -> None:
    assert settings.read("", "x.yaml") == Settings()
    assert settings.read("default:\nformat:\n", "x.yaml").skip_format == ()


@pytest.mark.parametrize("text", ["[]", "default: a", "default: {project: [a]}", "format: {skip: a}"])
def test_a_wrong_shape_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        settings.read(text, "x.yaml")
