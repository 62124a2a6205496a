"""What the local engine lacks, said of the expressions that call it."""

from __future__ import annotations

import re

from etl_orchestrator.errors import Unsupported
from etl_orchestrator.requirements import Requirements

_CALLED = re.compile(r"[A-Za-z_][\w.]*(?=\s*\()")


def with_callers(error: Unsupported, requirements: Requirements | None) -> Unsupported:
    """The error naming every expression of the requirements that calls a function which its message names."""
    if requirements is None:
        return error
    named = set(re.findall(r"[A-Z_][\w.]*", error.message.upper()))
    request = requirements.request
    callers = [
        f"`{element}` at {request.at(element)}"
        for element, text in request.expressions()
        if named & {name.upper() for name in _CALLED.findall(text)}
    ]
    if not callers:
        return error
    fix = f"write it without the function: {', '.join(callers)}; nothing proves a query that cannot be run here"
    return Unsupported(f"{error.message}, which {callers[0]} calls", at=error.at, fix=fix)
