"""A query that Google's analyzer refuses.

What it checks
    The rendered query is analyzed with the schemas of its sources (of one that nobody knows, the `.schema.yaml` beside the
    tests counts) and the types of its parameters, for the first run and for later runs. The evidence says what the answer
    rests on beside the files: the types that a database behind EXTERNAL_QUERY must give, a source whose columns are those
    that its query, which reads itself, gives again.
Why
    BigQuery would refuse it for the same reason, after it was merged.
Example
    `Name amout not found inside orders; Did you mean amount?` at query.sql:12.
Repair
    Correct the expression: at the line of the requirements that is named, else at that place of the query.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.gates.query._expression_place import place_of_expression
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import dry_run, known_from_tests
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
        said = f"the analyzer accepts it: {len(answer.columns)} columns from {len(answer.tables)} tables"
        declared = ", ".join(f"`{table}`" for table in known_from_tests(model, tools, answer.tables))
        told = (said, f"{declared} as the schema beside the tests says" if declared else "", *answer.notes)
        return verdict([], "; ".join(filter(None, told)))
    at = f"{problem.path or read.path}:{problem.line}" if problem.line else read.path
    finding = found(GATE, problem.message, at, _fix(problem, model, read), _reading.owner_of(model))
    return verdict([finding], "")


def _fix(problem: SqlProblem, model: Model, read: _reading.Reading) -> str:
    """The expression is to be corrected where the person wrote it, not in the query that was made of it."""
    if model.requirements is not None and problem.line and problem.path in ("", read.path):
        request = model.requirements.request
        if asked := place_of_expression(request, read.template, problem):
            return f"correct `{asked[0]}` at {asked[1]}"
    where = f" at column {problem.column}" if problem.column else ""
    place = "the given query" if _reading.owner_of(model) == "requirements" else "the expression"
    return f"correct {place}{where}"


GATE = Gate("QRY002", "refused_query", "query", check)
