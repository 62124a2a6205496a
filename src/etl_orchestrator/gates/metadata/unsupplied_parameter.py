"""A query parameter that nobody supplies at run time.

What it checks
    Every @parameter of query.sql, the very first run (is_init) left out, is supplied by the scheduling block: submission_date unless date_partition_parameter
    says otherwise, and those under `parameters`.
Why
    The query dry-runs well, is deployed, and fails in its first run.
Example
    The query filters by @submission_date, and metadata.yaml says `date_partition_parameter: null` and no more.
Repair
    Add `parameters: ["submission_date:DATE:{{ds}}"]` to `scheduling`.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.dry_run import rendered
from etl_orchestrator.sql.parameters import used_parameters
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    if model.artifact(paths.query_sql(model.table)) is None or not metadata.scheduling:
        return NotDue("no scheduled query.sql")
    try:
        query = rendered(model, tools)
    except InvalidInput:
        return NotDue("the template cannot be filled in, of which the query's gates tell")
    partition = metadata.scheduling.get("date_partition_parameter", "submission_date")
    supplied = {str(parameter).partition(":")[0] for parameter in metadata.scheduling.get("parameters") or ()}
    # Arguments of the bq command line may carry parameters too: --parameter=name:TYPE:value.
    for argument in metadata.scheduling.get("arguments") or ():
        if str(argument).startswith("--parameter="):
            supplied.add(str(argument).removeprefix("--parameter=").partition(":")[0])
    if partition:
        supplied.add(str(partition))
    used = used_parameters(query)
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "scheduling")
    findings = [
        found(GATE, f"nobody supplies @{name}", f"{path}:{line}", f"add {_example(name)} to `scheduling: parameters:`")
        for name in sorted(used - supplied)
    ]
    return verdict(findings, f"{len(used)} parameters are supplied")


def _example(name: str) -> str:
    return '"submission_date:DATE:{{ds}}"' if name == "submission_date" else f'"{name}:TYPE:value"'


GATE = Gate("MET017", "unsupplied_parameter", "metadata", check)
