"""Questions about calls of functions that GoogleSQL does not have."""

from __future__ import annotations

import re

from etl_orchestrator.errors import EngineError, InvalidInput
from etl_orchestrator.intake.asking import ask
from etl_orchestrator.intake.reading import Reading
from etl_orchestrator.requirements import Question, Request
from etl_orchestrator.sql import expressions
from etl_orchestrator.sql.formatter_functions import FUNCTIONS
from etl_orchestrator.sql.near_names import nearest


def function_questions(request: Request, reading: Reading) -> list[Question]:
    """A question for every name without a dot that is called in an expression of a SELECT and is no function.

    The list of functions is older than GoogleSQL: of a name that is not on it the analyzer decides."""
    asked = []
    for element, text in request.expressions():
        if element.startswith("refuse_when"):
            continue  # no answer reaches it; the query's gate names its line
        for name in expressions.calls(text):
            if name.upper() in FUNCTIONS or not _is_missing(reading, name):
                continue
            told = element.removesuffix(".expression")
            close = [one for one in nearest(name, FUNCTIONS) if "." not in one]
            candidates = [re.sub(rf"\b{name}(?=\s*\()", one, text) for one in close]
            words = f"`{told.removeprefix('columns.')}` calls `{name}`, which is no function of GoogleSQL. Which one is meant?"
            asked.append(ask(request, told, words, candidates))
    return asked


def _is_missing(reading: Reading, name: str) -> bool:
    try:
        problem = reading.tools.analyzer.analyze(f"SELECT {name}()", {}, {}).problem
    except (EngineError, InvalidInput):
        return False
    return problem is not None and problem.message.startswith("Function not found")
