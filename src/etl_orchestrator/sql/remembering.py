"""Answers kept between runs, each with what was asked of the catalog for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from etl_orchestrator.sql.watched import Watched
from etl_orchestrator.tools import Answers, Settings


def digest_of(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


#: What of bqetl_project.yaml says which files a name stands for, and how they are read.
_DECIDING = ("default", "render", "routine", "schema", "view")


class Remembering:
    """`answers` is where they are kept; without it nothing is. An answer holds under the same `settings` only."""

    def __init__(self, watched: Watched, answers: Answers | None, settings: Settings) -> None:
        self._watched = watched
        self._answers = answers
        sections = [repr(settings.extra.get(name)) for name in _DECIDING]
        self._settings = digest_of(settings.project, *sections)[:24]

    def kept(self, key: str) -> Any | None:
        """What an earlier run found, if everything that it asked is still answered so."""
        text = self._answers.recall(key) if self._answers is not None else None
        if text is not None:
            found = json.loads(text)
            if found["settings"] == self._settings and self._watched.holds(found["asked"]):
                self._watched.add(found["asked"])
                return found["answer"]
        return None

    def remembered(self, key: str, make: Callable[[], Any], is_whole: Callable[[], bool]) -> Any:
        """What `make` gives, a value of JSON, or what is kept of it; it is kept if `is_whole` says so afterwards."""
        kept = self.kept(key)
        if kept is not None:
            return kept
        with self._watched.recording() as record:
            answer = make()
        if self._answers is not None and is_whole():
            self._answers.keep(key, json.dumps({"settings": self._settings, "asked": record, "answer": answer}))
        return answer
