"""Clustering that is not the plan's, or that BigQuery does not allow.

What it checks
    The clustering columns of metadata.yaml are those of the plan, four at most, each once, each a column of the table
    whose type can be ordered and that is not REPEATED.
Why
    BigQuery refuses the table; and an unplanned order makes every reader pay.
Example
    clustering: {fields: [country, revenue]}, and revenue is a FLOAT.
Repair
    Name other columns under `clustering` of the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import Schema
from etl_orchestrator.tools import Tools

#: https://cloud.google.com/bigquery/docs/clustered-tables#limitations
_MOST = 4
_FITTING = frozenset(
    {"BIGNUMERIC", "BOOLEAN", "DATE", "DATETIME", "GEOGRAPHY", "INTEGER", "NUMERIC", "RANGE", "STRING", "TIMESTAMP"}
)


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    fields = metadata.clustering
    findings: list[Finding] = []
    if model.plan is not None and fields != model.plan.cluster_list:
        planned = ", ".join(model.plan.cluster_list) or "nothing"
        message = f"clustered by {', '.join(fields) or 'nothing'}, the plan says {planned}"
        fix = f"write `clustering: {{fields: [{planned}]}}`" if model.plan.cluster_list else "remove `clustering`"
        findings.append(_finding(model, message, fix))
    if not fields and not findings:
        return NotDue("the table is not clustered")
    owner = "requirements" if model.requirements is not None else None
    if len(fields) > _MOST:
        findings.append(_finding(model, f"{len(fields)} clustering columns, {_MOST} are allowed", "name fewer", owner))
    for name in sorted({name for name in fields if fields.count(name) > 1}):
        findings.append(_finding(model, f"`{name}` is there twice", "name it once", owner))
    schema = own_files.readable_schema(model, tools.catalog)
    if not isinstance(schema, NotDue):
        findings += [_finding(model, wrong, "name another column", owner) for wrong in _unfit(fields, schema)]
    return verdict(findings, f"clustered by {', '.join(fields)}")


def _unfit(fields: tuple[str, ...], schema: Schema) -> list[str]:
    columns = {field.name.lower(): field for field in schema}
    wrong = []
    for name in dict.fromkeys(fields):
        column = columns.get(name.lower())
        if column is None:
            wrong.append(f"the table has no column `{name}` to be clustered by")
        elif column.mode == "REPEATED" or column.type not in _FITTING:
            kind = f"REPEATED {column.type}" if column.mode == "REPEATED" else column.type
            wrong.append(f"`{name}` is {kind}, by which nothing can be clustered")
    return wrong


def _finding(model: Model, message: str, fix: str, owner: str | None = None) -> Finding:
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "clustering")
    return found(GATE, message, f"{path}:{line}" if line else path, fix, owner)


GATE = Gate("MET022", "clustering_mismatch", "metadata", check)
