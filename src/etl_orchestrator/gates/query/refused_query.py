"""A query that Google's analyzer refuses.

What it checks
    The rendered query is analyzed with the schemas of its sources (of one that nobody knows, the `.schema.yaml` beside the
    tests counts) and the types of its parameters, for the first run and for later runs. The evidence says what the answer
    rests on beside the files: the types that a database behind EXTERNAL_QUERY must give, a source whose columns are those
    that its query, which reads itself, gives again. A script.sql is analyzed in the same way; of a view.sql is asked that
    the view is named as its folder is, unless bqetl_project.yaml lists the file under `view: validation: skip`.
Why
    BigQuery would refuse it for the same reason, after it was merged.
Example
    `Name amout not found inside orders; Did you mean amount?` at query.sql:12:3.
Repair
    Correct the expression: at the line of the requirements that is named, else at that place of the query.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.gates.query._expression_place import place_of_expression
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import dry_run, dry_run_file, known_from_tests, misnamed_view
from etl_orchestrator.tools import SqlProblem, Tools


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return _of_other_file(model, tools) or read
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
    at = problem.place(read.path)
    finding = found(GATE, problem.message, at, _fix(problem, model, read), _reading.owner_of(model))
    return verdict([finding], "")


def _of_other_file(model: Model, tools: Tools) -> Verdict | None:
    """A script is analyzed like a query; of a view only the name is judged. None when neither fills the table."""
    script, view = paths.script_sql(model.table), paths.view_sql(model.table)
    if model.plan is not None or model.text(paths.query_sql(model.table)) is not None:
        return None
    if model.text(script) is not None:
        answer = dry_run_file(script, tools)
        problem, path, said = answer.problem, script, f"the analyzer accepts script.sql: {len(answer.tables)} tables"
    elif (text := model.text(view)) is not None:
        problem, path, said = misnamed_view(text, model.table, tools), view, "view.sql is named as its folder is"
    else:
        return None
    if problem is None:
        return verdict([], said)
    return verdict([found(GATE, problem.message, problem.place(path), f"correct {path.rpartition('/')[2]}")], "")


def _fix(problem: SqlProblem, model: Model, read: _reading.Reading) -> str:
    """The expression is to be corrected where the person wrote it, not in the query that was made of it."""
    if model.requirements is not None and problem.line and problem.path in ("", read.path):
        request = model.requirements.request
        if asked := place_of_expression(request, read.template, problem):
            return f"correct `{asked[0]}` at {asked[1]}"
    return "correct the given query" if _reading.owner_of(model) == "requirements" else "correct the query"


GATE = Gate("QRY002", "refused_query", "query", check)
