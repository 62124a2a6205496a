"""The one envelope of every verb: what the CLI prints with --json.

version     1
verb        build, plan, check, …
status      delivered | open | needs_answers | unchecked | refused | failed
table       project.dataset.table, null for verbs about no single table
requirements  path of the requirements file of a batch's entry, else null
run         id of the run, for `resume`; null when there is none
questions   [{element, text, candidates, at}]
findings    [{code, name, message, at, owner, fix}]
unchecked   [{code, name, reason}]
assumptions [what was inferred at the door, in words]
decisions   {name: {value, reason}} of the plan
artifacts   [{path, bytes, made_by, changed, notes: [{at, source, text}]}]
evidence    [{phase, code, name, verdict, text}] one per gate, by its latest visit
phases      [{phase, says, seconds, sent_back_to}] in order of visits
error       null, or {message, at, fix}: why we could not do our work
report      path of the Markdown report, null when there is none
next        the command to run next, "" when nothing is left to do
seconds     wall time
results     envelopes of the single files of a batch
data        what a verb that lists or computes something answers with
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, Refused, Unavailable

if TYPE_CHECKING:  # an outcome carries them; a start that validates a file makes none
    from etl_orchestrator.finding import Finding, Verdict
    from etl_orchestrator.model import Artifact
    from etl_orchestrator.plan import Decision, Plan
    from etl_orchestrator.requirements import Question
    from etl_orchestrator.run import Answer, Run, Status, Visit

#: Exit code by status; a usage error is 2 as well.
EXIT_CODES: dict[str, int] = {
    "delivered": 0,
    "open": 1,
    "failed": 1,
    "refused": 2,
    "needs_answers": 3,
    "unchecked": 4,
}

#: Worst first: the status of a batch is the worst of its files.
_SEVERITY = ("failed", "refused", "open", "unchecked", "needs_answers", "delivered")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The envelope as a value; `as_dict` is its JSON."""

    verb: str
    status: Status
    table: str | None = None
    requirements: str | None = None
    run: str | None = None
    questions: tuple[Question, ...] = ()
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    artifacts: tuple[Artifact, ...] = ()
    changed: tuple[str, ...] = ()
    visits: tuple[Visit, ...] = ()
    answers: tuple[tuple[str, Answer], ...] = ()  # (phase, answer)
    error: OrchestratorError | None = None
    report: str | None = None
    next: str = ""
    seconds: float = 0.0
    results: tuple[Outcome, ...] = ()
    data: Any = None
    assumptions: tuple[str, ...] = field(default=())
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """As in the README; refused for another reason than bad input (a locked table) is 1, not 2."""
        if self.results:
            return max((r.exit_code for r in self.results if r.status == self.status), default=EXIT_CODES[self.status])
        if self.status == "refused" and self.error is not None and not isinstance(self.error, InvalidInput):
            return 1
        return EXIT_CODES[self.status]

    @property
    def unchecked(self) -> tuple[Answer, ...]:
        """Each gate once, though several rooms ask it."""
        from etl_orchestrator.finding import Unchecked

        found = {answer.code: answer for _, answer in self.answers if isinstance(answer.verdict, Unchecked)}
        return tuple(found.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "version": 1,
            "verb": self.verb,
            "status": self.status,
            "table": self.table,
            "requirements": self.requirements,
            "run": self.run,
            "questions": [{**asdict(q), "candidates": list(q.candidates)} for q in self.questions],
            "findings": [asdict(finding) for finding in self.findings],
            "unchecked": [{"code": a.code, "name": a.name, "reason": said(a.verdict)[1]} for a in self.unchecked],
            "assumptions": list(self.assumptions),
            "decisions": {name: asdict(decision) for name, decision in decisions(self.plan)},
            "artifacts": [
                {
                    "path": artifact.path,
                    "bytes": len(artifact.text.encode()),
                    "made_by": artifact.made_by,
                    "changed": artifact.path in self.changed,
                    "notes": [asdict(note) for note in artifact.notes],
                }
                for artifact in self.artifacts
            ],
            "evidence": [
                {
                    "phase": phase,
                    "code": a.code,
                    "name": a.name,
                    "verdict": said(a.verdict)[0],
                    "text": said(a.verdict)[1],
                }
                for phase, a in self.answers
            ],
            "phases": [
                {"phase": v.phase, "says": v.says, "seconds": round(v.seconds, 3), "sent_back_to": v.sent_back_to}
                for v in self.visits
            ],
            "error": self.error and {"message": self.error.message, "at": self.error.at, "fix": self.error.fix},
            "report": self.report,
            "next": self.next,
            "seconds": round(self.seconds, 3),
            "results": [result.as_dict() for result in self.results],
            "data": self.data,
        }


def said(verdict: Verdict) -> tuple[str, str]:
    """A verdict as one word and its text."""
    from etl_orchestrator.finding import Failed, NotDue, Passed, Unchecked

    match verdict:
        case Passed(evidence):
            return "passed", evidence
        case Failed(findings):
            return "failed", "; ".join(finding.message for finding in findings)
        case Unchecked(reason):
            return "unchecked", reason
        case NotDue(reason):
            return "not_due", reason


def decisions(plan: Plan | None) -> list[tuple[str, Decision]]:
    """The decisions of a plan by name, in the order a person reads them."""
    if plan is None:
        return []
    names = (
        "query_type", "refresh", "dag", "tier", "owners", "partitioning", "clustering", "monitoring", "friendly_name",
    )  # fmt: skip
    return [(name, getattr(plan, name)) for name in names]


def of_run(verb: str, run: Run, **more: Any) -> Outcome:
    """The envelope of a run as it stands."""
    answers = tuple((visit.phase, answer) for visit in run.latest.values() for answer in visit.answers)
    error = OrchestratorError(run.ended) if run.status == "failed" else None
    requirements = run.model.requirements
    return Outcome(
        verb=verb,
        status=run.status,
        table=str(run.table),
        run=run.id,
        findings=run.findings if run.status == "open" else (),
        plan=run.model.plan,
        artifacts=run.model.artifacts,
        visits=run.visits,
        answers=answers,
        error=error,
        assumptions=requirements.assumptions if requirements else (),
        **more,
    )


def of_error(verb: str, error: OrchestratorError, **more: Any) -> Outcome:
    """The envelope of work that could not be done."""
    status: Status = "failed"
    if isinstance(error, InvalidInput | Refused):
        status = "refused"
    elif isinstance(error, Unavailable | EngineError):
        status = "unchecked"
    return Outcome(verb=verb, status=status, error=error, **more)


def of_batch(verb: str, results: Sequence[Outcome], seconds: float) -> Outcome:
    """One envelope over several: the worst status, everything else inside `results`."""
    if len(results) == 1:
        return results[0]
    status = next(s for s in _SEVERITY if any(r.status == s for r in results) or s == "delivered")
    return Outcome(verb=verb, status=status, results=tuple(results), seconds=seconds)  # type: ignore[arg-type]
