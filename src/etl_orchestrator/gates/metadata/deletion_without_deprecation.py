"""A table that is to be deleted and that nobody was told of.

What it checks
    A metadata.yaml with a deletion_date says `deprecated: true` too.
Why
    Readers look for the deprecation, not for the date; that repository refuses the one without the other.
Example
    deletion_date: 2027-01-01
Repair
    Add `deprecated: true`, or remove the date.
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
    if not metadata.deletion_date:
        return NotDue("no deletion is planned")
    if metadata.deprecated:
        return verdict([], f"deprecated, to be deleted on {metadata.deletion_date}")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "deletion_date")
    message = f"to be deleted on {metadata.deletion_date}, and not deprecated"
    return verdict([found(GATE, message, f"{path}:{line}", "add `deprecated: true`, or remove the date")], "")


GATE = Gate("MET027", "deletion_without_deprecation", "metadata", check)
