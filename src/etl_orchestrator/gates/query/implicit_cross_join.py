"""Two tables joined by a comma, with nothing that relates their rows.

What it checks
    Tables separated by a comma are related by an equality in WHERE. UNNEST of a row's own array, a CTE of one row (a total,
    a guard) and a written CROSS JOIN are decisions, and allowed.
Why
    Every row of the one is multiplied by every row of the other: the usual cause of wrong sums and of the largest bills.
Example
    FROM `acme-data.shop_live.orders_v1` AS orders, `acme-data.shop_live.customers_v1` AS customers
Repair
    Write JOIN … ON, or CROSS JOIN when every pair is meant.
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
    from sqlglot.expressions import Expr, Select


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading_asked_for(model, tools)
    if isinstance(read, NotDue):
        return read
    findings: dict[str, Finding] = {}
    for number, rendering in enumerate(read.renderings):
        trees = _reading.trees_of(rendering)
        if not trees:
            return Unchecked("the query cannot be parsed to look at its joins")
        for name, position in (pair for tree in trees for pair in _unrelated(tree, rendering)):
            at = read.at(rendering.count("\n", 0, position) + 1, number)
            message = f"`{name}` is joined by a comma, and no equality relates its rows"
            fix = "write JOIN … ON, or CROSS JOIN when every pair is meant"
            findings.setdefault(at, found(GATE, message, at, fix, _reading.owner_of(model)))
    return verdict(list(findings.values()), "every comma between tables has an equality")


def _unrelated(tree: Expr, sql: str) -> Iterator[tuple[str, int]]:
    """Alias and position of every table behind a comma which no equality of WHERE ties to another one."""
    from sqlglot import exp

    steps = {cte.alias.lower(): cte.this for cte in tree.find_all(exp.CTE)}
    for select in tree.find_all(exp.Select):
        for join in select.args.get("joins", ()):
            if not isinstance(join.this, exp.Table) or not join.this.parts:
                continue
            start = join.this.parts[0].meta.get("start")
            if start is None or not sql[:start].rstrip("` \t\n").endswith(","):
                continue
            if _is_one_row(steps.get(join.this.name.lower())) or _is_one_row(_first_step(select, steps)):
                continue
            if not _is_related(select, join.this.alias_or_name.lower()):
                yield join.this.alias_or_name, start


def _first_step(select: Select, steps: dict[str, Expr]) -> Expr | None:
    """The CTE before the first comma, when nothing else stands before it."""
    first = select.args["from_"].this
    return steps.get(first.name.lower()) if len(select.args["joins"]) == 1 else None


def _is_one_row(query: Expr | None) -> bool:
    """Whether a query gives one row at most: it reads nothing, or aggregates everything."""
    from sqlglot import exp

    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    functions = [function for part in query.expressions for function in part.find_all(exp.AggFunc)]
    grouped = [function for function in functions if not isinstance(function.parent, exp.Window)]
    return query.args.get("from_") is None or bool(grouped)


def _is_related(select: Select, alias: str) -> bool:
    """Whether an equality compares this table with another one; a bare name on a side may be of any table."""
    from sqlglot import exp

    where = select.args.get("where")
    for equality in where.find_all(exp.EQ) if where else ():
        sides = [
            {column.table.lower() for column in side.find_all(exp.Column)} for side in (equality.left, equality.right)
        ]
        if all(sides) and (alias in sides[0] | sides[1] or "" in sides[0] | sides[1]) and sides[0] != sides[1]:
            return True
        if sides == [{""}, {""}]:
            return True
    return False


GATE = Gate("QRY021", "implicit_cross_join", "query", check)
