"""A source whose columns nobody knows.

What it checks
    Every source has a schema with columns: in the repository, among the pipeline's schemas, or declared inline. Where a
    catalog cannot know, the gate is unchecked.
Why
    Without it no query can be analyzed, no fixture be typed and no description be traced.
Example
    `sources` names `acme-crm.export.leads_v1`, and no catalog knows that project.
Repair
    Declare its columns under `sources: schema:`, or give the catalog that knows them.
"""

from __future__ import annotations

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.finding import NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None:
        return NotDue("no requirements stand behind this table")
    sources = [source for source in requirements.sources if source != model.table]
    if not sources:
        return NotDue("the model reads no other table")
    findings = []
    for source in sources:
        if str(source) in requirements.schemas:
            continue
        try:
            known = tools.catalog.schema(source)
        except Unavailable as error:
            return Unchecked(str(error))
        if known is None or not known.schema:
            said = f"{known.origin} names no column of `{source}`" if known else f"no catalog knows `{source}`"
            findings.append(
                found(GATE, said, requirements.request.at("sources"), "declare its columns under `schema:`")
            )
    return verdict(findings, f"the schemas of {len(sources)} sources are known")


GATE = Gate("PLN004", "unknown_source_schema", "requirements", check)
