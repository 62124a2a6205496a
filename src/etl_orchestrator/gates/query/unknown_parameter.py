"""A query parameter that nobody supplies.

What it checks
    Every `@name` of the rendered query is declared: under `parameters`, or in the scheduling block of metadata.yaml, or
    given by a script of the repository; `@submission_date` needs no declaration, nor do in the first run (`is_init()`)
    `@sample_id` and `@sampling_batch_size`, which `bqetl query initialize` gives.
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
from etl_orchestrator.sql.parameters import first_uses
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    read = _reading.reading(model, tools)
    if isinstance(read, NotDue):
        return read
    findings: dict[str, Finding] = {}
    for number, rendering in enumerate(read.renderings):
        given = parameters_of(model, tools, rendering, read.rendered_from[number].is_init)
        known = {name.lower() for name in (*given, "submission_date")}
        for name, offset in sorted(first_uses(rendering).items()):
            if name.lower() not in known and name not in findings:
                findings[name] = found(
                    GATE,
                    f"@{name} is no parameter of this model",
                    read.place(offset, number),
                    f"declare `{name}` under `parameters`, or use @{min(known)}",
                    _reading.owner_of(model),
                )
    return verdict(list(findings.values()), "every parameter is declared")


GATE = Gate("QRY012", "unknown_parameter", "query", check)
