"""Every gate asked of models that stand in a repository, made by us or by hand: one of them or all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from etl_orchestrator import codec, errors
from etl_orchestrator.api.many import Answer, Asking, Say, answers
from etl_orchestrator.api.targets import tables
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.finding import Failed, Unchecked
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.run import Answer as GateAnswer
from etl_orchestrator.run import Status
from etl_orchestrator.table import TableRef

#: A table, and the run of this repository that published it or "".
Item = tuple[TableRef, str]


def check(workplace: Workplace, targets: Sequence[str], jobs: int | None = None, say: Say | None = None) -> Outcome:
    """What all gates say, `jobs` tables at a time (as many as there are processors, when many are to be asked).

    A table is not asked again when nothing has changed of what its gates looked at. `say` is told how far the work is.
    """
    began = time.perf_counter()
    try:
        place = workplace.frozen()
        runs = _publishers(place)
        items = [(table, runs.get(table, "")) for table in tables(place, targets)]
        told = dict(answers(place, CHECKING, items, jobs, say))
        results = [_outcome(place, item, told[item]) for item in items]
    except OrchestratorError as error:
        return of_error("check", error, seconds=time.perf_counter() - began)
    batch = of_batch("check", results, time.perf_counter() - began)
    return replace(batch, data=_summary(results)) if batch.results else batch


def _publishers(workplace: Workplace) -> dict[TableRef, str]:
    found = {}
    for event in workplace.store.events(kinds=("published",)):
        found.update({table: event.run for path in event.payload["files"] if (table := paths.table_of(path))})
    return found


def _key(item: Item) -> str:
    return f"check {item[0]} {item[1]}"


def _kept(workplace: Workplace, item: Item) -> Answer | None:
    from etl_orchestrator.sql.dry_run import resolved

    found = resolved(workplace.tools).kept(_key(item))
    return None if found is None else {**found, "seconds": 0.0}


def _ask(workplace: Workplace, item: Item) -> Answer:
    """The answers of all gates; or the error that kept us from asking, which is not kept."""
    from etl_orchestrator.sql.dry_run import resolved

    began = time.perf_counter()
    try:
        answer = resolved(workplace.tools).remembered(_key(item), lambda: _asked(workplace, item))
    except OrchestratorError as error:
        answer = _of_error(error)
    return {**answer, "seconds": time.perf_counter() - began}


def _died(item: Item, why: str) -> Answer:
    at = paths.table_folder(item[0])
    return {**_of_error(errors.EngineCrashed(why, at=at, fix="check it alone")), "seconds": 0.0}


CHECKING = Asking("checked", _kept, _ask, _died)


def _of_error(error: OrchestratorError) -> Answer:
    told = {"kind": type(error).__name__, "message": error.message, "at": error.at, "fix": error.fix}
    return {"verdict": of_error("check", error).status, "error": told}


def _asked(workplace: Workplace, item: Item) -> Answer:
    from etl_orchestrator.driver import ask
    from etl_orchestrator.phases.order import PHASES

    model, tools = _model(workplace, item), workplace.tools
    tools.catalog.text(paths.PROJECT_YAML)  # asked so that the answer holds as long as the lists that the gates look at
    rooms = [phase for phase in PHASES if phase.name != "validation"]
    final = next(phase for phase in PHASES if phase.name == "validation")
    earlier = {gate.code for room in rooms for gate in room.gates}
    due = [(room.name, gate) for room in rooms for gate in room.gates]
    due += [(final.name, gate) for gate in final.gates if gate.code not in earlier]
    found = tuple((name, ask(gate, model, tools)) for name, gate in due)
    return {"verdict": _status(found), "answers": codec.encode(found)}


def _model(workplace: Workplace, item: Item) -> Model:
    """As it stands, with the requirements and the plan of the run that published it."""
    from etl_orchestrator.layout import model_files

    table, run = item
    catalog = workplace.tools.catalog
    model = model_files.read_model(catalog.text, catalog.paths, table)
    if not run:
        return model
    built, _ = workplace.store.fold(run)
    return replace(model, requirements=built.model.requirements, plan=built.model.plan)


def _status(found: Sequence[tuple[str, GateAnswer]]) -> Status:
    verdicts = [answer.verdict for _, answer in found]
    if any(isinstance(verdict, Failed) for verdict in verdicts):
        return "open"
    return "unchecked" if any(isinstance(verdict, Unchecked) for verdict in verdicts) else "delivered"


def _outcome(workplace: Workplace, item: Item, answer: Answer) -> Outcome:
    table, seconds = str(item[0]), answer["seconds"]
    if "error" in answer:
        told = answer["error"]
        error = getattr(errors, told["kind"])(told["message"], at=told["at"], fix=told["fix"])
        return of_error("check", error, table=table, seconds=seconds)
    found = codec.decode(answer["answers"], tuple)
    findings = tuple(f for _, a in found if isinstance(a.verdict, Failed) for f in a.verdict.findings)
    artifacts = _model(workplace, (item[0], "")).artifacts
    return Outcome(
        "check", answer["verdict"], table, findings=findings, artifacts=artifacts, answers=found, seconds=seconds
    )


def _summary(results: Sequence[Outcome]) -> dict[str, Any]:
    """How many models end how, and how many have a finding of each gate, or one it could not be asked of."""
    failed = Counter((code, name) for r in results for code, name in {(f.code, f.name) for f in r.findings})
    unasked = Counter((answer.code, answer.name) for result in results for answer in result.unchecked)
    return {
        "models": len(results),
        "statuses": dict(Counter(result.status for result in results)),
        "open": _counted(failed),
        "unchecked": _counted(unasked),
    }


def _counted(gates: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """The most frequent first."""
    ordered = sorted(gates.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"code": code, "name": name, "models": count} for (code, name), count in ordered]
