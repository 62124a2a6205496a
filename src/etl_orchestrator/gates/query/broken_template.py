"""A query whose Jinja template cannot be rendered.

What it checks
    The template renders for the first run (`is_init()` true) and for later runs.
Why
    The scheduler renders the template before BigQuery sees it: what does not render never runs.
Example
    `{% if is_init() %}` without `{% endif %}`, or a macro that nobody defines.
Repair
    Close the block, or use what the repository's templates know.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import rendered
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.query_sql(model.table)
    if model.text(path) is None:
        return _reading.no_query(model)
    for is_init in (False, True):
        try:
            rendered(model, tools, is_init=is_init)
        except InvalidInput as error:
            fix = error.fix or "correct the template"
            return verdict([found(GATE, error.message, error.at or path, fix, _reading.owner_of(model))], "")
    return verdict([], "the template renders for the first run and for later runs")


GATE = Gate("QRY020", "broken_template", "query", check)
