"""A file that the plan promised and the model lacks.

What it checks
    Every file of the plan is there and not empty; a planned folder holds at least one file.
Why
    A model is complete or it is not delivered.
Example
    The plan says bigconfig.yml, and no room made one.
Repair
    The room that makes the file is visited again; if it cannot, its own gates say why.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_MAKERS = {
    "schema.yaml": "metadata",
    "metadata.yaml": "metadata",
    "bigconfig.yml": "monitoring",
    "query.sql": "query",
    "query.py": "query",
}


def check(model: Model, tools: Tools) -> Verdict:
    if model.plan is None:
        return NotDue("no plan stands behind this table")
    texts = {artifact.path: artifact.text for artifact in model.artifacts}
    findings = []
    for path in model.plan.files:
        there = any(name.startswith(path) for name in texts) if path.endswith("/") else texts.get(path, "").strip()
        if not there:
            owner = _MAKERS.get(path.rsplit("/", 1)[-1], "tests")
            findings.append(
                found(GATE, "is planned and was not made", path, f"etl-orchestrator explain {GATE.code}", owner)
            )
    return verdict(findings, f"{len(model.plan.files)} planned files and folders are there")


GATE = Gate("FIN001", "missing_file", "plan", check)
