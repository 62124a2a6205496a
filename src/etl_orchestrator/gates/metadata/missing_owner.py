"""A table that nobody owns.

What it checks
    metadata.yaml names at least one owner when the table is scheduled, or when requirements stand behind it.
Why
    The first owner becomes the owner of the Airflow task; without one the task is refused, and nobody is told of a
    failure.
Example
    owners: []
Repair
    Name a person by address or a team as organisation/team, in the requirements under `owners`.
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
    if metadata.owners:
        return verdict([], f"owned by {', '.join(metadata.owners)}")
    if not metadata.scheduling and model.requirements is None:
        return NotDue("the table is not scheduled")
    planned = model.plan is not None and model.plan.owner_list
    fix = "name a person by address or a team as organisation/team under `owners`"
    owner = "metadata" if planned else "requirements"
    return verdict([found(GATE, "nobody owns the table", paths.metadata_yaml(model.table), fix, owner)], "")


GATE = Gate("MET010", "missing_owner", "requirements", check)
