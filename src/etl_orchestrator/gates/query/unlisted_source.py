"""A query that reads a table the requirements do not name.

What it checks
    Every table named in the rendered query, subqueries included, is one of the sources (or the table itself, when it
    reads itself).
Why
    A table nobody listed has no agreed schema, no fixture, and no place in the lineage a reviewer was shown.
Example
    The query joins `static.country_codes_v1`, and `sources` lists `orders_v1` only.
Repair
    Add it under `sources`, or remove it from the query.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return _reading.NO_REQUIREMENTS
    references = _reading.references(model, tools)
    if isinstance(references, NotDue):
        return references
    listed = model.requirements.sources
    findings = [
        found(
            GATE,
            f"the query reads `{reference}`, which the requirements do not name",
            at,
            "add it under `sources`, or remove it from the query",
            _reading.owner_of(model),
        )
        for reference, at in references.items()
        if isinstance(reference, TableRef) and reference not in listed
    ]
    return verdict(findings, f"the query reads only the {len(listed)} sources of the requirements")


GATE = Gate("QRY003", "unlisted_source", "query", check)
