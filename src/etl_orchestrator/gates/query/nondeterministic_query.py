"""A query that can give other rows when it is run again.

What it checks
    No CURRENT_DATE, CURRENT_DATETIME, CURRENT_TIME or CURRENT_TIMESTAMP in an incremental query; no RAND; no LIMIT
    without ORDER BY, except of the elements of one array; no ROW_NUMBER, LAG, LEAD or NTILE over a window without ORDER
    BY. ANY_VALUE is allowed: it says openly that any value will do.
Why
    A backfill of last month must give last month's rows, and a test that passes today must pass tomorrow.
Example
    `WHERE order_date = CURRENT_DATE()` in a query that is run for @submission_date.
Repair
    Use the date parameter; order by something unique.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from etl_orchestrator.finding import Finding, NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

if TYPE_CHECKING:
    from sqlglot.expressions import Expr


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return _reading.NO_REQUIREMENTS
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return read
    findings: dict[str, Finding] = {}
    for number, rendering in enumerate(read.renderings):
        trees = _reading.trees_of(rendering)
        if not trees:
            return Unchecked("the query cannot be parsed to look for what changes from run to run")
        incremental = model.requirements.partitioning.incremental
        for word, message, fix in (found_ for tree in trees for found_ in _unsteady(tree, incremental)):
            at = read.at(_reading.line_of(rendering.upper(), word), number)
            findings.setdefault(message, found(GATE, message, at, fix, _reading.owner_of(model)))
    return verdict(list(findings.values()), "nothing in it changes from run to run")


def _unsteady(tree: Expr, incremental: bool) -> Iterator[tuple[str, str, str]]:
    """The word to look for, the message and the fix of everything that is not steady."""
    from sqlglot import exp

    clocks = (exp.CurrentDate, exp.CurrentDatetime, exp.CurrentTime, exp.CurrentTimestamp)
    numbering = (exp.RowNumber, exp.Lag, exp.Lead, exp.Ntile)
    for node in tree.walk():
        if incremental and isinstance(node, clocks):
            name = node.sql_name()
            yield name, f"{name} gives another day in a backfill", "use the date parameter"
        elif isinstance(node, exp.Rand):
            yield (
                "RAND(",
                "RAND gives another value in each run",
                "derive it from a column: MOD(FARM_FINGERPRINT(id), 100)",
            )
        elif isinstance(node, exp.Limit) and isinstance(node.parent, exp.Query) and not _is_ordered(node.parent):
            yield "LIMIT", "LIMIT without ORDER BY keeps any rows", "order by something unique"
        elif isinstance(node, exp.Window) and isinstance(node.this, numbering) and not _is_steady(node):
            name = node.this.sql_name()
            message = f"{name} over a window without ORDER BY numbers the rows in any order"
            yield f"{name}(", message, "order the window"


def _is_ordered(query: Expr) -> bool:
    """Ordered, or the elements of one array, which have an order of their own."""
    from sqlglot import exp

    from_ = query.args.get("from_")
    of_array = from_ is not None and isinstance(from_.this, exp.Unnest) and not query.args.get("joins")
    return of_array or query.args.get("order") is not None


def _is_steady(window: Expr) -> bool:
    """Ordered, or declared in a WINDOW clause, where its order stands."""
    return window.args.get("order") is not None or window.args.get("alias") is not None


GATE = Gate("QRY014", "nondeterministic_query", "query", check)
