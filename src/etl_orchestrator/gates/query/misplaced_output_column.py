"""Output columns in another order than the requirements give them.

What it checks
    The columns that requirements and query share come in the same order.
Why
    schema.yaml, a UNION in a later model and every reader of the table go by the order.
Example
    Asked for: submission_date, client_id. Given: client_id, submission_date.
Repair
    Put the columns of the last SELECT in the order of the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    both = _reading.columns_and_requirements(model, tools)
    if isinstance(both, NotDue | Unchecked):
        return both
    analysis, requirements = both
    given = [column.name for column in analysis.columns]
    wanted = [column.name for column in requirements.body.columns if column.name in given]
    given = [name for name in given if name in wanted]
    findings = []
    differing = next(((is_, should) for is_, should in zip(given, wanted, strict=False) if is_ != should), None)
    if differing:
        is_, should = differing
        findings.append(
            found(
                GATE,
                f"`{is_}` stands where the requirements have `{should}`",
                paths.query_sql(model.table),
                f"order the last SELECT: {', '.join(wanted)}",
                _reading.owner_of(model),
            )
        )
    return verdict(findings, f"{len(wanted)} columns stand in the order of the requirements")


GATE = Gate("QRY009", "misplaced_output_column", "query", check)
