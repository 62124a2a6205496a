"""A query parameter that nobody supplies.

What it checks
    Every `@name` of the rendered query is declared: under `parameters`, or in the scheduling block of metadata.yaml;
    `@submission_date` needs no declaration.
Why
    The scheduled run fails with "Query parameter not found".
Example
    `WHERE day = @day`, and no parameter `day`.
Repair
    Declare it with its type and value, or use @submission_date.
"""

from __future__ import annotations

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import parameters_of
from etl_orchestrator.sql.parameters import used_parameters
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return read
    known = {name.lower() for name in (*parameters_of(model), "submission_date")}
    findings: dict[str, Finding] = {}
    for number, rendering in enumerate(read.renderings):
        for name in sorted(used_parameters(rendering)):
            if name.lower() not in known and name not in findings:
                findings[name] = found(
                    GATE,
                    f"@{name} is no parameter of this model",
                    read.at(_reading.line_of(rendering, f"@{name}"), number),
                    f"declare `{name}` under `parameters`, or use @{min(known)}",
                    _reading.owner_of(model),
                )
    return verdict(list(findings.values()), "every parameter is declared")


GATE = Gate("QRY012", "unknown_parameter", "query", check)
