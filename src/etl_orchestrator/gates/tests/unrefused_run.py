"""A run that must fail and does not.

What it checks
    Where `refuse_when` is given, the query is run on every generated case whose rows the requirements refuse, and has to
    end with an error there. The repository's own tests cannot say that a query must fail, so these cases are no files.
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
from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.fixtures import Case, cases
from etl_orchestrator.proving.oracle import expected_rows
from etl_orchestrator.proving.trial import run_test, schema_of
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import TableData, Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None or not requirements.request.refuse_when:
        return NotDue("no run is to be refused")
    query = paths.query_sql(model.table)
    if model.text(query) is None:
        return NotDue("the model has no query.sql")
    schemas = {table: schema_of(table, model, tools) or () for table in requirements.sources}
    tried = [*cases(requirements, schemas), *_emptied(cases(requirements, schemas))]
    refused = [(case, why) for case in tried if (why := _refused(requirements, case))]
    findings = []
    for case, why in refused:
        if run_test(model, tools, SqlTest(case.name, case.tables, case.parameters)).problem is None:
            message = f"on the rows of {case.name} the run must fail ({why}), and gives rows"
            findings.append(found(GATE, message, query, "put the guard of `refuse_when` back"))
    if not refused:
        return NotDue("no generated case comes to what is to be refused: no test reaches the guard")
    return verdict(findings, f"the query fails on {len(refused)} of {len(tried)} cases, as it must")


def _emptied(made: tuple[Case, ...]) -> tuple[Case, ...]:
    """The first case without any rows."""
    return tuple(
        Case("test_nothing", "no rows", {t: TableData(data.schema) for t, data in case.tables.items()}, case.parameters)
        for case in made[:1]
    )


def _refused(requirements: Requirements, case: Case) -> str:
    """Why the requirements refuse these rows, "" when they do not."""
    try:
        expected_rows(requirements, case.tables, case.parameters, is_init=case.name == "test_init")
    except QueryFails as failure:
        return failure.message
    except CannotTell:
        return ""
    return ""


GATE = Gate("TST012", "unrefused_run", "query", check)
