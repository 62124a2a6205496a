"""A run that must fail and does not.

What it checks
    For each condition of `refuse_when` the query is run on rows for which it holds, and has to end with an error there.
    The repository's own tests cannot say that a query must fail, so these rows are no files. A condition for which no
    rows are found is not proved: the report names it.
Why
    A guard is asked for because going on would do harm; one that does not fire is worse than none.
Example
    `refuse_when: [{condition: COUNT(*) = 0, message: no orders}]`, and a query that returns no rows on an empty day.
Repair
    Put the guard back into the query: a row whose condition calls ERROR with the message.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.proving.fixtures import guard_cases
from etl_orchestrator.proving.trial import run_test, schema_of
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None or not requirements.request.refuse_when:
        return NotDue("no run is to be refused")
    query = paths.query_sql(model.table)
    if model.text(query) is None:
        return NotDue("the model has no query.sql")
    schemas = {table: schema_of(table, model, tools) or () for table in requirements.sources}
    guards = guard_cases(requirements, schemas)
    reached = [(guard, guard.case) for guard in guards if guard.case]
    findings = []
    for guard, case in reached:
        if run_test(model, tools, SqlTest(case.name, case.tables, case.parameters)).problem is None:
            message = f"on rows for which `{guard.condition}` holds the run must fail ({guard.message}), and gives rows"
            findings.append(found(GATE, message, query, "put the guard of `refuse_when` back"))
    missed = ", ".join(f"`{guard.condition}`" for guard in guards if guard.case is None)
    if not reached:
        return NotDue(f"no rows were found for which these hold: {missed or 'conditions of an adopted query'}")
    told = f"the query fails on rows for which each of {len(reached)} conditions holds, as it must"
    return verdict(findings, f"{told}; no rows were found for {missed}" if missed else told)


GATE = Gate("TST012", "unrefused_run", "query", check)
