"""A file that is there already with other content.

What it checks
    No file of the model would replace one of the repository that has other content, unless --overwrite was given.
Why
    Somebody's work is never lost by a build.
Example
    sql/…/daily_orders_v1/query.sql was written by hand last year.
Repair
    Choose another table name, or build with --overwrite and review the difference in git.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return NotDue("the files are those of the repository")
    if tools.overwrite:
        return NotDue("--overwrite was given")
    standing = {artifact.path: tools.catalog.text(artifact.path) for artifact in model.artifacts}
    findings = [
        found(
            GATE, "is there already with other content", artifact.path, "build with --overwrite, or name another table"
        )
        for artifact in model.artifacts
        if standing[artifact.path] not in (None, artifact.text)
    ]
    return verdict(findings, f"none of {len(model.artifacts)} files would replace another")


GATE = Gate("FIN003", "standing_file", "requirements", check)
