"""A query that gives other rows than the test expects.

What it checks
    The query's rows on the fixtures equal the expected rows, in any order.
Why
    The expectation comes from the requirement: where they differ, the query does not do what was asked.
Example
    The requirement says a client without a country stays; the query's inner join drops it.
Repair
    Correct the query; the model goes back to phase query. Only when the requirement itself was misread is the
    example or the requirement changed. Never copy the output into expect.yaml.
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
    failed = [trial for trial in ran if trial.cause == "logic"]
    fix = "correct the query, or the requirement if it was misread; never copy the output"
    findings = [found(GATE, f"{trial.name}: {trial.detail}", trial.at, fix) for trial in failed]
    ran_well = [trial for trial in ran if not trial.cause]
    rows = sum(len(trial.test.expect) for trial in ran_well if trial.test)
    said = f"{len(ran_well)} of {len(ran)} tests passed, {rows} expected rows, on {tools.runner.name}"
    notes = [f"{trial.name}: {note}" for trial in ran_well for note in (trial.detail, trial.rows.note) if note]
    return verdict(findings, "; ".join([said, *notes]))


GATE = Gate("TST006", "wrong_rows", "query", check)
