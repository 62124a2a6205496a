"""A source of the requirements that the query does not read.

What it checks
    Every source named in the requirements is named in the rendered query, in the first run or in later ones.
Why
    Either the query forgets a table, and its rows are wrong, or the requirements promise a dependency that is none.
Example
    `sources` lists `static.country_codes_v1`, and the query joins nothing.
Repair
    Join it, or remove it from `sources`.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return _reading.NO_REQUIREMENTS
    references = _reading.references(model, tools)
    if isinstance(references, NotDue):
        return references
    read = {str(reference) for reference in references}
    read |= {f"{model.table.project}.{name}" for name in read if name.count(".") == 1}
    findings = [
        found(
            GATE,
            f"the requirements name `{source}`, which the query does not read",
            paths.query_sql(model.table),
            "read it, or remove it from `sources`",
            _reading.owner_of(model),
        )
        for source in model.requirements.sources
        if str(source) not in read
    ]
    return verdict(findings, f"all {len(model.requirements.sources)} sources are read")


GATE = Gate("QRY004", "unread_source", "query", check)
