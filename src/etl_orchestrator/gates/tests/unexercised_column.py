"""An output column that is NULL in every expected row.

What it checks
    Every output column has a value in at least one expected row of one test (arrays: a non-empty one). Columns that are
    NULL by their very expression are left out.
Why
    The repository's comparison drops columns that are NULL: such a column may hold anything and no test would
    notice.
Example
    `region` is NULL in all expected rows, since no fixture row has a known country.
Repair
    Add a fixture row in which the column gets a value, or an example to the requirements.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.tests._reading import trials_of
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_NULL = re.compile(r"\s*(?:NULL|(?:SAFE_)?CAST\s*\(\s*NULL\s+AS\b[^()]*\))\s*\Z", re.IGNORECASE)


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return NotDue("a hand-made suite is held to its own expectations")
    ran = trials_of(model, tools)
    if isinstance(ran, NotDue):
        return ran
    if not any(trial.test and trial.test.expect for trial in ran):
        return NotDue("no test expects a row (see empty_suite)")
    always_null = {column.name for column in model.requirements.body.columns if _NULL.match(column.expression or "")}
    columns = [column.name for column in ran[0].rows.columns if column.name not in always_null]
    filled = {
        name
        for trial in ran
        if trial.test
        for row in trial.test.expect
        for name, value in row.items()
        if value not in (None, [])
    }
    fix = "add a row to an example of the requirements in which it has a value"
    findings = [
        found(GATE, f"`{name}` is empty in every expected row", paths.tests_folder(model.table), fix, "requirements")
        for name in columns
        if name not in filled
    ]
    return verdict(findings, f"{len(columns)} columns have a value in some expected row")


GATE = Gate("TST008", "unexercised_column", "tests", check)
