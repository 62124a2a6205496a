"""A test that does not supply a table the query reads.

What it checks
    Every table that the rendered query names has a fixture in every test, before anything runs.
Why
    In the repository's own test runner such a test reads production: it is slow, it leaks, and its result changes.
Example
    The query joins `static.country_codes_v1`, the test folder holds a fixture for `clients_daily_v6` only.
Repair
    Add the fixture, an empty list when the table is to be empty.
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
        found(GATE, f"`{table}` has no fixture", trial.at, f"add {trial.at}/{table}.yaml")
        for trial in ran
        for table in trial.unfixtured
    ]
    return verdict(findings, f"every table read has a fixture in each of {len(ran)} tests")


GATE = Gate("TST002", "unfixtured_source", "tests", check)
