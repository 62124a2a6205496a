"""An author who says what it was told to say: the test double."""

from __future__ import annotations

from collections.abc import Iterable

from etl_orchestrator.tools import Task


class ScriptedAuthor:
    """Gives the answers in order, then None; keeps the tasks it was given in `history`."""

    name = "scripted"

    def __init__(self, answers: Iterable[str | None] = ()) -> None:
        self._answers = iter(answers)
        self.history: list[Task] = []

    def write(self, task: Task) -> str | None:
        self.history.append(task)
        return next(self._answers, None)
