"""A table without a name for people, or without a description.

What it checks
    metadata.yaml has a friendly_name and a description, and the description is not the one that a generator leaves
    behind for a person to replace.
Why
    It is what the catalog shows, and the least that every asset level demands.
Example
    description: Please provide a description for the query
Repair
    Say in a sentence or two what one row is and what the table is for.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_PLACEHOLDER = "please provide a description"


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    path = paths.metadata_yaml(model.table)
    findings = []
    if not (metadata.friendly_name or "").strip():
        findings.append(
            found(GATE, "there is no friendly_name", path, "write `friendly_name:`, the table's name in words")
        )
    words = (metadata.description or "").strip()
    if not words or words.lower().startswith(_PLACEHOLDER):
        message = "the description is still the generator's" if words else "there is no description"
        line = own_files.line_of(model.text(path) or "", "description")
        fix = "write `description:`, what one row is and what the table is for"
        findings.append(found(GATE, message, f"{path}:{line}" if line else path, fix))
    return verdict(findings, f"named `{metadata.friendly_name}` and described in {len(words.split())} words")


GATE = Gate("MET009", "missing_description", "metadata", check)
