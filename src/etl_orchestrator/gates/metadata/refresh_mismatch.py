"""A table that is written in another way than its metadata, or its plan, says.

What it checks
    The label `incremental` agrees with the plan; the task writes one partition only of a partitioned table that is
    labelled incremental; and a table labelled incremental is not replaced as a whole by every run, unless it reads its
    own previous content or says where it writes (`destination_table`) or that it appends (`--append_table`).
Why
    A mistake here destroys history in the first night, or fills one partition with everything.
Example
    labels: {incremental: true} and scheduling: {date_partition_parameter: null}: each run leaves one day only.
Repair
    Remove `date_partition_parameter: null`, or label the table `incremental: false`.
"""

from __future__ import annotations

from etl_orchestrator.finding import Finding, NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.layout.metadata_yaml import Metadata
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.sql.parameters import used_parameters
from etl_orchestrator.tools import Tools

#: Keys that say where a run writes.
_PLACES = frozenset({"destination_table", "date_partition_offset"})


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    label = metadata.labels.get("incremental")
    findings: list[Finding] = []
    if model.plan is not None:
        planned = model.plan.refresh.value == "incremental"
        if label is not planned:
            said = "no label `incremental`" if label is None else f"the label `incremental: {str(label).lower()}`"
            message = f"{said}, the plan says {model.plan.refresh.value}"
            findings.append(_finding(model, message, f"write `incremental: {str(planned).lower()}` under `labels`"))
    if isinstance(label, bool) and metadata.scheduling:
        findings += _writes(model, metadata, label)
    elif not findings and model.plan is None:
        return NotDue("it is not scheduled, or not labelled incremental or not")
    return verdict(findings, f"{'incremental' if label else 'full refresh'}, and written so")


def _writes(model: Model, metadata: Metadata, incremental: bool) -> list[Finding]:
    """What the task of a query.sql does, against the label. A query.py writes as it likes."""
    query = model.text(paths.query_sql(model.table))
    scheduling = metadata.scheduling
    arguments = [str(argument) for argument in scheduling.get("arguments") or ()]
    if query is None or _PLACES & scheduling.keys() or any("append" in argument for argument in arguments):
        return []
    whole = "date_partition_parameter" in scheduling and scheduling["date_partition_parameter"] is None
    partitioned = metadata.time_partitioning is not None
    if incremental and not whole and not partitioned:
        return [
            _finding(
                model,
                "each run writes one partition, and the table has no partitions",
                "write `bigquery: time_partitioning:`, or `date_partition_parameter: null` under `scheduling`",
            )
        ]
    if not incremental and not whole:
        return [
            _finding(
                model,
                "labelled as fully refreshed, and each run writes one partition",
                "write `date_partition_parameter: null` under `scheduling`, or label it `incremental: true`",
            )
        ]
    if incremental and whole and "submission_date" in used_parameters(query) and not _reads_itself(model, query):
        return [
            _finding(
                model,
                "labelled incremental, and each run replaces the whole table by the rows of one day",
                "remove `date_partition_parameter: null` from `scheduling`, or label it `incremental: false`",
            )
        ]
    return []


def _reads_itself(model: Model, query: str) -> bool:
    if model.requirements is not None:
        return model.requirements.reads_itself
    return f"{model.table.dataset}.{model.table.name}" in query.replace("`", "")


def _finding(model: Model, message: str, fix: str) -> Finding:
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "incremental")
    return found(GATE, message, f"{path}:{line}" if line else path, fix)


GATE = Gate("MET019", "refresh_mismatch", "metadata", check)
