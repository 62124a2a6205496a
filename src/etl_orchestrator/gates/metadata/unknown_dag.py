"""A DAG that is not in dags.yaml.

What it checks
    scheduling.dag_name of metadata.yaml is a DAG of the repository's dags.yaml.
Why
    That repository stops generating all its DAGs at the first name it does not know.
Example
    scheduling:
      dag_name: bqetl_shopp
Repair
    Name one of dags.yaml, or add the DAG there.
"""

from __future__ import annotations

import difflib

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.dag:
        return NotDue("the table is not scheduled")
    names = [dag.name for dag in tools.catalog.dags()]
    if metadata.dag in names:
        return verdict([], f"{metadata.dag} is one of {len(names)} DAGs of {paths.DAGS_YAML}")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "dag_name")
    near = difflib.get_close_matches(metadata.dag, names, 3, 0.5)
    fix = f"name {' or '.join(near)}" if near else f"name a DAG of {paths.DAGS_YAML}"
    message = f"`{metadata.dag}` is not in {paths.DAGS_YAML}"
    return verdict([found(GATE, message, f"{path}:{line}" if line else path, f"{fix}, or add it there")], "")


GATE = Gate("MET014", "unknown_dag", "requirements", check)
