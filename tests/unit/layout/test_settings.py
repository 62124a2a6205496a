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


class Answers(dict[str, str]):
    """Plays Answers."""

    def recall(self, key: str) -> str | None:
        return self.get(key)

    def keep(self, key: str, text: str) -> None:
        self[key] = text


def test_what_was_read_is_kept_whatever_the_keys_are() -> None:
    text = "default: {project: acme-data}\nformat: {skip: [a]}\nmonitoring: {1: {b: [~, 2.5, {3: yes}]}, pairs: []}\n"
    answers = Answers()
    assert settings.remembered(text, "x.yaml", answers) == settings.read(text, "x.yaml")
    (key,) = answers
    assert settings.remembered(text, "x.yaml", answers) == settings.read(text, "x.yaml")
    answers[key] = answers[key].replace("acme-data", "acme-kept")
    assert settings.remembered(text, "x.yaml", answers).project == "acme-kept"
    assert settings.remembered(f"{text} ", "x.yaml", answers).project == "acme-data"


def test_what_json_has_not_is_read_each_time() -> None:
    answers = Answers()
    for _ in range(2):
        found = settings.remembered("since: 2025-06-01\n", "x.yaml", answers)
        assert found == settings.read("since: 2025-06-01\n", "x.yaml")
    assert not answers
