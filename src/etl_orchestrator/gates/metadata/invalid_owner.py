"""An owner who is neither an address nor a team.

What it checks
    Every owner is a mail address or a GitHub team as organisation/team.
Why
    That repository refuses the file, and Airflow would write to nobody.
Example
    owners: [the data team]
Repair
    Write someone@example.com or example/data_team.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_OWNER = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+|@?[\w-]+/[\w.-]+")


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if not metadata.owners:
        return NotDue("there are no owners")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "owners")
    findings = [
        found(GATE, f"the owner `{owner}` is neither an address nor a team", f"{path}:{line}", f"write {_EXAMPLES}")
        for owner in metadata.owners
        if not _OWNER.fullmatch(owner)
    ]
    return verdict(findings, f"{len(metadata.owners)} owners can be reached")


_EXAMPLES = "someone@example.com or organisation/team"
GATE = Gate("MET011", "invalid_owner", "requirements", check)
