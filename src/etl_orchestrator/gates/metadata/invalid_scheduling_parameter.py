"""A scheduling parameter that is not NAME:TYPE:VALUE.

What it checks
    Every entry of scheduling.parameters is a name, a type of letters and digits and a value, with colons between.
Why
    That repository refuses the file.
Example
    parameters: ["submission_date={{ds}}"]
Repair
    Write "submission_date:DATE:{{ds}}".
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

# An empty type is a STRING, as for the bq command line.
_PARAMETER = re.compile(r"\w+:[A-Za-z0-9]*:.*", re.S)


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    parameters = metadata.scheduling.get("parameters")
    if not parameters:
        return NotDue("the scheduling block has no parameters")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "parameters")
    at, fix = f"{path}:{line}" if line else path, 'write "submission_date:DATE:{{ds}}"'
    if not isinstance(parameters, list):
        return verdict([found(GATE, "`parameters` is not a list", at, f"{fix} as an item of a list")], "")
    findings = [
        found(GATE, f"`{parameter}` is not NAME:TYPE:VALUE", at, fix)
        for parameter in parameters
        if not _PARAMETER.fullmatch(str(parameter))
    ]
    return verdict(findings, f"{len(parameters)} parameters are well formed")


GATE = Gate("MET018", "invalid_scheduling_parameter", "metadata", check)
