"""An expectation that is not what the requirements say.

What it checks
    The rows of every expectation are evaluated from the requirements once more, without the query, and compared, whatever
    its label says; columns that the evaluation cannot tell are left out. One labelled `example` is held to be one of the
    worked examples of the requirements.
Why
    An author who bends the expectation until the query passes has made a test that cannot fail.
Example
    The requirements give two rows of revenue 3 and 4, expect.yaml says 3 and 5 because the query printed it.
Repair
    Build the tests again, or change the requirements if they were wrong.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.tests._reading import examples_of, is_run_by
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.layout.sql_test_compare import compare
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.trial import trials
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None:
        return NotDue("no requirements stand behind this table")
    judged = [(trial, trial.test) for trial in trials(model, tools) if trial.test]
    if not judged:
        return NotDue("there are no tests that can be read")
    examples = examples_of(requirements, model, tools)
    findings = []
    for trial, test in judged:
        if any(is_run_by(example, test) for example in examples):
            continue
        wrong = "is labelled an example and is none" if "example" in test.labels else _difference(requirements, test)
        if wrong:
            findings.append(found(GATE, f"{trial.name} {wrong}", trial.at, "build the tests again"))
    return verdict(findings, f"{len(judged)} expectations agree with the requirements where these can tell")


def _difference(requirements: Requirements, test: SqlTest) -> str:
    try:
        expected = expected_rows(requirements, test.tables, test.parameters, is_init=test.is_first_run)
    except QueryFails as failure:
        return f"expects rows where the run must fail: {failure.message}"
    except CannotTell as doubt:
        told = f"claims to come from the requirements, which cannot tell: {doubt.message}"
        return told if "requirement" in test.labels else ""
    known = [{name: value for name, value in row.items() if name not in expected.unknown} for row in test.expect]
    differences = compare(expected.rows, known, expected.unordered)
    return f"is not what the requirements say: {'; '.join(map(str, differences))}" if differences else ""


GATE = Gate("TST011", "unfounded_expectation", "tests", check)
