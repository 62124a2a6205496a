"""A label that BigQuery does not take.

What it checks
    Keys and values of labels are 1 to 63 lower-case letters, digits, dashes and underscores; true and false are allowed
    as values, nothing at all, and a list for review_bugs.
Why
    The deploy of the table fails.
Example
    labels: {application: Firefox Desktop}
Repair
    Write firefox_desktop.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_LABEL = re.compile(r"[0-9a-z_-]{1,63}")
#: That repository writes these itself, from owners and DAG, whatever the file says.
_REPLACED = re.compile(r"owner[0-9]+|dag")
#: The one label that may be a list; it never reaches BigQuery.
_LISTED = "review_bugs"


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.labels:
        return NotDue("there are no labels")
    path = paths.metadata_yaml(model.table)
    text = model.text(path) or ""
    owner = None
    findings = []
    for key, value in metadata.labels.items():
        if _REPLACED.fullmatch(str(key)) or value == "":
            continue
        if model.requirements is not None:
            owner = "requirements" if key in model.requirements.request.labels else "metadata"
        line = own_files.line_of(text, str(key))
        at = f"{path}:{line}" if line else path
        if owner == "requirements" and model.requirements is not None:
            at = model.requirements.request.at(f"labels.{key}")
        fix = "use 1 to 63 of a-z, 0-9, - and _"
        if not _LABEL.fullmatch(str(key)):
            findings.append(found(GATE, f"the label `{key}` is not allowed as a key", at, fix, owner))
        if isinstance(value, list) and key == _LISTED:
            continue
        if not isinstance(value, bool) and not _LABEL.fullmatch(str(value)):
            findings.append(found(GATE, f"the value `{value}` of the label `{key}` is not allowed", at, fix, owner))
    return verdict(findings, f"{len(metadata.labels)} labels are well formed")


GATE = Gate("MET023", "invalid_label", "metadata", check)
