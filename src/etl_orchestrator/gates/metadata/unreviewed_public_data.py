"""Data made public without a review.

What it checks
    A table labelled public_bigquery or public_json has the label review_bugs.
Why
    What is published cannot be taken back; that repository demands the number of the review.
Example
    labels: {public_json: true}
Repair
    Ask for the review, then write `review_bugs: [number]`.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_PUBLIC = ("public_bigquery", "public_json")


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    public = [label for label in _PUBLIC if metadata.labels.get(label)]
    if not public:
        return NotDue("the table is not public")
    if metadata.labels.get("review_bugs"):
        return verdict([], "public, and reviewed")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", public[0])
    fix = "ask for the review and write `review_bugs:` with its number"
    return verdict([found(GATE, f"labelled {public[0]} without review_bugs", f"{path}:{line}", fix)], "")


GATE = Gate("MET024", "unreviewed_public_data", "requirements", check)
