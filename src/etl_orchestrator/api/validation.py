"""The dry run of any SQL files of a repository, a few or all of them."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from etl_orchestrator.api.targets import relative, standing, tables
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import InvalidInput, OrchestratorError, Unavailable, Unsupported
from etl_orchestrator.layout import paths
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.phase import found
from etl_orchestrator.table import Field, Schema
from etl_orchestrator.tools import Tools

#: The files that are validated when a table or a folder is named; a file that is named may be any .sql of a table.
KINDS = (
    paths.QUERY_SQL,
    paths.VIEW_SQL,
    paths.MATERIALIZED_VIEW_SQL,
    paths.SCRIPT_SQL,
    paths.UDF_SQL,
    paths.STORED_PROCEDURE_SQL,
    paths.CHECKS_SQL,
)
#: Files handed to a process at a time: neighbours read the same views.
_PORTION = 8
_SECONDS_BETWEEN_LINES = 5.0

Say = Callable[[str], None]
Verdict = dict[str, Any]


def validate(workplace: Workplace, targets: Sequence[str], jobs: int | None = None, say: Say | None = None) -> Outcome:
    """What the analyzer says of SQL files, `jobs` at a time (as many as there are processors, when many are to be asked).

    A file that nothing has changed for since it was last asked is not asked again. `say` is told how far the work is.
    """
    began = time.perf_counter()
    try:
        files = _files(workplace, targets)
        verdicts = dict(_verdicts(workplace, files, jobs, say or (lambda _: None)))
    except OrchestratorError as error:
        return of_error("validate", error, seconds=time.perf_counter() - began)
    outcomes = [_outcome(path, verdicts[path], len(files) == 1) for path in files]
    seconds = time.perf_counter() - began
    if len(outcomes) == 1:
        return replace(outcomes[0], seconds=seconds)
    return replace(of_batch("validate", outcomes, seconds), data=_summary([verdicts[path] for path in files]))


def _files(workplace: Workplace, targets: Sequence[str]) -> list[str]:
    """The SQL files that targets name, each once, in order. Raises Unavailable for a table that has none."""
    found: dict[str, None] = {}
    for target in targets:
        place = standing(workplace, target)
        if place is not None and place.is_file() and place.suffix == ".sql":
            name = relative(workplace, place)
            if paths.table_of(name) is None:
                raise InvalidInput("this file belongs to no table", at=target)
            found[name] = None
            continue
        named = tables(workplace, [target])
        catalog = workplace.tools.catalog
        folder = relative(workplace, place) if place is not None and place.is_dir() else ""
        below = catalog.paths(folder) if folder else [p for t in named for p in catalog.paths(paths.table_folder(t))]
        texts = [path for path in below if path.rpartition("/")[2] in KINDS and not path.startswith("tests/")]
        if not texts and len(named) == 1:
            raise Unavailable(
                "there is no query.sql to analyze, nor other SQL", at=paths.table_folder(next(iter(named)))
            )
        if not texts:
            raise InvalidInput("no table there has SQL", at=target)
        found.update(dict.fromkeys(texts))
    return list(found)


def _verdicts(workplace: Workplace, files: Sequence[str], jobs: int | None, say: Say) -> Iterator[tuple[str, Verdict]]:
    from etl_orchestrator.sql.dry_run import kept_verdict_of, verdict_of

    tools = workplace.frozen_tools()
    asked = []
    for path in files:
        kept = kept_verdict_of(path, tools)
        if kept is None:
            asked.append(path)
        else:
            yield path, kept
    progress = _Progress(len(files), len(asked), say)
    workers = min(jobs or os.cpu_count() or 1, len(asked) // _PORTION or 1)
    if workers > 1:
        yield from _elsewhere(workplace.root, asked, workers, progress)
        return
    for path in asked:
        verdict = verdict_of(path, tools)
        progress.told(verdict)
        yield path, verdict


def _elsewhere(root: Path, files: Sequence[str], workers: int, progress: _Progress) -> Iterator[tuple[str, Verdict]]:
    """Spawned, not forked: a WASM instance and an open SQLite file do not survive a fork."""
    context = multiprocessing.get_context("spawn")
    portions = [files[start : start + _PORTION] for start in range(0, len(files), _PORTION)]
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(_portion, root, portion): portion for portion in portions}
        for future in as_completed(waiting):
            try:
                done = future.result()
            except BrokenProcessPool as error:
                message = f"the process that asked died: {error}"
                done = [{"verdict": "unchecked", "message": message, "at": path, "fix": ""} for path in waiting[future]]
            for path, verdict in zip(waiting[future], done, strict=True):
                progress.told(verdict)
                yield path, verdict


def _portion(root: Path, files: Sequence[str]) -> list[Verdict]:
    from etl_orchestrator.sql.dry_run import verdict_of

    tools = _tools(root)
    return [verdict_of(path, tools) for path in files]


@lru_cache(maxsize=1)
def _tools(root: Path) -> Tools:
    """The same for the life of a process that is there for one call, so that the engine starts once."""
    return Workplace(root).frozen_tools()


class _Progress:
    """A line every few seconds, and none when the work is short."""

    def __init__(self, files: int, asked: int, say: Say) -> None:
        self._files, self._asked, self._say = files, asked, say
        self._counts: Counter[str] = Counter()
        self._spoken = time.monotonic()

    def told(self, verdict: Verdict) -> None:
        self._counts[verdict["verdict"]] += 1
        done, now = self._counts.total(), time.monotonic()
        if now - self._spoken > _SECONDS_BETWEEN_LINES or (done == self._asked and done > 100):
            self._spoken = now
            kept = f", {self._files - self._asked} as before" if self._files > self._asked else ""
            counts = ", ".join(f"{number} {word}" for word, number in sorted(self._counts.items()))
            self._say(f"validated {done} of {self._asked}{kept}: {counts}")


def _outcome(path: str, verdict: Verdict, alone: bool) -> Outcome:
    from etl_orchestrator.gates.query.refused_query import GATE
    from etl_orchestrator.sql.resolution import unpacked

    table = str(paths.table_of(path))
    data: dict[str, Any] = {"path": path, "tables": verdict.get("tables", [])}
    if alone:
        data["columns"] = _columns(unpacked(verdict.get("columns", [])))
    if verdict["verdict"] == "accepted":
        return Outcome("validate", "delivered", table=table, data=data)
    if verdict["verdict"] == "refused":
        finding = found(GATE, verdict["message"], verdict["at"], "correct the query")
        return Outcome("validate", "open", table=table, findings=(finding,), data=data)
    kind = Unavailable if verdict["verdict"] == "unknown" else Unsupported
    error = kind(verdict["message"], at=verdict["at"], fix=verdict["fix"] or None)
    return of_error("validate", error, table=table, data=data)


def _columns(schema: Schema) -> list[dict[str, Any]]:
    def one(field: Field) -> dict[str, Any]:
        nested = {"fields": _columns(field.fields)} if field.fields else {}
        return {"name": field.name, "type": field.type, "mode": field.mode, **nested}

    return [one(field) for field in schema]


def _summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """How many files have which verdict, and the causes of those that are not accepted, the most frequent first."""
    causes = Counter((v["verdict"], cause_of(v)) for v in verdicts if v["verdict"] != "accepted")
    return {
        "files": len(verdicts),
        "verdicts": dict(Counter(verdict["verdict"] for verdict in verdicts)),
        "causes": [{"verdict": kind, "cause": cause, "files": n} for (kind, cause), n in causes.most_common()],
    }


def cause_of(verdict: Verdict) -> str:
    """Why a file is not accepted, in words that are the same for all files of that cause."""
    message = str(verdict["message"]).split("\n", 1)[0]
    if "is refused: " in message:
        return f"reads what is refused in {verdict['at']}: {message.partition('is refused: ')[2]}"
    missing = re.search(r"`[^`]+`", message)
    if verdict["verdict"] == "unknown" and missing:
        return f"{missing[0]}: {message.replace(missing[0], 'it')}"
    return message
