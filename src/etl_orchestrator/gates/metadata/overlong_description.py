"""A description that BigQuery cuts off or refuses.

What it checks
    No description of a field is longer than 1,024 characters, none of the table longer than 16,384.
Why
    The deploy of the schema fails at the first one that is.
Example
    A column described by a pasted page of documentation.
Repair
    Say it shorter, and link to the page.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import walk
from etl_orchestrator.tools import Tools

#: https://cloud.google.com/bigquery/quotas#all_tables
_FIELD, _TABLE = 1024, 16384


def check(model: Model, tools: Tools) -> Verdict:
    schema = own_files.readable_schema(model, tools.catalog)
    metadata = own_files.readable_metadata(model)
    if isinstance(schema, NotDue) and isinstance(metadata, NotDue):
        return NotDue("there is neither schema.yaml nor metadata.yaml to read")
    findings = []
    fields = () if isinstance(schema, NotDue) else walk(schema)
    for name, field in fields:
        length = len(field.description or "")
        if length > _FIELD:
            message = f"the description of `{name}` has {length} characters, {_FIELD} are allowed"
            findings.append(found(GATE, message, paths.schema_yaml(model.table), "say it shorter"))
    length = 0 if isinstance(metadata, NotDue) else len(metadata.description or "")
    if length > _TABLE:
        message = f"the description of the table has {length} characters, {_TABLE} are allowed"
        findings.append(found(GATE, message, paths.metadata_yaml(model.table), "say it shorter"))
    return verdict(findings, f"{len(fields)} descriptions of fields and the table's are short enough")


GATE = Gate("MET004", "overlong_description", "requirements", check)
