"""A query.sql that writes by itself.

What it checks
    Its statements are one query and what may stand before it: DECLARE, SET, CREATE TEMP FUNCTION, CREATE TEMP TABLE,
    ASSERT. No INSERT, UPDATE, DELETE, MERGE, TRUNCATE, CREATE, ALTER, DROP, EXPORT, LOAD, GRANT, CALL, EXECUTE.
Why
    The scheduler writes the result into one partition, which can be run again; a statement that writes by itself runs
    twice as much in a second run, and runs for real in whatever test or dry run forgets to stop it.
Example
    DELETE FROM `acme-data.shop_derived.daily_orders_v1` WHERE TRUE;
Repair
    Make it a SELECT, and let partitioning and scheduling say where the rows go.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.tokens import COMMENTS, position, tokenize
from etl_orchestrator.tools import Tools

_WRITES = frozenset(
    [
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "TRUNCATE",
        "CREATE",
        "ALTER",
        "DROP",
        "EXPORT",
        "LOAD",
        "GRANT",
        "REVOKE",
        "CALL",
        "EXECUTE",
        "UNDROP",
    ]
)
# A statement begins the text or follows one of these.
_OPENERS = frozenset({";", "BEGIN", "THEN", "ELSE", "DO"})


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading_asked_for(model, tools)
    if isinstance(read, NotDue):
        return read
    findings: dict[tuple[str, str], Finding] = {}
    for number, rendering in enumerate(read.renderings):
        for line, word in _writes(rendering):
            at = read.at(line, number)
            message = f"a statement begins with {word}: query.sql would write by itself"
            fix = "make it a SELECT; `partitioning` says where its rows go"
            findings.setdefault((at, word), found(GATE, message, at, fix, _reading.owner_of(model)))
    return verdict(list(findings.values()), "it is a query and nothing else")


def _writes(sql: str) -> Iterator[tuple[int, str]]:
    """Line and first word of every statement that writes."""
    found = [token for token in tokenize(sql) if token.kind not in COMMENTS]
    words = [token.text.upper() for token in found]
    for index, word in enumerate(words):
        opens = index == 0 or words[index - 1] in _OPENERS
        if opens and word in _WRITES and not (word == "CREATE" and _is_temporary(words[index + 1 : index + 4])):
            yield position(sql, found[index].start)[0], word


def _is_temporary(following: list[str]) -> bool:
    rest = following[2:] if following[:2] == ["OR", "REPLACE"] else following
    return rest[:1] in (["TEMP"], ["TEMPORARY"])


GATE = Gate("QRY016", "production_write", "query", check)
