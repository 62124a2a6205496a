"""The `scheduling` block: what Airflow is told about a table.

Seen in bigquery-etl: a task gets `submission_date` and writes the partition of that day unless told otherwise; a query
that writes its whole table says `date_partition_parameter: null` and names every parameter it still wants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Parameter, Requirements
from etl_orchestrator.sql.parameters import used_parameters

_DEFAULT = "submission_date"
#: Templates by which Airflow supplies the day of the run.
_DAY = re.compile(r"\{\{\s*ds\s*\}\}\Z")


def scheduling_of(requirements: Requirements, plan: Plan, query: str) -> dict[str, Any]:
    """The block for a query's text ("" for query.py), {} when the table is not scheduled. Keys that the requirements
    give win over what the rules say."""
    if not plan.dag.value:
        return {}
    block: dict[str, Any] = {"dag_name": plan.dag.value}
    block.update(_of_python(plan) if plan.is_python else _of_sql(requirements, plan, query))
    if requirements.reads_itself:
        block["depends_on_past"] = True
    block.update(requirements.schedule.options)
    return block


def _of_python(plan: Plan) -> dict[str, Any]:
    """A query.py of the usual shape takes the day (or hour) of the run as `--date`."""
    hourly = plan.partition is not None and plan.partition.type == "hour"
    return {"arguments": ["--date", "{{ ts }}" if hourly else "{{ ds }}"]}


def _of_sql(requirements: Requirements, plan: Plan, query: str) -> dict[str, Any]:
    used = used_parameters(query)
    wanted = [parameter for parameter in requirements.parameters if parameter.name in used]
    if _DEFAULT in used and all(parameter.name != _DEFAULT for parameter in wanted):
        wanted.insert(0, Parameter(_DEFAULT, "DATE", "{{ds}}"))
    block: dict[str, Any] = {}
    write = plan.partition.write if plan.partition else None
    if write == "partition":
        supplied = _partition_parameter(wanted)
        if supplied != _DEFAULT:
            block["date_partition_parameter"] = supplied
        wanted = [parameter for parameter in wanted if parameter.name != supplied]
    else:
        block["date_partition_parameter"] = None
    if write == "append":
        block["arguments"] = ["--append_table", "--noreplace"]
    if wanted:
        block["parameters"] = [f"{parameter.name}:{parameter.type}:{parameter.value}" for parameter in wanted]
    return block


def _partition_parameter(wanted: list[Parameter]) -> str:
    """The parameter that names the partition: submission_date, unless another one is the only day of the run."""
    if any(parameter.name == _DEFAULT for parameter in wanted):
        return _DEFAULT
    days = [p.name for p in wanted if p.type.upper() == "DATE" and _DAY.match(p.value.strip())]
    return days[0] if len(days) == 1 else _DEFAULT


def label_values(labels: Mapping[str, str]) -> dict[str, Any]:
    """Labels as metadata.yaml has them: true and false are booleans there."""
    words = {"true": True, "false": False}
    return {key: words.get(value, value) for key, value in labels.items()}
