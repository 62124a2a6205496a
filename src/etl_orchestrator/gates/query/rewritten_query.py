"""A given query that is no longer what the person gave.

What it checks
    query.sql holds the same tokens as the `query:` of the requirements; only white space and the case of words outside
    literals may differ.
Why
    A person's query is adopted, judged and built upon, never changed behind their back.
Example
    The person wrote `status = 'paid'`, and the file says `status = 'PAID'`.
Repair
    Take the given text again.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.requirements import Query
from etl_orchestrator.sql.tokens import Kind, position, tokenize
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return _reading.NO_REQUIREMENTS
    given = model.requirements.request.query
    if given is None:
        return NotDue("the requirements give no query of their own")
    path = paths.query_sql(model.table)
    text = model.text(path)
    if text is None:
        return _reading.no_query(model)
    is_, was = _tokens(text), _tokens(given.text)
    if [token for token, _ in is_] == [token for token, _ in was]:
        return verdict([], f"its {len(was)} tokens are those of {_origin(given)}")
    line = next((line for (token, line), (old, _) in zip(is_, was, strict=False) if token != old), text.count("\n"))
    message = f"it is not the query of {_origin(given)} any more, from this line on"
    return verdict([found(GATE, message, f"{path}:{line}", "take the given text again")], "")


def _origin(given: Query) -> str:
    return "the requirements" if given.origin == "inline" else given.origin


def _tokens(text: str) -> list[tuple[str, int]]:
    """Tokens with their lines; words that are no literals, quoted names or comments lose their case."""
    return [
        (
            token.text.casefold() if token.kind in {Kind.NAME, Kind.OPERATOR} else token.text,
            position(text, token.start)[0],
        )
        for token in tokenize(text)
    ]


GATE = Gate("QRY019", "rewritten_query", "query", check)
