"""What happened: the journal folded into one value. `resume` is the fold again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from etl_orchestrator.finding import Failed, Finding, Passed, Unchecked, Verdict
from etl_orchestrator.model import Delivery, Model
from etl_orchestrator.table import TableRef

#: How a run stands: running until it ends; "unchecked" when a due gate could not be asked; "failed" when we could
#: not do our work (an engine that crashed); "refused" when it was not to be done at all (existing files, bad input).
Status = Literal["running", "delivered", "open", "needs_answers", "unchecked", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One gate's verdict in one visit; `seconds` is wall time."""

    code: str
    name: str
    verdict: Verdict
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one room. `sent_back_to` is the owner of the earliest repair; `says` what was decided or made;
    `trouble` why the room could not do its work."""

    phase: str
    says: str
    answers: tuple[Answer, ...]
    seconds: float
    digest: str  # of the model that left the room
    sent_back_to: str | None = None
    trouble: str | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(f for a in self.answers if isinstance(a.verdict, Failed) for f in a.verdict.findings)

    @property
    def unchecked(self) -> tuple[Answer, ...]:
        return tuple(a for a in self.answers if isinstance(a.verdict, Unchecked))


@dataclass(frozen=True, slots=True)
class Run:
    """A model on its way: all visits in order and the model as it left the last one."""

    id: str
    table: TableRef
    model: Model
    visits: tuple[Visit, ...] = ()
    status: Status = "running"
    ended: str = ""  # why it ended, in words; "" while running or when delivered

    def after(self, visit: Visit, model: Model) -> Run:
        return replace(self, visits=(*self.visits, visit), model=model)

    def returns(self, phase: str) -> int:
        """How often the model was sent back to this phase."""
        return sum(visit.sent_back_to == phase for visit in self.visits)

    @property
    def latest(self) -> dict[str, Visit]:
        """The last visit of each phase, those before the latest return of the model to an earlier room included."""
        return {visit.phase: visit for visit in self.visits}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Open findings: those of the last visit."""
        return self.visits[-1].findings if self.visits else ()

    @property
    def unchecked(self) -> tuple[Answer, ...]:
        """Gates that were due and could not be asked, each once, by the latest visits."""
        found = {answer.code: answer for visit in self.latest.values() for answer in visit.unchecked}
        return tuple(found[code] for code in sorted(found))

    @property
    def asked(self) -> int:
        """How many gate verdicts were given in the whole run, NotDue not counted."""
        return sum(isinstance(a.verdict, Passed | Failed) for visit in self.visits for a in visit.answers)

    @property
    def delivery(self) -> Delivery | None:
        """What may be published: the model with the digest of the bytes that the last asking room judged, which
        `publish` compares with the bytes themselves."""
        judged = next((visit.digest for visit in reversed(self.visits) if visit.answers), None)
        return Delivery(self.model, judged or "") if self.status == "delivered" else None
