"""A file that does not belong to the table.

What it checks
    Every file of the model lies in the table's own folder or in its tests folder.
Why
    What is delivered is what a reviewer expects to read: one table, its files, its tests.
Example
    A skill made `sql/…/other_table_v1/query.sql` beside the table that was asked for.
Repair
    This is a fault of the program or of an author: the file is not written. Report it.
"""

from __future__ import annotations

from etl_orchestrator.finding import Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    homes = (paths.table_folder(model.table) + "/", paths.tests_folder(model.table) + "/")
    findings = [
        found(GATE, "lies outside the folders of the table", artifact.path, "do not make it")
        for artifact in model.artifacts
        if not artifact.path.startswith(homes) or ".." in artifact.path.split("/")
    ]
    return verdict(findings, f"{len(model.artifacts)} files lie in the folders of the table")


GATE = Gate("FIN002", "stray_file", "requirements", check)
