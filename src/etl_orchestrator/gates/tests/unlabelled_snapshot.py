"""A snapshot of the query's output that does not say so.

What it checks
    Every expectation which the requirements cannot tell (no worked example, and their evaluation does not cover some
    column) carries the label `snapshot`.
Why
    An expectation copied from the output cannot fail. It may stand there for a person to read, never as a proof.
Example
    The expected rows of an adopted query were recorded from its output, and expect.yaml does not tell.
Repair
    Put `# labels: snapshot` back at the head of expect.yaml, or give a worked example in the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.trial import trials
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None:
        return NotDue("no requirements stand behind this table")
    labelled = [trial for trial in trials(model, tools) if trial.test and trial.test.labels]
    if not labelled:
        return NotDue("no expectation says where it comes from: they were written by hand")
    snapshots = 0
    findings = []
    for trial in labelled:
        test = trial.test
        if test is None or "example" in test.labels:
            continue
        untold = _untold(requirements, test)
        snapshots += bool(untold)
        if untold and "snapshot" not in test.labels:
            message = f"{trial.name} expects values that only the query can tell ({untold}) without saying so"
            findings.append(found(GATE, message, trial.at, "put `# labels: snapshot` at the head of the file"))
    return verdict(findings, f"{snapshots} of {len(labelled)} expectations hold snapshots, all labelled")


def _untold(requirements: Requirements, test: SqlTest) -> str:
    """Why the requirements cannot tell these rows, "" when they can."""
    try:
        expected = expected_rows(requirements, test.tables, test.parameters, is_init=test.is_first_run)
    except CannotTell as doubt:
        return doubt.message
    return ", ".join(expected.unknown)


GATE = Gate("TST009", "unlabelled_snapshot", "tests", check)
