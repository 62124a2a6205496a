"""The only loop: walks a model past the rooms, and back to the owner of a finding.

A gate answers with findings, a finding names the phase which owns the repair, the model goes back to the earliest owner
and is walked on from there, so that every later gate is asked again. The loop ends when the last room is left, when
only a person can mend what is open, when the owner made the very same thing again, or when its budget is spent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from etl_orchestrator.errors import EngineError, OrchestratorError, Unavailable
from etl_orchestrator.finding import Finding, Unchecked
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, Phase
from etl_orchestrator.run import Answer, Run, Status, Visit
from etl_orchestrator.tools import Tools

#: How often the model may be sent back to one phase before the run ends with what is open.
MAX_RETURNS = 3


def drive(
    run: Run,
    tools: Tools,
    phases: Sequence[Phase],
    entered: Callable[[Run, Phase], None] = lambda run, phase: None,
    left: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Walk `run` from where it stands to its end. `left` is called after each visit, before the next begins."""
    begun = len(run.visits)
    position = _start(run, phases)
    while run.status == "running":
        if position == len(phases):
            return _finished(run)
        phase = phases[position]
        entered(run, phase)
        visit, model = _visit(run.model, phase, tools, [p.name for p in phases[: position + 1]])
        run = _settled(run, visit, model, begun)
        left(run)
        position = _next(run, phases)
    return run


def _next(run: Run, phases: Sequence[Phase]) -> int:
    names = [phase.name for phase in phases]
    if not run.visits:
        return 0
    last = run.visits[-1]
    if last.sent_back_to:
        return names.index(last.sent_back_to)
    # A resumed run that had ended asks the room in which it stood again.
    return names.index(last.phase) + (0 if last.findings or last.trouble else 1)


def _start(run: Run, phases: Sequence[Phase]) -> int:
    """Where a run goes on. One that had come to the end without all answers goes back to the first missing one."""
    position = _next(run, phases)
    if position < len(phases):
        return position
    names = [phase.name for phase in phases]
    return min((names.index(name) for name, visit in run.latest.items() if visit.unchecked), default=position)


def _visit(model: Model, phase: Phase, tools: Tools, behind: list[str]) -> tuple[Visit, Model]:
    """Work in one room and ask its gates; `behind` are the phases a model can be sent back to."""
    began = time.perf_counter()
    try:
        made = phase.work(model, tools)
    except OrchestratorError as error:
        seconds = time.perf_counter() - began
        unchecked = isinstance(error, Unavailable | EngineError)
        answers: tuple[Answer, ...] = (Answer("", phase.name, Unchecked(str(error))),) if unchecked else ()
        return Visit(phase.name, "", answers, seconds, model.digest, trouble=str(error)), model
    answers = tuple(ask(gate, made, tools) for gate in phase.gates)
    visit = Visit(phase.name, phase.says(made), answers, time.perf_counter() - began, made.digest)
    owner = _earliest(visit.findings, behind)
    if owner is not None:
        visit = replace(visit, sent_back_to=owner)
    return visit, replace(made, findings=visit.findings if visit.findings else made.findings)


def ask(gate: Gate, model: Model, tools: Tools) -> Answer:
    """One gate's answer; a tool that cannot know makes it Unchecked, never passed."""
    began = time.perf_counter()
    try:
        verdict = gate.check(model, tools)
    except OrchestratorError as error:  # also input that another gate calls unreadable: this one could not look
        verdict = Unchecked(str(error))
    return Answer(gate.code, gate.name, verdict, time.perf_counter() - began)


def _earliest(findings: Sequence[Finding], behind: list[str]) -> str | None:
    owners = {finding.owner for finding in findings}
    return next((name for name in behind if name in owners), None)


def _settled(run: Run, visit: Visit, model: Model, begun: int) -> Run:
    """The run after a visit, ended when there is no use in going on. Visits before `begun` were another sitting's."""
    after = run.after(visit, model)
    if visit.trouble:
        status: Status = "unchecked" if visit.unchecked else "failed"
        return replace(after, status=status, ended=visit.trouble)
    if not visit.findings:
        return after
    if visit.sent_back_to is None:
        return _ended(after, visit, "only a person can mend what is open")
    sitting = run.visits[begun:]
    if any(earlier.findings == visit.findings and earlier.digest == visit.digest for earlier in sitting):
        return _ended(after, visit, f"phase {visit.sent_back_to} made the same again")
    if run.returns(visit.sent_back_to) >= MAX_RETURNS:
        return _ended(after, visit, f"phase {visit.sent_back_to} was asked {MAX_RETURNS} times to mend it")
    return after


def _ended(run: Run, last: Visit, why: str) -> Run:
    """The run ended as open; its last visit sends nobody back, so that a resume asks this room again."""
    return replace(run, visits=(*run.visits[:-1], replace(last, sent_back_to=None)), status="open", ended=why)


def _finished(run: Run) -> Run:
    if run.unchecked:
        return replace(run, status="unchecked", ended="a gate that was due could not be asked")
    return replace(run, status="delivered", model=replace(run.model, findings=()))
