"""A model without its query.

What it checks
    query.sql or query.py is there, whichever was planned, and holds more than white space and comments. A table that
    stands in the repository may be filled by a script.sql instead.
Why
    Everything else is made from the query: the schema, the tests, the monitoring.
Example
    The plan says query.py, and the folder holds metadata.yaml only.
Repair
    Write the file the plan names.
"""

from __future__ import annotations

import re

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import model_files, own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_COMMENT = re.compile(r"--[^\n]*|#[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)


def check(model: Model, tools: Tools) -> Verdict:
    candidates = [paths.query_sql(model.table), paths.query_py(model.table)]
    if model.plan is not None:
        candidates = [candidates[1] if model.plan.is_python else candidates[0]]
    else:
        candidates.append(paths.script_sql(model.table))
    there = [path for path in candidates if _COMMENT.sub("", model.text(path) or "").strip()]
    if there:
        return verdict([], f"{there[0]} is there")
    meant = bool(model_files.cases(model)) or _is_scheduled(model)
    if model.plan is None and not meant and all(model.text(path) is None for path in candidates):
        return NotDue("a table or view that no query.sql or query.py fills")
    empty = [path for path in candidates if model.text(path) is not None]
    at = (empty or candidates)[0]
    name = " or ".join(path.rpartition("/")[2] for path in empty or candidates)
    message = f"{name} holds no statement" if empty else f"there is no {name}"
    return verdict([found(GATE, message, at, f"write {name}")], "")


def _is_scheduled(model: Model) -> bool:
    metadata = own_files.readable_metadata(model)
    return not isinstance(metadata, NotDue) and bool(metadata.dag)


GATE = Gate("QRY001", "missing_query", "query", check)
