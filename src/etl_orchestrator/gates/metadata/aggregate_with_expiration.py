"""An aggregate whose history is thrown away.

What it checks
    A table labelled table_type: aggregate, or listed under retention_exclusion_list of the repository's settings, has
    no expiration_days.
Why
    Aggregates hold nothing personal and cannot be made again once their sources have expired.
Example
    labels: {table_type: aggregate} and time_partitioning: {expiration_days: 775}
Repair
    In the requirements, where there are any: remove expiration_days, or the label. A table that holds rows of clients is
    labelled client_level.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    listed = paths.table_folder(model.table) in (tools.settings.extra.get("retention_exclusion_list") or ())
    if not listed and metadata.labels.get("table_type") != "aggregate":
        return NotDue("the table is no aggregate")
    days = metadata.time_partitioning.expiration_days if metadata.time_partitioning else None
    if days is None:
        return verdict([], "kept for good")
    at = _place(model)
    kind = "on the list of tables to be kept" if listed else "an aggregate"
    fix = "remove expiration_days" if listed else "remove expiration_days or the label table_type: aggregate"
    return verdict([found(GATE, f"{kind}, and its partitions expire after {days:g} days", at, fix)], "")


def _place(model: Model) -> str:
    """The line of the requirements that asks for it, else that of metadata.yaml."""
    told = model.requirements
    if told is not None and told.partitioning.expiration_days is not None:
        return told.request.at("partitioning.expiration_days")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "expiration_days")
    return f"{path}:{line}"


GATE = Gate("MET028", "aggregate_with_expiration", "requirements", check)
