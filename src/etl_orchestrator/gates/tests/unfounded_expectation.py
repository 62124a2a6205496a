"""An expectation that claims to come from the requirements and does not.

What it checks
    The rows of every expectation labelled `requirement` are evaluated from the requirements once more, without the query,
    and compared; columns that the evaluation cannot tell are left out.
Why
    An author who bends the expectation until the query passes has made a test that cannot fail.
Example
    The requirements give two rows of revenue 3 and 4, expect.yaml says 3 and 5 because the query printed it.
Repair
    Build the tests again, or change the requirements if they were wrong.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.layout.sql_test_compare import Difference, compare
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
    claimed = [trial for trial in trials(model, tools) if trial.test and "requirement" in trial.test.labels]
    if not claimed:
        return NotDue("no expectation claims to come from the requirements")
    findings = []
    for trial in claimed:
        if trial.test is None:
            continue
        differences = _differences(requirements, trial.test)
        if differences:
            message = f"{trial.name} is not what the requirements say: {'; '.join(map(str, differences))}"
            findings.append(found(GATE, message, trial.at, "build the tests again"))
    return verdict(findings, f"{len(claimed)} expectations agree with the requirements")


def _differences(requirements: Requirements, test: SqlTest) -> tuple[Difference, ...]:
    try:
        expected = expected_rows(requirements, test.tables, test.parameters, is_init=test.name == "test_init")
    except CannotTell as doubt:
        return (Difference(-1, "", None, doubt.message),)
    told = [{name: value for name, value in row.items() if name not in expected.unknown} for row in test.expect]
    return compare(expected.rows, told, strict=True)


GATE = Gate("TST011", "unfounded_expectation", "tests", check)
