"""The author without an LLM: what rules can write the skills write themselves, so it has nothing to add."""

from __future__ import annotations

from etl_orchestrator.tools import Task


class RulesAuthor:
    """Has no opinion on words; a task given to it stays open and becomes a question or a finding."""

    name = "rules"

    def write(self, task: Task) -> str | None:
        return None
