"""A query.py that Python cannot compile.

What it checks
    The file compiles; it is not run.
Why
    It would fail at its first import, in the night.
Example
    An unclosed bracket.
Repair
    Correct the syntax at that line.
"""

from __future__ import annotations

import ast

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.query_py(model.table)
    text = model.text(path)
    if text is None:
        return NotDue("the model has no query.py")
    try:
        ast.parse(text)
    except SyntaxError as error:
        at = f"{path}:{error.lineno or 1}"
        return verdict([found(GATE, f"it does not compile: {error.msg}", at, "correct the syntax")], "")
    except ValueError as error:
        return verdict([found(GATE, f"it does not compile: {error}", path, "remove the null byte")], "")
    return verdict([], f"{text.count(chr(10))} lines compile")


GATE = Gate("QRY017", "uncompilable_python", "query", check)
