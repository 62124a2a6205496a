"""The last resort of the fixtures: values changed one by one until every output column has a value in some expected row.

Judged by the evaluation of the requirement, never by a query; bounded, and in the same order every time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl_orchestrator.proving.oracle import Expected
from etl_orchestrator.proving.witnesses import Material, Witness
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Value

_TRIES = 400
#: Texts that can be read as something else: a number, a version, a day, a moment, a truth.
_READABLE = ("1", "12.5", "1.2.3", "2024-02-29", "2024-02-29 12:00:00", "true", "https://a.example/b?c=d")
_LEAVES: tuple[Callable[[str], object], ...] = (lambda name: f"{name}_a", lambda name: 1, lambda name: True)

Score = tuple[int, int]


@dataclass(slots=True)
class Exercise:
    """One search over the rows of `witnesses`, which it changes in place."""

    witnesses: Sequence[Witness]
    material: Material
    expected: Callable[[], Expected | None]
    text: str  # all expressions of the requirement
    tries: int = 0

    def run(self) -> None:
        """Changes values as long as that fills more output columns and breaks no condition."""
        score, full = self._score()
        if score == full:
            return
        for witness in self.witnesses:
            for holder, key, column in witness.places():
                score = self._better(witness, holder, key, column, score)
                if score == full or self.tries > _TRIES:
                    return

    def _better(self, witness: Witness, holder: Any, key: Any, column: Field, score: Score) -> Score:
        """The score after the first value that is better than the one there, which otherwise stays."""
        before, broken = holder[key], len(witness.broken())
        for value in self._values(column):
            self.tries += 1
            if self.tries > _TRIES:
                break
            holder[key] = value
            if len(witness.broken()) > broken:
                continue
            reached, _ = self._score()
            if reached > score:
                return reached
        holder[key] = before
        return score

    def _score(self) -> tuple[Score, Score]:
        """Whether rows are expected and how many columns have a value in them, and the best there can be."""
        found = self.expected()
        if found is None:
            return (0, 0), (1, 1)
        filled = {name for row in found.rows for name, value in row.items() if value not in (None, [])}
        return (int(bool(found.rows)), len(filled | set(found.unknown))), (1, len(found.columns))

    def _values(self, column: Field) -> list[Value]:
        if column.type == "JSON":
            return documents(column.name, self.text)
        values = self.material.candidates(replace(column, mode="NULLABLE"))
        texts = [text for text in _READABLE if text not in values] if column.type == "STRING" else []
        return [*values, *texts]


def documents(column: str, text: str) -> list[Value]:
    """JSON texts with every path that a requirement reads (`'$.a.b'`, `column.a.b`), with leaves of several types."""
    paths = [found.split(".") for found in re.findall(r"'\$\.([\w.]+)'", text)]
    paths += [
        found.split(".") for found in re.findall(rf"\b{re.escape(column)}\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", text)
    ]
    made: list[Value] = []
    for leaf in _LEAVES:
        document: dict[str, Any] = {}
        for path in paths:
            part = document
            for name in path[:-1]:
                part = part.setdefault(name, {}) if isinstance(part.get(name, {}), dict) else {}
            part.setdefault(path[-1], leaf(path[-1]))
        made.append(json.dumps(document, separators=(",", ":"), sort_keys=True))
    return made if paths else []
