"""The keys of the YAML form and what each takes; the published JSON Schema is generated from these models.

Only shapes are judged here. Scalars arrive as text (`yaml_text`), because only the place says whether `NO` is a word.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from etl_orchestrator.intake import yaml_text


def _words(value: object) -> object:
    return str(value) if isinstance(value, str) else value


#: As many digits as an answer may have.
_MOST_DAYS = 999_999


def _flag(value: object) -> object:
    told = yaml_text.native(value) if isinstance(value, str) else value
    if isinstance(told, bool):
        return told
    raise ValueError("write true or false")


def _number(value: object) -> object:
    told = yaml_text.native(value) if isinstance(value, str) else value
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= _MOST_DAYS:
        return told
    raise ValueError(f"write a whole number up to {_MOST_DAYS}")


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _natives(value: Any) -> object:
    return yaml_text.native(value)


def _cells(value: Any) -> object:
    return yaml_text.plain(value)


Text = Annotated[str, BeforeValidator(_words)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Number = Annotated[int, BeforeValidator(_number)]
Names = Annotated[list[Text], BeforeValidator(_one_or_many)]
Natives = Annotated[dict[str, Any], BeforeValidator(_natives)]
Cells = Annotated[dict[str, Any], BeforeValidator(_cells)]


class Keys(BaseModel):
    """Unknown keys are refused, and a known key without a value is as good as absent."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in given.items() if value is not None or key not in known}


class SchemaFieldKeys(Keys):
    """A field of a schema that is declared inline."""

    name: Text
    type: Text = Field(description="A BigQuery type: STRING, INTEGER, RECORD, …")
    mode: Text = Field("NULLABLE", description="NULLABLE, REQUIRED or REPEATED.")
    description: Text | None = None
    fields: list[SchemaFieldKeys] = Field(default_factory=list, description="The parts of a RECORD.")


class SourceKeys(Keys):
    """A table or an array that is read."""

    table: Text | None = Field(
        None, description="project.dataset.table, dataset.table, or the name of an earlier step."
    )
    alias: Text | None = Field(None, description="How expressions call it; default: the table's name without version.")
    unnest: Text | None = Field(None, description="Instead of a table: an array expression.")
    offset: Text | None = Field(None, description="Of an array: the name of the column with its position.")
    filter: Text | None = Field(None, description="A condition on this source alone, applied before the join.")
    join: Text | None = Field(None, description="INNER, LEFT, RIGHT, FULL or CROSS; nothing for the first source.")
    on: Text | None = Field(None, description="The condition of the join, or the names of columns equal on both sides.")
    matches: Text | None = Field(
        None, description="one or many: how many of its rows may match one row of the other sources."
    )
    schema_: list[SchemaFieldKeys] | None = Field(None, alias="schema", description="Where no catalog knows the table.")
    notes: Text | None = Field(None, description="Words for the author.")


class ColumnKeys(Keys):
    """An output column, or a part of a nested one."""

    name: Text = Field(description="Name of the column; `*` for a star in a step.")
    expression: Text | None = Field(
        None, description="One GoogleSQL expression; default: the source column of the name."
    )
    description: Text | None = None
    type: Text | None = Field(None, description="When given, the query's type is held to it.")
    mode: Text | None = None
    fields: list[ColumnKeys] = Field(default_factory=list, description="Descriptions of the parts of a RECORD.")
    notes: Text | None = Field(None, description="Words for the author.")


class BodyKeys(Keys):
    """One SELECT, or a union of earlier steps."""

    sources: list[SourceKeys] = Field(default_factory=list)
    columns: list[ColumnKeys] = Field(default_factory=list)
    where: Text | None = None
    distinct: Flag = False
    having: Text | None = None
    qualify: Text | None = None
    union: Names = Field(default_factory=list, description="Earlier steps, joined by UNION ALL.")
    union_distinct: Annotated[
        list[str] | bool, BeforeValidator(lambda value: value if isinstance(value, list) else _flag(value))
    ] = Field(False, description="Earlier steps, joined by UNION DISTINCT; or true, beside `union`.")


class StepKeys(BodyKeys):
    """A named intermediate result."""

    name: Text
    on_init: BodyKeys | None = Field(None, description="Its body in the very first run.")
    notes: Text | None = None


class PartitioningKeys(Keys):
    """How the table is cut and written."""

    incremental: Flag | None = Field(None, description="true: each run writes one partition; false: the whole table.")
    field: Text | None = None
    type: Text | None = Field(None, description="hour, day, month or year.")
    expiration_days: Number | None = None
    require_filter: Flag | None = None
    write: Text | None = Field(None, description="partition, table or append.")
    ingestion_time: Flag = False


