"""A query that Google's analyzer refuses.

What it checks
    The rendered query is analyzed with the schemas of its sources and the types of its parameters, for the first run
    and for later runs.
Why
    BigQuery would refuse it for the same reason, after it was merged.
Example
    `Name amout not found inside orders; Did you mean amount?` at query.sql:12.
Repair
    Correct the expression at that place.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import dry_run
from etl_orchestrator.tools import SqlProblem, Tools


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return read
    try:
        answer = dry_run(model, tools)
    except InvalidInput as error:
        finding = found(GATE, error.message, error.at or read.path, error.fix or "correct the query")
        return verdict([finding], "")
    problem = answer.problem
    if problem is None:
        return verdict([], f"the analyzer accepts it: {len(answer.columns)} columns from {len(answer.tables)} tables")
    at = f"{problem.path or read.path}:{problem.line}" if problem.line else read.path
    finding = found(GATE, problem.message, at, _fix(problem, model), _reading.owner_of(model))
    return verdict([finding], "")


def _fix(problem: SqlProblem, model: Model) -> str:
    where = f" at column {problem.column}" if problem.column else ""
    place = "the given query" if _reading.owner_of(model) == "requirements" else "the expression"
    return f"correct {place}{where}"


GATE = Gate("QRY002", "refused_query", "query", check)
