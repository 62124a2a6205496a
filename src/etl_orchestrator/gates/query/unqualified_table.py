"""A table that is not named by project, dataset and table.

What it checks
    Every table in the rendered query is written as `project.dataset.table`; INFORMATION_SCHEMA views behind at least
    a dataset or region of a project.
Why
    The project of a shorter name is that of whoever runs the query: another one in a test, in a stage, in a backfill.
Example
    FROM shop_derived.orders_v1
Repair
    Write the project in front, the whole name in backticks.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    references = _reading.references(model, tools)
    if isinstance(references, NotDue):
        return references
    findings = [
        found(
            GATE,
            f"`{name}` is not named by project, dataset and table",
            at,
            f"write {_full(name, model)}",
            _reading.owner_of(model),
        )
        for name, at in references.items()
        if isinstance(name, str) and not _is_information_schema(name)
    ]
    return verdict(findings, f"{len(references)} tables are named in full")


def _is_information_schema(name: str) -> bool:
    before, _, view = name.upper().replace("`", "").partition("INFORMATION_SCHEMA.")
    return bool(view) and before.count(".") >= 2


def _full(name: str, model: Model) -> str:
    return f"`{model.table.project}.{name}`" if name.count(".") == 1 else "`project.dataset.table`"


GATE = Gate("QRY005", "unqualified_table", "query", check)
