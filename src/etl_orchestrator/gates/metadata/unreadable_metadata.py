"""A metadata.yaml that cannot be read as one.

What it checks
    metadata.yaml is YAML without duplicate keys, and what it says has the shape that repository reads: owners a list,
    labels and scheduling mappings, a partition type of hour, day, month or year.
Why
    What cannot be read is skipped or stops the deploy of every table beside it.
Example
    owners: someone@example.com
Repair
    Correct the key that is named.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.metadata_yaml(model.table)
    try:
        metadata = own_files.metadata(model)
    except InvalidInput as error:
        fix = error.fix or "give the key a value of that shape"
        return verdict([found(GATE, f"it cannot be read: {error.message}", error.at or path, fix)], "")
    if metadata is None:
        return NotDue("there is no metadata.yaml")
    return verdict([], f"{path} reads well")


GATE = Gate("MET008", "unreadable_metadata", "metadata", check)
