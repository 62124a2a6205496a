"""Whether a view.sql creates the view after which its folder is named, as `bqetl view validate` asks."""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.tokens import Kind, position, words
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Settings, SqlProblem

_NAME = (Kind.NAME, Kind.QUOTED_NAME, Kind.DOT)
_BEFORE = ("OR", "REPLACE", "VIEW", "IF", "NOT", "EXISTS")


def problem_of(path: str, view: TableRef, sql: str, settings: Settings) -> SqlProblem | None:
    """That the rendered text creates a view of another name; None where that is allowed (`view.validation.skip`), and for
    a file that is no view.sql or begins with another statement."""
    if path != paths.view_sql(view) or settings.skips(path, "view", "validation"):
        return None
    try:
        tokens = words(sql)
    except InvalidInput:
        return None  # the analyzer says where it stopped
    if not tokens or tokens[0].text.upper() != "CREATE":
        return None
    start = 1
    while start < len(tokens) and tokens[start].text.upper() in _BEFORE:
        start += 1
    if "VIEW" not in (token.text.upper() for token in tokens[1:start]):
        return None
    end = start
    while (
        end < len(tokens) and tokens[end].kind in _NAME and (end == start or tokens[end - 1].end == tokens[end].start)
    ):
        end += 1
    name = "".join(token.text for token in tokens[start:end]).replace("`", "")
    if not name or name == str(view):
        return None
    message = f"the view is named `{name}`, which does not fit its folder: write `{view}`"
    return SqlProblem(message, *position(sql, tokens[start].start))
