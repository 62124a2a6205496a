"""An output column of the requirements that the query does not give.

What it checks
    Every column of the requirements is among the output columns that the analyzer finds.
Why
    It is what was asked for.
Example
    The requirements ask for `n_orders`, and the query gives `orders`.
Repair
    Add the column to the last SELECT, under the name that was asked for.
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
    given = {column.name for column in analysis.columns}
    findings = [
        found(
            GATE,
            f"the requirements ask for `{column.name}`, which the query does not give",
            paths.query_sql(model.table),
            f"give a column named `{column.name}` in the last SELECT",
            _reading.owner_of(model),
        )
        for column in requirements.body.columns
        if column.name not in given
    ]
    return verdict(findings, f"all {len(requirements.body.columns)} columns are given")


GATE = Gate("QRY007", "missing_output_column", "query", check)
