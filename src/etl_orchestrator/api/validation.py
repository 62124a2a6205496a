"""The dry run of any SQL files of a repository, a few or all of them."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from etl_orchestrator.api.many import Answer, Asking, Say, answers
from etl_orchestrator.api.targets import relative, standing, tables
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import InvalidInput, OrchestratorError, Unavailable, Unsupported
from etl_orchestrator.layout import paths
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.table import Field, Schema, unpacked
from etl_orchestrator.tools import PROVIDED

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


def validate(workplace: Workplace, targets: Sequence[str], jobs: int | None = None, say: Say | None = None) -> Outcome:
    """What the analyzer says of SQL files, `jobs` at a time (as many as there are processors, when many are to be asked).

    A file that nothing has changed for since it was last asked is not asked again. `say` is told how far the work is.
    """
    began = time.perf_counter()
    try:
        files = _files(workplace, targets)
        verdicts = dict(answers(workplace.frozen(), VALIDATING, files, jobs, say))
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
            raise Unavailable("there is no query.sql to analyze, nor other SQL", at=paths.table_folder(named[0]))
        if not texts:
            raise InvalidInput("no table there has SQL", at=target)
        found.update(dict.fromkeys(texts))
    return list(found)


def _kept(workplace: Workplace, path: str) -> Answer | None:
    from etl_orchestrator.sql.dry_run import kept_verdict_of

    return kept_verdict_of(path, workplace.tools)


def _verdict(workplace: Workplace, path: str) -> Answer:
    from etl_orchestrator.sql.dry_run import verdict_of

    return verdict_of(path, workplace.tools)


def _died(path: str, why: str) -> Answer:
    return {"verdict": "unchecked", "message": why, "at": path, "fix": ""}


VALIDATING = Asking("validated", _kept, _verdict, _died)


def _outcome(path: str, verdict: Answer, alone: bool) -> Outcome:
    table = str(paths.table_of(path))
    data: dict[str, Any] = {"path": path, "tables": verdict.get("tables", []), "notes": verdict.get("notes", [])}
    if alone:
        data["columns"] = _columns(unpacked(verdict.get("columns", [])))
    if verdict["verdict"] == "accepted":
        return Outcome("validate", "delivered", table=table, data=data)
    if verdict["verdict"] == "refused":
        from etl_orchestrator.gates.query.refused_query import GATE
        from etl_orchestrator.phase import found

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


def _summary(verdicts: Sequence[Answer]) -> dict[str, Any]:
    """How many files have which verdict, how many of the accepted on a condition (`provided`), and the causes of those that
    are not accepted, the most frequent first."""
    causes = Counter((v["verdict"], cause_of(v)) for v in verdicts if v["verdict"] != "accepted")
    return {
        "files": len(verdicts),
        "verdicts": dict(Counter(verdict["verdict"] for verdict in verdicts)),
        "provided": sum(is_provided(verdict) for verdict in verdicts),
        "causes": [{"verdict": kind, "cause": cause, "files": n} for (kind, cause), n in causes.most_common()],
    }


def is_provided(verdict: Answer) -> bool:
    """Whether a file is accepted on a condition that no file tells to hold."""
    return any(note.startswith(PROVIDED) for note in verdict.get("notes", ()))


def cause_of(verdict: Answer) -> str:
    """Why a file is not accepted, in words that are the same for all files of that cause."""
    message = str(verdict["message"]).split("\n", 1)[0]
    if "is refused: " in message:
        return f"reads what is refused in {verdict['at']}: {message.partition('is refused: ')[2]}"
    missing = re.search(r"`[^`]+`", message)
    if verdict["verdict"] == "unknown" and missing:
        return f"{missing[0]}: {message.replace(missing[0], 'it')}"
    return message
