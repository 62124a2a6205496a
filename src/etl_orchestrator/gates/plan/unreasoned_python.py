"""A query.py where nobody said why SQL will not do.

What it checks
    Python is planned only when the requirements say why, in at least three words.
Why
    A script is not analyzed, not tested on fixtures and not judged by most gates: it has to be worth that.
Example
    `python: yes`
Repair
    Say what only Python can do: the API it calls, the projects it loops over.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    plan, requirements = model.plan, model.requirements
    if plan is None or requirements is None:
        return NotDue("no plan stands behind this table")
    if not plan.is_python:
        return NotDue("the query is SQL")
    reason = (requirements.request.python or "").strip()
    if len(reason.split()) >= 3:
        return verdict([], f"why Python: {reason}")
    at = requirements.request.at("python")
    message = f"Python is planned because of `{reason}`" if reason else "Python is planned and nobody said why"
    return verdict([found(GATE, message, at, "say under `python` what SQL cannot do here")], "")


GATE = Gate("PLN005", "unreasoned_python", "requirements", check)
