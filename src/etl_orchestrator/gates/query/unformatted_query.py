"""A query that is not laid out as the repository's formatter does.

What it checks
    Formatting query.sql gives query.sql; files on the repository's skip list are left alone.
Why
    The repository's CI runs its formatter and refuses what would change.
Example
    `select` in lower case, or two columns on one line.
Repair
    etl-orchestrator format PATH
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.formatter import format_sql, skipped
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    path = paths.query_sql(model.table)
    text = model.text(path)
    if text is None:
        return _reading.no_query(model)
    if skipped(path, tools.settings.skip_format):
        return NotDue("the repository's formatter skips this file")
    try:
        formatted = format_sql(text, path)
    except InvalidInput as error:
        return verdict([found(GATE, error.message, error.at or path, error.fix or "correct the query")], "")
    if formatted == text:
        return verdict([], "formatting it changes nothing")
    pairs = zip(text.split("\n"), formatted.split("\n"), strict=False)
    line = next((number for number, (is_, wanted) in enumerate(pairs, 1) if is_ != wanted), 1)
    message = "its layout is not the formatter's, from this line on"
    return verdict([found(GATE, message, f"{path}:{line}", f"etl-orchestrator format {path}")], "")


GATE = Gate("QRY006", "unformatted_query", "query", check)
