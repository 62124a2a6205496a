"""Access granted to a table that its dataset grants already.

What it checks
    No entry of workgroup_access in metadata.yaml repeats a role and member of the dataset's default_table_workgroup_access
    (which is its workgroup_access where none is written).
Why
    That repository refuses the repetition: access taken from the dataset would stay on the table.
Example
    Both files give roles/bigquery.dataViewer to workgroup:shop/staff.
Repair
    Remove the member from metadata.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths, yaml_text
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.workgroup_access:
        return NotDue("metadata.yaml grants nothing")
    path = f"{paths.table_folder(model.table).rpartition('/')[0]}/dataset_metadata.yaml"
    try:
        document = yaml_text.load(tools.catalog.text(path) or "", path)
    except InvalidInput:
        return NotDue("dataset_metadata.yaml cannot be read")
    default = document.get("default_table_workgroup_access", document.get("workgroup_access")) if document else None
    granted = set(_grants(default or ()))
    own = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(own) or "", "workgroup_access")
    findings = [
        found(GATE, f"{role} for {member} is granted by the dataset already", f"{own}:{line}", "remove it here")
        for role, member in _grants(metadata.workgroup_access)
        if (role, member) in granted
    ]
    return verdict(findings, "nothing is granted twice")


def _grants(access: Any) -> Iterator[tuple[str, str]]:
    for entry in access:
        for member in entry.get("members") or ():
            yield str(entry.get("role")), str(member)


GATE = Gate("MET030", "redundant_access", "metadata", check)
