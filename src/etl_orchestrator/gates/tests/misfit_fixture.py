"""A fixture that does not fit the schema of its table.

What it checks
    Every fixture, parameter file and expectation can be read, and every value fits the type of its column.
Why
    A value of another type is cast or dropped silently by one engine and refused by the next: the test then proves
    nothing.
Example
    `order_date: yesterday` in a column of type DATE.
Repair
    Correct the value, or the schema of the source.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.tests._reading import trials_of
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    ran = trials_of(model, tools)
    if isinstance(ran, NotDue):
        return ran
    findings = [
        found(GATE, trial.detail, trial.at, "make the value fit the schema of the table")
        for trial in ran
        if trial.cause == "fixture" and not trial.unfixtured
    ]
    return verdict(findings, f"the files of {len(ran)} tests fit their schemas")


GATE = Gate("TST003", "misfit_fixture", "tests", check)
