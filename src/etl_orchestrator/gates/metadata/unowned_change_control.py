"""Change control without anybody who controls.

What it checks
    A table labelled change_controlled has owners, and CODEOWNERS gives its folder to at least one of them.
Why
    That repository refuses the label otherwise: it would promise a review that nobody is asked for.
Example
    labels: {change_controlled: true}, and no line of CODEOWNERS matches the folder.
Repair
    Add `/sql/…/daily_orders_v1 @organisation/team` to CODEOWNERS, or drop the label.
"""

from __future__ import annotations

import fnmatch

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_CODEOWNERS = "CODEOWNERS"


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if "change_controlled" not in metadata.labels:
        return NotDue("the table is not change controlled")
    folder = paths.table_folder(model.table)
    owners = [owner if "@" in owner else f"@{owner}" for owner in metadata.owners]
    lines = (tools.catalog.text(_CODEOWNERS) or "").splitlines()
    entries = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    controlling = [entry for entry in entries if _covers(entry[0], folder)]
    fix = f"add `/{folder} {' '.join(owners) or '@organisation/team'}` to {_CODEOWNERS}"
    if not owners:
        return verdict(
            [found(GATE, "change controlled, and nobody owns it", paths.metadata_yaml(model.table), fix)], ""
        )
    if not controlling:
        return verdict([found(GATE, f"change controlled, and no line names {folder}", _CODEOWNERS, fix)], "")
    strangers = [entry for entry in controlling if not set(owners) & set(entry[1:])]
    findings = [
        found(GATE, f"no owner of the table is among those of `{entry[0]}`", _CODEOWNERS, fix) for entry in strangers
    ]
    return verdict(findings, f"{len(controlling)} lines of {_CODEOWNERS} name its folder and an owner")


def _covers(pattern: str, folder: str) -> bool:
    """Patterns that say something of tables: below sql/, and not the folder of everything."""
    stem = pattern.strip("/").removesuffix("/**").removesuffix("/*")
    if stem in {"*", "sql", "**"} or not stem.startswith("sql/"):
        return False
    return fnmatch.fnmatchcase(folder, stem) or fnmatch.fnmatchcase(folder, f"{stem}/*")


GATE = Gate("MET025", "unowned_change_control", "requirements", check)
