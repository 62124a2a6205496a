"""Partitions that are not those of the plan, or that the columns do not allow.

What it checks
    The time partitioning of metadata.yaml is the one of the plan (type, field, filter, expiration); its field is a
    column of the table that is not REPEATED and has a fitting type: DATE, TIMESTAMP or DATETIME, for hours the latter two.
Why
    The partitioning of a table cannot be changed once it exists.
Example
    time_partitioning: {type: hour, field: order_date}, and order_date is a DATE.
Repair
    Name a column of a fitting type, or change `partitioning` in the requirements.
"""

from __future__ import annotations

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.layout.metadata_yaml import Metadata, TimePartitioning
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import Schema
from etl_orchestrator.tools import Tools

_FITTING = {
    "hour": ("TIMESTAMP", "DATETIME"),
    "day": ("DATE", "TIMESTAMP", "DATETIME"),
    "month": ("DATE", "TIMESTAMP", "DATETIME"),
    "year": ("DATE", "TIMESTAMP", "DATETIME"),
}


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    written = metadata.time_partitioning
    findings = _against_plan(model, metadata)
    if written is not None and written.field:
        schema = own_files.readable_schema(model, tools.catalog)
        if not isinstance(schema, NotDue):
            findings += _against_columns(model, written, schema)
    elif written is None and model.plan is None:
        return NotDue("the table has no time partitioning")
    words = f"{written.type} of {written.field or 'ingestion'}" if written else "not partitioned, as planned"
    return verdict(findings, words)


def _against_plan(model: Model, metadata: Metadata) -> list[Finding]:
    partition = model.plan.partition if model.plan else None
    if partition is None:
        return []
    planned = None
    if partition.field or partition.ingestion_time:
        planned = (partition.type or "day", partition.field, bool(partition.require_filter), partition.expiration_days)
    written = None
    if time := metadata.time_partitioning:
        written = (time.type, time.field, bool(time.require_partition_filter), time.expiration_days)
    if planned == written:
        return []
    return [
        _finding(
            model,
            f"partitioned by {_words(written)}, the plan says {_words(planned)}",
            "write `time_partitioning:` so, or change `partitioning` in the requirements",
        )
    ]


def _words(partition: tuple[str, str | None, bool, float | None] | None) -> str:
    if partition is None:
        return "nothing"
    kind, field, required, days = partition
    required_words = "filter required" if required else "no filter required"
    kept = f"expires after {days:g} days" if days is not None else "kept"
    return f"{kind} of {field or 'ingestion'} ({required_words}, {kept})"


def _against_columns(model: Model, written: TimePartitioning, schema: Schema) -> list[Finding]:
    column = next((field for field in schema if field.name.lower() == (written.field or "").lower()), None)
    owner = "requirements" if model.requirements is not None else None
    if column is None:
        names = ", ".join(field.name for field in schema if field.type in _FITTING["day"]) or "none has a fitting type"
        message = f"the table has no column `{written.field}` to be partitioned by"
        return [_finding(model, message, f"name a column of the table: {names}", owner)]
    fitting = _FITTING[written.type]
    if column.type in fitting and column.mode != "REPEATED":
        return []
    kind = f"REPEATED {column.type}" if column.mode == "REPEATED" else column.type
    message = f"`{column.name}` is {kind}, and partitions by {written.type} need {' or '.join(fitting)}"
    return [_finding(model, message, "name a column of a fitting type, or cast it", owner)]


def _finding(model: Model, message: str, fix: str, owner: str | None = None) -> Finding:
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "time_partitioning")
    return found(GATE, message, f"{path}:{line}" if line else path, fix, owner)


GATE = Gate("MET021", "partition_mismatch", "metadata", check)
