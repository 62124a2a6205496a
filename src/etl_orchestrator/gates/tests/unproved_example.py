"""An example of the requirements that no test runs.

What it checks
    Every worked example of the requirements stands as a test with the same rows in and the same rows out.
Why
    An example is the strongest statement a person made about the table; it must not get lost.
Example
    The requirements give the example "unknown country keeps the client", and no test holds its rows.
Repair
    Build the tests again.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.tests._reading import examples_of, is_run_by
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.proving.trial import trials
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None:
        return NotDue("no requirements stand behind this table")
    examples = requirements.request.examples
    if not examples or model.text(paths.query_sql(model.table)) is None:
        return NotDue("the requirements give no examples of a query")
    tests = [trial.test for trial in trials(model, tools) if trial.test]
    folder = paths.tests_folder(model.table)
    findings = [
        found(GATE, f"the example `{example.name}` is no test", folder, "build the tests again")
        for example, wanted in zip(examples, examples_of(requirements, model, tools), strict=True)
        if not any(is_run_by(wanted, test) for test in tests)
    ]
    return verdict(findings, f"{len(examples)} examples run as tests")


GATE = Gate("TST010", "unproved_example", "tests", check)
