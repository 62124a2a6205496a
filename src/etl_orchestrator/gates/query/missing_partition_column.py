"""A partitioned table whose partition column is not in the query's output.

What it checks
    The field of the partitioning is an output column, of a type that BigQuery can partition by: DATE, DATETIME or
    TIMESTAMP, and for hourly partitions not DATE. Ingestion-time partitioning has no column.
Why
    BigQuery refuses to write the result into such a table.
Example
    The table is partitioned by `submission_date`, and the query gives `day`.
Repair
    Give the column in the last SELECT, or name the right field under `partitioning`.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Unchecked, Verdict, verdict
from etl_orchestrator.gates.query import _reading
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Analysis, Tools

_PARTITIONABLE = {"DATE", "DATETIME", "TIMESTAMP"}


def check(model: Model, tools: Tools) -> Verdict:
    if model.requirements is None:
        return _reading.NO_REQUIREMENTS
    partitioning = (model.plan and model.plan.partition) or model.requirements.partitioning
    if not partitioning.field or partitioning.ingestion_time:
        return NotDue("the table is not partitioned by a column")
    answer = _reading.analysis(model, tools)
    if isinstance(answer, NotDue | Unchecked):
        return answer
    problem = _problem(answer, partitioning.field, partitioning.type or "day")
    path = paths.query_sql(model.table)
    fix = f"give `{partitioning.field}` in the last SELECT, or correct `partitioning`"
    findings = [found(GATE, problem, path, fix, _reading.owner_of(model))] if problem else []
    return verdict(findings, f"`{partitioning.field}` is given and can be partitioned by")


def _problem(answer: Analysis, field: str, kind: str) -> str:
    column = next((column for column in answer.columns if column.name == field), None)
    if column is None:
        return f"the table is partitioned by `{field}`, which the query does not give"
    types = _PARTITIONABLE - {"DATE"} if kind.lower() == "hour" else _PARTITIONABLE
    if column.mode == "REPEATED" or column.type not in types:
        return f"`{field}` is {column.type}, and a partition by {kind.lower()} needs {' or '.join(sorted(types))}"
    return ""


GATE = Gate("QRY013", "missing_partition_column", "query", check)
