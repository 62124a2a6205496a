"""An output column that the requirements do not ask for.

What it checks
    Every output column that the analyzer finds is one of the requirements.
Why
    A column nobody asked for has no agreed meaning, and once published cannot be taken back.
Example
    A helper column `rank` is left in the last SELECT.
Repair
    Remove it from the last SELECT, or ask for it under `columns`.
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
    wanted = {column.name for column in requirements.body.columns}
    findings = [
        found(
            GATE,
            f"the query gives `{column.name}`, which the requirements do not ask for",
            paths.query_sql(model.table),
            "remove it from the last SELECT, or add it under `columns`",
            _reading.owner_of(model),
        )
        for column in analysis.columns
        if column.name not in wanted
    ]
    return verdict(findings, f"none of {len(analysis.columns)} columns was not asked for")


GATE = Gate("QRY008", "unexpected_output_column", "query", check)
