"""An expectation with a column that the query does not give.

What it checks
    The rows of expect.yaml use output columns of the query only.
Why
    A misspelt column is compared with nothing. This is the one case in which the expectation, not the query, is
    mended.
Example
    expect.yaml says `n_order: 3`, the query gives `n_orders`.
Repair
    Rename the column in expect.yaml.
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
        found(GATE, trial.detail, trial.at, "name the columns as the query does")
        for trial in ran
        if trial.cause == "schema"
    ]
    return verdict(findings, f"{len(ran)} expectations use output columns only")


GATE = Gate("TST005", "misshapen_expectation", "tests", check)
