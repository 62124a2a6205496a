"""An aggregate whose history is thrown away.

What it checks
    A table labelled table_type: aggregate, or listed under retention_exclusion_list of the repository's settings, has
    no expiration_days.
Why
    Aggregates hold nothing personal and cannot be made again once their sources have expired.
Example
    labels: {table_type: aggregate} and time_partitioning: {expiration_days: 775}
Repair
    Remove expiration_days, or label the table client_level if that is what it is.
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
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "expiration_days")
    kind = "on the list of tables to be kept" if listed else "an aggregate"
    fix = "remove expiration_days" if listed else "remove expiration_days, or label it table_type: client_level"
    return verdict([found(GATE, f"{kind}, and its partitions expire after {days:g} days", f"{path}:{line}", fix)], "")


GATE = Gate("MET028", "aggregate_with_expiration", "requirements", check)
