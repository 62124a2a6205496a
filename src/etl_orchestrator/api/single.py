"""The single tools: check, schema and test of what already stands in a repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from etl_orchestrator.api.targets import models
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.driver import ask
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.finding import Failed, Unchecked
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.run import Answer, Status


def check(workplace: Workplace, targets: Sequence[str]) -> Outcome:
    """Every gate asked of models that stand in the repository, made by us or by hand."""
    return _each(workplace, "check", targets, lambda model: _checked(workplace, model))


def schema(workplace: Workplace, targets: Sequence[str], write: bool = False, describe: bool = False) -> Outcome:
    """schema.yaml with the columns of the query's output; `write` changes the file where they differ, and only there.

    With `describe`, fields without a description get one."""

    def one(model: Model) -> Outcome:
        from etl_orchestrator.skills import metadata_manager

        artifact = metadata_manager.updated_schema(model, workplace.tools, describe)
        differs = model.text(artifact.path) != artifact.text
        write_now = write and differs
        changed = workplace.store.write({artifact.path: artifact.text}, overwrite=True) if write_now else ()
        data = {"path": artifact.path, "text": artifact.text, "differs": differs}
        return Outcome("schema", "delivered", table=str(model.table), artifacts=(artifact,), changed=changed, data=data)

    return _each(workplace, "schema", targets, one)


def _each(
    workplace: Workplace, verb: str, targets: Sequence[str], one: Callable[[Model], Outcome], needed: str = ""
) -> Outcome:
    """`one` over every model; what fails for one model does not stop the others."""
    began = time.perf_counter()
    results = []
    try:
        found = models(workplace, targets, needed)
    except OrchestratorError as error:
        return of_error(verb, error, seconds=time.perf_counter() - began)
    for model in found:
        start = time.perf_counter()
        try:
            result = one(model)
        except OrchestratorError as error:
            result = of_error(verb, error, table=str(model.table))
        results.append(replace(result, seconds=time.perf_counter() - start))
    return of_batch(verb, results, time.perf_counter() - began)


def _checked(workplace: Workplace, model: Model) -> Outcome:
    from etl_orchestrator.phases.order import PHASES

    model = _remembered(workplace, model)
    rooms = [phase for phase in PHASES if phase.name != "validation"]
    final = next(phase for phase in PHASES if phase.name == "validation")
    earlier = {gate.code for room in rooms for gate in room.gates}
    answers = [(room.name, ask(gate, model, workplace.tools)) for room in rooms for gate in room.gates]
    own = [gate for gate in final.gates if gate.code not in earlier]
    return _asked("check", model, answers + [(final.name, ask(gate, model, workplace.tools)) for gate in own])


def _remembered(workplace: Workplace, model: Model) -> Model:
    """The model with the requirements and the plan of the run that published it, if one of this repository did."""
    home = f"{paths.table_folder(model.table)}/"
    for event in reversed(workplace.store.events(kinds=("published",))):
        if any(path.startswith(home) for path in event.payload["files"]):
            built, _ = workplace.store.fold(event.run)
            return replace(model, requirements=built.model.requirements, plan=built.model.plan)
    return model


def _asked(verb: str, model: Model, answers: list[tuple[str, Answer]]) -> Outcome:
    findings = tuple(f for _, a in answers if isinstance(a.verdict, Failed) for f in a.verdict.findings)
    unchecked = any(isinstance(a.verdict, Unchecked) for _, a in answers)
    status: Status = "open" if findings else "unchecked" if unchecked else "delivered"
    return Outcome(
        verb, status, table=str(model.table), findings=findings, artifacts=model.artifacts, answers=tuple(answers)
    )
