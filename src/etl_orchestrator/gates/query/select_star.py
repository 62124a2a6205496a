"""A result whose columns are those of a source table, whatever they are tomorrow.

What it checks
    No star of the last SELECT reaches a real table, neither directly nor through CTEs and subqueries that pass a star
    on. `SELECT * FROM last_step` is allowed when the step lists its columns.
Why
    A column added upstream would change this table's schema, and the load of the next run would fail.
Example
    SELECT * EXCEPT (email) FROM `acme-data.shop_live.orders_v1`
Repair
    List the columns.
"""

from __future__ import annotations

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
            return Unchecked("the query cannot be parsed to look for stars")
        for table in _starred(trees[-1], {}, frozenset()):
            at = read.at(_reading.line_of(rendering, table), number)
            message = f"the columns of the result are whatever `{table}` has"
            findings.setdefault(message, found(GATE, message, at, "list the columns", _reading.owner_of(model)))
    return verdict(list(findings.values()), "the last SELECT lists its columns")


def _starred(query: Expr, ctes: dict[str, Expr], seen: frozenset[str]) -> list[str]:
    """The real tables whose stars make the columns of a query."""
    from sqlglot import exp

    with_ = query.args.get("with_")
    if with_ is not None:
        ctes = {**ctes, **{cte.alias.lower(): cte.this for cte in with_.expressions}}
    if isinstance(query, exp.SetOperation):
        return [*_starred(query.left, ctes, seen), *_starred(query.right, ctes, seen)]
    if isinstance(query, exp.Subquery):
        return _starred(query.this, ctes, seen)
    if not isinstance(query, exp.Select):
        return []
    tables: list[str] = []
    for projection in query.expressions:
        if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
            qualifier = projection.table.lower() if isinstance(projection, exp.Column) else ""
            for source in _sources(query):
                if not qualifier or source.alias_or_name.lower() == qualifier:
                    tables += _tables(source, ctes, seen)
    return tables


def _sources(select: Select) -> list[Expr]:
    from_ = select.args.get("from_")
    return [part.this for part in (*((from_,) if from_ else ()), *select.args.get("joins", ()))]


def _tables(source: Expr, ctes: dict[str, Expr], seen: frozenset[str]) -> list[str]:
    from sqlglot import exp

    if isinstance(source, exp.Subquery):
        return _starred(source.this, ctes, seen)
    if not isinstance(source, exp.Table):
        return []
    name = ".".join(part.name for part in source.parts)
    step = ctes.get(name.lower())
    if step is None:
        return [name]
    return [] if name.lower() in seen else _starred(step, ctes, seen | {name.lower()})


GATE = Gate("QRY015", "select_star", "query", check)
