"""A table that is to run and that nothing runs.

What it checks
    metadata.yaml names the DAG of the plan under scheduling.dag_name, and none when the plan has none.
Why
    A table without a DAG is made once and never again.
Example
    The plan says bqetl_shop and metadata.yaml has no `scheduling`.
Repair
    Write `scheduling: {dag_name: bqetl_shop}`, or `schedule: {none: reason}` into the requirements.
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
    path = paths.metadata_yaml(model.table)
    if model.plan is None:
        if metadata.dag:
            return verdict([], f"runs in {metadata.dag}")
        return NotDue("nobody said that the table is to be scheduled")
    planned = model.plan.dag
    if metadata.dag == planned.value:
        return verdict([], f"runs in {metadata.dag}" if metadata.dag else f"not scheduled: {planned.reason}")
    if not planned.value:
        fix = "remove `scheduling`, or name the DAG in the requirements"
        return verdict([found(GATE, f"it runs in {metadata.dag}, and the plan schedules nothing", path, fix)], "")
    runs = f"it runs in {metadata.dag}" if metadata.dag else "it runs in no DAG"
    return verdict(
        [found(GATE, f"{runs}, the plan says {planned.value}", path, f"write `dag_name: {planned.value}`")], ""
    )


GATE = Gate("MET012", "missing_dag", "metadata", check)
