"""A query that ends with an error on a test's rows.

What it checks
    The query runs to its end on the fixtures of every test.
Why
    A query which divides by zero or casts what cannot be cast on a dozen rows will do so on a billion.
Example
    `SUM(amount) / COUNT(coupon)` in a group without coupons: division by zero.
Repair
    Correct the query (SAFE_DIVIDE, SAFE_CAST, a filter). The model goes back to phase query.
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
    findings = []
    for trial in ran:
        if trial.problem is not None:
            at = trial.problem.place(paths.query_sql(model.table))
            findings.append(found(GATE, f"on the rows of {trial.name}: {trial.problem.message}", at, f"see {trial.at}"))
    return verdict(findings, f"the query runs on the rows of {len(ran)} tests")


GATE = Gate("TST004", "failing_query", "query", check)
