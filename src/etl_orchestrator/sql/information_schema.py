"""The columns of the INFORMATION_SCHEMA views, which BigQuery defines and documents; those met in practice."""

from __future__ import annotations

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import KnownSchema

_TABLE = "table_catalog table_schema table_name"
_TYPES = {"i": "INTEGER", "f": "FLOAT", "t": "TIMESTAMP", "b": "BOOLEAN", "j": "JSON"}


#: Views of which another name is the same.
_SAME = {"JOBS_BY_PROJECT": "JOBS", "TABLE_STORAGE_BY_PROJECT": "TABLE_STORAGE"}


def known(table: TableRef) -> KnownSchema:
    """The columns of a view. Raises Unavailable for one that is not listed here, or that is named with neither a dataset
    nor a region though it tells of these, which BigQuery refuses."""
    view = _view(table)
    if "." not in table.name and view in _OF_DATASETS:
        raise Unavailable(f"`{table}` names neither a dataset nor a region", fix="name one before INFORMATION_SCHEMA")
    if view not in _VIEWS:
        raise Unavailable(f"the columns of {view} are not known here (`{table}`)")
    return KnownSchema(_VIEWS[view], "BigQuery's documentation")


def _view(table: TableRef) -> str:
    name = table.name.rpartition(".")[2].upper()
    return _SAME.get(name, name)


def _columns(words: str, **records: Field) -> Schema:
    """Columns by name, STRING unless a letter after a colon says otherwise; `*` makes an array; a name among the
    records stands for that record."""
    return tuple(records[word] if word in records else _column(word) for word in words.split())


def _column(word: str) -> Field:
    name, _, kind = word.partition(":")
    mode = "REPEATED" if kind.endswith("*") else "NULLABLE"
    return Field(name, _TYPES.get(kind.rstrip("*"), "STRING"), mode)


def _record(name: str, words: str, mode: str = "NULLABLE", **records: Field) -> Field:
    return Field(name, "RECORD", mode, fields=_columns(words, **records))


_REFERENCE = "project_id dataset_id table_id"
_STAGE = (
    "name id:i start_ms:i end_ms:i input_stages:i* wait_ratio_avg:f wait_ms_avg:i wait_ratio_max:f wait_ms_max:i"
    " read_ratio_avg:f read_ms_avg:i read_ratio_max:f read_ms_max:i compute_ratio_avg:f compute_ms_avg:i"
    " compute_ratio_max:f compute_ms_max:i write_ratio_avg:f write_ms_avg:i write_ratio_max:f write_ms_max:i"
    " shuffle_output_bytes:i shuffle_output_bytes_spilled:i records_read:i records_written:i parallel_inputs:i"
    " completed_parallel_inputs:i status steps slot_ms:i compute_mode"
)
_JOBS = _columns(
    "bi_engine_statistics cache_hit:b creation_time:t destination_table dml_statistics end_time:t error_result job_id"
    " job_stages job_type labels parent_job_id principal_subject priority project_id project_number:i query"
    " referenced_tables reservation_id edition session_info start_time:t state statement_type timeline"
    " total_bytes_billed:i total_bytes_processed:i total_modified_partitions:i total_slot_ms:i"
    " total_services_sku_slot_ms:i transaction_id user_email query_info transferred_bytes:i query_dialect",
    bi_engine_statistics=_record(
        "bi_engine_statistics",
        "bi_engine_mode bi_engine_reasons acceleration_mode",
        bi_engine_reasons=_record("bi_engine_reasons", "code message", "REPEATED"),
    ),
    destination_table=_record("destination_table", _REFERENCE),
    dml_statistics=_record("dml_statistics", "inserted_row_count:i deleted_row_count:i updated_row_count:i"),
    error_result=_record("error_result", "reason location debug_info message"),
    job_stages=_record(
        "job_stages",
        _STAGE,
        "REPEATED",
        steps=_record("steps", "kind substeps:s*", "REPEATED"),
    ),
    labels=_record("labels", "key value", "REPEATED"),
    referenced_tables=_record("referenced_tables", _REFERENCE, "REPEATED"),
    session_info=_record("session_info", "session_id"),
    timeline=_record(
        "timeline",
        "elapsed_ms:i total_slot_ms:i pending_units:i completed_units:i active_units:i estimated_runnable_units:i",
        "REPEATED",
    ),
    query_info=_record(
        "query_info",
        "resource_warning optimization_details:j query_hashes",
        query_hashes=_record("query_hashes", "normalized_literals"),
    ),
)

