"""Tests that expect no row at all.

What it checks
    At least one test expects at least one row.
Why
    A query that returns nothing passes every test that expects nothing.
Example
    The only test has `expect.yaml: []`, because no fixture row falls on the day of the parameter.
Repair
    Add a row that the query keeps, or an example to the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.tests._reading import trials_of
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    ran = trials_of(model, tools)
    if isinstance(ran, NotDue):
        return ran
    rows = sum(len(trial.test.expect) for trial in ran if trial.test)
    if rows or not any(trial.test for trial in ran):
        return verdict([], f"{rows} rows are expected in all")
    folder = paths.tests_folder(model.table)
    if model.requirements is not None:
        message = "no test expects a row: no rows were found that meet every condition of the requirements"
        fix = (
            "add to `examples` of the requirements rows that the table keeps, or see whether its conditions can be met"
        )
        return verdict([found(GATE, message, folder, fix, "requirements")], "")
    fix = "add a fixture row that the query keeps, and what it becomes"
    return verdict([found(GATE, "no test expects a row", folder, fix)], "")


GATE = Gate("TST007", "empty_suite", "tests", check)