#: Keys of the repository's `scheduling` block that are passed on (bigquery-etl, query_scheduling/task.py).
SCHEDULING = (
    "arguments", "container_resources", "date_partition_offset", "date_partition_parameter", "depends_on",
    "depends_on_fivetran", "depends_on_past", "depends_on_table_partitions_existing", "depends_on_tables_existing",
    "destination_table", "email", "email_on_failure", "email_on_retry", "external_downstream_tasks", "gcp_conn_id",
    "gke_cluster_name", "gke_location", "gke_project_id", "multipart", "node_selector", "owner", "parameters", "priority",
    "query_file_path", "query_project", "referenced_tables", "repo", "retries", "retry_delay", "secrets", "start_date",
    "startup_timeout_seconds", "task_concurrency", "task_group", "task_name", "trigger_rule",
)  # fmt: skip


class ScheduleKeys(Keys):
    """When and where it runs; further keys are those of the repository's `scheduling` block."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra=lambda schema: schema.update(
            properties={**schema["properties"], **{key: {} for key in SCHEDULING}}, additionalProperties=False
        ),
    )

    dag: Text | None = Field(None, description="A DAG of dags.yaml.")
    frequency: Text | None = Field(None, description="hourly, daily, weekly or monthly: a DAG is looked for.")
    product: Text | None = Field(None, description="A product area: a DAG is looked for.")
    none: Text | None = Field(None, description="The reason why it is not scheduled.")


class ParameterKeys(Keys):
    """A query parameter other than submission_date."""

    name: Text
    type: Text = Field(description="A GoogleSQL type: DATE, ARRAY<STRING>.")
    value: Text = Field(description="What Airflow supplies: {{ds}}.")


class RefuseWhenKeys(Keys):
    """A condition under which a run must fail."""

    condition: Text
    message: Text


class ExampleKeys(Keys):
    """A worked example: what is in the tables, and what must come out."""

    name: Text | None = None
    given: Annotated[
        dict[str, list[dict[str, Any]] | None], BeforeValidator(_cells), WithJsonSchema({
            "type": "object", "additionalProperties": {"type": ["array", "null"], "items": {"type": "object"}},
        }),
    ] = Field(default_factory=dict, description="Rows by table; a table not given is empty, a field not given NULL.")  # fmt: skip
    parameters: Cells = Field(default_factory=dict)
    expect: Annotated[list[dict[str, Any]], BeforeValidator(_cells)] = Field(description="The rows that must come out.")
    ordered: Flag = Field(False, description="Arrays compare in order; otherwise in any order.")


class RequirementsKeys(BodyKeys):
    """Requirements for one table."""

    model_config = ConfigDict(extra="forbid", title="Requirements for a BigQuery table")

    table: Text | None = Field(None, description="project.dataset.table or dataset.table.")
    friendly_name: Text | None = None
    description: Text | None = None
    grain: Text | list[Text] | None = Field(None, description="What one row means: names of columns, or a sentence.")
    steps: list[StepKeys] = Field(default_factory=list)
    on_init: BodyKeys | None = Field(None, description="Another body for the very first run.")
    query: Text | None = Field(None, description="Instead of columns: the path or text of a query that is adopted.")
    python: Text | None = Field(None, description="Instead of a query: why this must be query.py.")
    partitioning: PartitioningKeys | None = None
    clustering: Names = Field(default_factory=list)
    schedule: ScheduleKeys | None = None
    owners: Names = Field(default_factory=list, description="Mail addresses, or organisation/team.")
    tier: Text | None = Field(None, description="tier_1, tier_2 or tier_3; default: the tier of the DAG.")
    consumers: Names = Field(default_factory=list)
    monitoring: Annotated[
        str | list[dict[str, Any]] | None,
        BeforeValidator(lambda value: value if isinstance(value, str) else _natives(value)),
    ] = Field("auto", description="auto, none, or explicit checks.")
    labels: Natives = Field(default_factory=dict)
    examples: list[ExampleKeys] = Field(default_factory=list)
    parameters: list[ParameterKeys] = Field(default_factory=list)
    refuse_when: list[RefuseWhenKeys] = Field(default_factory=list)
    notes: Text | None = Field(None, description="Words for the author.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the YAML form, as published in docs/requirements.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RequirementsKeys.model_json_schema(by_alias=True, mode="validation"),
    }


def json_schema_text() -> str:
    """The bytes of docs/requirements.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