_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
_OPTION = "option_name option_type option_value"

_OF_DATASETS = frozenset(
    ["COLUMNS", "COLUMN_FIELD_PATHS", "CONSTRAINT_COLUMN_USAGE", "KEY_COLUMN_USAGE", "MATERIALIZED_VIEWS", "PARTITIONS",
     "ROUTINES", "ROUTINE_OPTIONS", "TABLES", "TABLE_CONSTRAINTS", "TABLE_OPTIONS", "VIEWS"]
)  # fmt: skip

_VIEWS: dict[str, Schema] = {
    "SCHEMATA": _columns(
        "catalog_name schema_name schema_owner creation_time:t last_modified_time:t location ddl"
        " default_collation_name sync_status:j"
    ),
    "SCHEMATA_OPTIONS": _columns(f"catalog_name schema_name {_OPTION}"),
    "TABLES": _columns(
        f"{_TABLE} table_type managed_table_type is_insertable_into is_fine_grained_mutations_enabled is_typed"
        " is_change_history_enabled creation_time:t base_table_catalog base_table_schema base_table_name"
        " snapshot_time_ms:t replica_source_catalog replica_source_schema replica_source_name replication_status"
        " replication_error ddl default_collation_name upsert_stream_apply_watermark:t"
    ),
    "TABLE_OPTIONS": _columns(f"{_TABLE} {_OPTION}"),
    "TABLE_SNAPSHOTS": _columns(f"{_TABLE} base_table_catalog base_table_schema base_table_name snapshot_time:t"),
    "TABLE_CONSTRAINTS": _columns(f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced"),
    "KEY_COLUMN_USAGE": _columns(
        f"{_CONSTRAINT} {_TABLE} column_name ordinal_position:i position_in_unique_constraint:i"
    ),
    "CONSTRAINT_COLUMN_USAGE": _columns(f"{_TABLE} column_name {_CONSTRAINT}"),
    "MATERIALIZED_VIEWS": _columns(
        f"{_TABLE} last_refresh_time:t refresh_watermark:t last_refresh_status",
        last_refresh_status=_record("last_refresh_status", "reason location debug_info message"),
    ),
    "OBJECT_PRIVILEGES": _columns("object_catalog object_schema object_name object_type privilege_type grantee"),
    "VIEWS": _columns(f"{_TABLE} view_definition check_option use_standard_sql"),
    "COLUMNS": _columns(
        f"{_TABLE} column_name ordinal_position:i is_nullable data_type is_generated generation_expression is_stored"
        " is_hidden is_updatable is_system_defined is_partitioning_column clustering_ordinal_position:i collation_name"
        " column_default rounding_mode policy_tags:s*"
    ),
    "COLUMN_FIELD_PATHS": _columns(
        f"{_TABLE} column_name field_path data_type description collation_name rounding_mode policy_tags:s*"
    ),
    "PARTITIONS": _columns(
        f"{_TABLE} partition_id total_rows:i total_logical_bytes:i total_billable_bytes:i last_modified_time:t"
        " storage_tier"
    ),
    "TABLE_STORAGE": _columns(
        f"project_id project_number:i {_TABLE} creation_time:t total_rows:i total_partitions:i total_logical_bytes:i"
        " active_logical_bytes:i long_term_logical_bytes:i current_physical_bytes:i total_physical_bytes:i"
        " active_physical_bytes:i long_term_physical_bytes:i time_travel_physical_bytes:i"
        " storage_last_modified_time:t deleted:b table_type managed_table_type fail_safe_physical_bytes:i"
        " last_metadata_index_refresh_time:t table_deletion_reason table_deletion_time:t"
    ),
    "ROUTINES": _columns(
        "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name routine_type"
        " data_type routine_body routine_definition external_language is_deterministic security_type created:t"
        " last_altered:t ddl"
    ),
    "ROUTINE_OPTIONS": _columns(f"specific_catalog specific_schema specific_name {_OPTION}"),
    "JOBS": _JOBS,
    "JOBS_BY_USER": _JOBS,
    "JOBS_BY_ORGANIZATION": tuple(field for field in _JOBS if field.name != "query"),
}
