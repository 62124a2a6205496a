"""The engine's refusals as problems of the query, or as failures of the engine."""

from __future__ import annotations

import re

from etl_orchestrator.engines.googlesql.instance import Refusal
from etl_orchestrator.engines.googlesql.text import Spelled
from etl_orchestrator.errors import EngineError, Unavailable, Unsupported
from etl_orchestrator.tools import Routine, SqlProblem

_AT = re.compile(r"\s*\[at (\d+):(\d+)\]\s*\Z")
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _OUT_OF_RANGE, _UNIMPLEMENTED, _INTERNAL = 3, 8, 11, 12, 13
_NO_CONTENT = re.compile(r"One or more tables being queried .*? content set\. \[(.*)\]\Z", re.DOTALL)
#: What an error of a body that is read again at every call looks like.
_IN_ROUTINE = re.compile(
    r"Invalid (?:function|table-valued function) .*?\[at (\d+):(\d+)\]; (?:Analysis of (.*?) failed.*?; )(.*)\Z",
    re.DOTALL,
)
_GROUP = re.compile(r"(?:TEMPLATED_SQL_FUNCTION|ROUTINE|QUICK|EXTERNAL):", re.IGNORECASE)
_BUILTIN_FUNCTION = re.compile(r"Unsupported built-in function: (.*)")
#: Function names with a dot that belong to GoogleSQL; all others are routines of somebody's dataset.
_NAMESPACES = {"safe", "net", "keys", "aead", "hll_count", "kll_quantiles"}
_NO_GRAPH = re.compile(r"Property graph not found: ([\w`.-]+)")
_NO_FUNCTION = re.compile(r"(?:Function|Table-valued function) not found: `?([\w`.-]+\.[\w`.-]+)")

#: Limits and gaps of the reference evaluator which it reports as if the query were wrong.
_OWN_LIMITS = re.compile(
    r"not supported yet|more than 16000 elements|exceeds max allowed output size|U_FILE_ACCESS_ERROR"
    r"|exceeds maximum|Out of memory|Cannot materialize|is not implemented"
)


class RoutineRefused(Exception):
    """Raised when it is not the query that is wrong but a routine that it calls."""

    def __init__(self, routine: Routine, problem: SqlProblem) -> None:
        where = f" ({routine.at}:{problem.line})" if routine.at and problem.line else ""
        super().__init__(f"the routine {routine.ref} is refused{where}: {problem.message}")


def problem_of(refusal: Refusal, sql: Spelled) -> SqlProblem:
    """What is wrong with the query. Raises EngineError when it is the engine that fails, Unavailable for what it cannot
    know."""
    message = refusal.message
    if refusal.code in (_UNIMPLEMENTED, _INTERNAL, _RESOURCE_EXHAUSTED) or _OWN_LIMITS.search(message):
        raise failure_of(refusal)
    place = _AT.search(message)
    message = message[: place.start()] if place else message
    inner = _IN_ROUTINE.match(message)
    if inner:  # the last place is in the body of the routine, the first in the query
        place, message = inner, f"{inner.group(3)}: {inner.group(4)}"
    message = _GROUP.sub("", message)
    if graph := _NO_GRAPH.match(message):
        raise Unavailable(f"the property graph {graph[1]} is not known here", fix="ask BigQuery")
    if "does not have primary key defined" in message:
        raise Unsupported("the local engine does not know the keys of tables, which a property graph needs")
    routine = _NO_FUNCTION.match(message)
    name = routine.group(1).replace("`", "") if routine else ""
    if name and name.split(".")[0].lower() not in _NAMESPACES:
        raise Unsupported(f"the local engine does not know the routine {name}")
    line, column = sql.place_given(int(place.group(1)), int(place.group(2))) if place else (0, 0)
    return SqlProblem(shortened(message), line, column)


def offset_of(refusal: Refusal, sql: Spelled) -> int | None:
    """Where in the text of the engine that stands which it refuses; None where it does not say so."""
    place = _AT.search(refusal.message)
    return sql.offset(int(place.group(1)), int(place.group(2))) if place else None


def failure_of(refusal: Refusal) -> EngineError:
    """The refusal as a gap or a fault of the engine."""
    message = _AT.sub("", refusal.message)
    hidden = _NO_CONTENT.match(message)
    message = hidden.group(1) if hidden else message
    function = _BUILTIN_FUNCTION.match(message)
    if function:
        return Unsupported(f"the local engine lacks {function.group(1).upper()}")
    return Unsupported(f"the local engine cannot run this: {shortened(message)}")


def shortened(message: str) -> str:
    """The first line, and the types of the arguments where the engine lists all signatures that do not fit."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    if not lines:
        return "the query is refused without a reason"
    wanted = [line for line in lines[1:] if line.startswith("Argument types:")]
    return "\n".join([lines[0], *wanted[:1]])
