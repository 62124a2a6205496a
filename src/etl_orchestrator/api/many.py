"""One question of many files or tables: what is kept of earlier answers, the rest asked in several processes, with progress."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from etl_orchestrator.api.workplace import Workplace

#: Handed to a process at a time: neighbours read the same views.
_PORTION = 8
_SECONDS_BETWEEN_LINES = 5.0

Item = TypeVar("Item")
Say = Callable[[str], None]
#: JSON with a `verdict`, the word that progress counts.
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking(Generic[Item]):
    """`kept` gives the answer of an earlier run that still holds; `died` the answer for an item whose process died, with
    why. Functions of modules, for another process finds them by name."""

    done: str  # "validated"
    kept: Callable[[Workplace, Item], Answer | None]
    ask: Callable[[Workplace, Item], Answer]
    died: Callable[[Item, str], Answer]


def answers(
    workplace: Workplace, asking: Asking[Item], items: Sequence[Item], jobs: int | None, say: Say | None
) -> Iterator[tuple[Item, Answer]]:
    """In no particular order, `jobs` at a time: as many as there are processors, when there is enough to ask."""
    due = []
    for item in items:
        kept = asking.kept(workplace, item)
        if kept is None:
            due.append(item)
        else:
            yield item, kept
    progress = _Progress(asking.done, len(items), len(due), say or (lambda _: None))
    workers = min(jobs or os.cpu_count() or 1, len(due) // _PORTION or 1)
    stream = _elsewhere(workplace.root, asking, due, workers) if workers > 1 else _here(workplace, asking, due)
    for item, answer in stream:
        progress.told(answer)
        yield item, answer


def _here(workplace: Workplace, asking: Asking[Item], due: Sequence[Item]) -> Iterator[tuple[Item, Answer]]:
    for item in due:
        yield item, asking.ask(workplace, item)


def _elsewhere(root: Path, asking: Asking[Item], due: Sequence[Item], workers: int) -> Iterator[tuple[Item, Answer]]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    from etl_orchestrator.api import processes

    portions = [due[start : start + _PORTION] for start in range(0, len(due), _PORTION)]
    with processes.pool(workers) as pool:
        waiting = {pool.submit(_portion, root, asking, portion): portion for portion in portions}
        for future in as_completed(waiting):
            portion = waiting[future]
            try:
                found = future.result()
            except BrokenProcessPool as error:
                found = [asking.died(item, f"the process that asked died: {error}") for item in portion]
            yield from zip(portion, found, strict=True)


def _portion(root: Path, asking: Asking[Item], portion: Sequence[Item]) -> list[Answer]:
    from etl_orchestrator.api import processes

    workplace = processes.workplace_of(root)
    return [asking.ask(workplace, item) for item in portion]


class _Progress:
    """A line every few seconds, and none when the work is short."""

    def __init__(self, done: str, items: int, due: int, say: Say) -> None:
        self._done, self._items, self._due, self._say = done, items, due, say
        self._counts: Counter[str] = Counter()
        self._spoken = time.monotonic()

    def told(self, answer: Answer) -> None:
        self._counts[answer["verdict"]] += 1
        count, now = self._counts.total(), time.monotonic()
        if now - self._spoken > _SECONDS_BETWEEN_LINES or (count == self._due and count > 100):
            self._spoken = now
            kept = f", {self._items - self._due} as before" if self._items > self._due else ""
            counts = ", ".join(f"{number} {word}" for word, number in sorted(self._counts.items()))
            self._say(f"{self._done} {count} of {self._due}{kept}: {counts}")
