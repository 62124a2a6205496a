"""An incremental query that does not restrict its rows to the partition it writes.

What it checks
    A query of an incremental model uses its date parameter in a filter (WHERE, ON, HAVING, QUALIFY), or as the value of
    the partition column. Models that write the whole table are not asked.
Why
    Each run would write the rows of all days into one partition, and read the whole source for it.
Example
    A daily aggregate without `submission_date = @submission_date`.
Repair
    Filter the source on the date parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_orchestrator.finding import NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

_DAYS = {"DATE", "DATETIME", "TIMESTAMP"}


def check(model: Model, tools: Tools) -> Verdict:
    requirements = model.requirements
    if requirements is None:
        return _reading.NO_REQUIREMENTS
    if not requirements.partitioning.incremental or requirements.partitioning.write == "table":
        return NotDue("every run writes the whole table")
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return read
    names = {parameter.name.lower() for parameter in requirements.parameters if parameter.type.upper() in _DAYS}
    names = names or {"submission_date"}
    trees = _reading.trees_of(read.renderings[0])
    if not trees:
        return Unchecked("the query cannot be parsed to find its filters")
    if any(_restricts(tree, names, requirements.partitioning.field) for tree in trees):
        return verdict([], f"@{', @'.join(sorted(names))} restricts the rows")
    message = f"the query is incremental and does not restrict its rows by @{' or @'.join(sorted(names))}"
    fix = f"filter the source, for example `{requirements.partitioning.field or 'date'} = @{min(names)}`"
    return verdict([found(GATE, message, paths.query_sql(model.table), fix, _reading.owner_of(model))], "")


def _restricts(tree: Expr, names: set[str], field: str | None) -> bool:
    """Whether one of the parameters stands in a filter, or makes the partition column."""
    from sqlglot import exp

    for parameter in tree.find_all(exp.Parameter):
        if parameter.name.lower() not in names:
            continue
        if parameter.find_ancestor(exp.Where, exp.Having, exp.Qualify, exp.Join):
            return True
        alias = parameter.find_ancestor(exp.Alias)
        if alias is not None and alias.alias == field:
            return True
    return False


GATE = Gate("QRY011", "missing_partition_filter", "query", check)
