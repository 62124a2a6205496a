"""The columns of the INFORMATION_SCHEMA views, which BigQuery defines and documents."""

from __future__ import annotations

from dataclasses import replace

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import KnownSchema

_TYPES = {"i": "INTEGER", "f": "FLOAT", "t": "TIMESTAMP", "d": "DATE", "b": "BOOLEAN", "j": "JSON"}

#: Views that may be written with _BY_PROJECT too.
_BY_PROJECT = frozenset(
    ["ASSIGNMENTS", "ASSIGNMENT_CHANGES", "CAPACITY_COMMITMENTS", "CAPACITY_COMMITMENT_CHANGES", "JOBS",
     "JOBS_TIMELINE", "RESERVATIONS", "RESERVATIONS_TIMELINE", "RESERVATION_CHANGES", "SCHEMATA_REPLICAS",
     "SCHEMATA_REPLICAS_BY_FAILOVER_RESERVATION", "SESSIONS", "STREAMING_TIMELINE", "TABLE_STORAGE",
     "TABLE_STORAGE_USAGE_TIMELINE", "WRITE_API_TIMELINE"]
)  # fmt: skip

#: Views that tell of a dataset or of all datasets of a region; those of the second list tell of one dataset only.
_OF_DATASETS = frozenset(
    ["COLUMNS", "COLUMN_FIELD_PATHS", "CONSTRAINT_COLUMN_USAGE", "KEY_COLUMN_USAGE", "MATERIALIZED_VIEWS", "PARAMETERS",
     "PARTITIONS", "PROPERTY_GRAPHS", "ROUTINES", "ROUTINE_OPTIONS", "SEARCH_INDEXES", "SEARCH_INDEX_COLUMNS",
     "SEARCH_INDEX_COLUMN_OPTIONS", "SEARCH_INDEX_OPTIONS", "TABLES", "TABLE_CONSTRAINTS", "TABLE_OPTIONS",
     "TABLE_SNAPSHOTS", "VECTOR_INDEXES", "VECTOR_INDEX_COLUMNS", "VECTOR_INDEX_OPTIONS", "VIEWS"]
)  # fmt: skip
_OF_ONE_DATASET = frozenset(["PARTITIONS", "SEARCH_INDEXES", "SEARCH_INDEX_COLUMNS", "SEARCH_INDEX_OPTIONS"])


def known(table: TableRef) -> KnownSchema:
    """The columns of a view. Raises Unavailable for one that is not listed here, and for one that names neither a
    dataset nor a region though it tells of these, or a region though it tells of one dataset, which BigQuery refuses.
    """
    view = _view(table)
    if "." not in table.name and view in _OF_DATASETS:
        raise Unavailable(f"`{table}` names neither a dataset nor a region", fix="name one before INFORMATION_SCHEMA")
    if view in _OF_ONE_DATASET and table.dataset.lower().startswith("region-"):
        raise Unavailable(f"`{table}` names a region, but {view} tells of one dataset only", fix="name the dataset")
    if view not in _VIEWS:
        raise Unavailable(f"the columns of {view} are not known here (`{table}`)")
    return KnownSchema(_VIEWS[view], "BigQuery's documentation")


def _view(table: TableRef) -> str:
    name = table.name.rpartition(".")[2].upper()
    short = name.removesuffix("_BY_PROJECT")
    return short if short in _BY_PROJECT else name


def _columns(words: str, *records: Field) -> Schema:
    """Columns by name, STRING unless a letter after a colon says otherwise; `*` makes an array; the name of one of the
    records stands for that record."""
    named = {record.name: record for record in records}
    return tuple(named[word] if word in named else _column(word) for word in words.split())


def _column(word: str) -> Field:
    name, _, kind = word.partition(":")
    mode = "REPEATED" if kind.endswith("*") else "NULLABLE"
    return Field(name, _TYPES.get(kind.rstrip("*"), "STRING"), mode)


def _record(name: str, words: str, *records: Field) -> Field:
    return Field(name, "RECORD", fields=_columns(words, *records))


def _records(name: str, words: str, *records: Field) -> Field:
    return replace(_record(name, words, *records), mode="REPEATED")


def _without(columns: Schema, *names: str) -> Schema:
    """The columns but those so named, in records too."""
    kept = (column for column in columns if column.name not in names)
    return tuple(replace(column, fields=_without(column.fields, *names)) for column in kept)


def _by_scope(view: str, columns: Schema) -> dict[str, Schema]:
    """The views of a project, an organization and a folder, which alone has the numbers of the folders."""
    plain = _without(columns, "folder_numbers")
    return {view: plain, f"{view}_BY_ORGANIZATION": plain, f"{view}_BY_FOLDER": columns}


_TABLE = "table_catalog table_schema table_name"
_BASE = "base_table_catalog base_table_schema base_table_name"
_INDEX = "index_catalog index_schema table_name index_name"
_ROUTINE = "specific_catalog specific_schema specific_name"
_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
_OPTION = "option_name option_type option_value"
_REFERENCE = "project_id dataset_id table_id"
_PROJECT = "project_id project_number:i"

_ERROR = "reason location debug_info message"
_ERROR_RESULT = _record("error_result", _ERROR)
_LABELS = _records("labels", "key value")
_BASE_TABLE = _record("base_table", _REFERENCE)
_TABLE_REFERENCE = _record("table_reference", _REFERENCE)
_BI_ENGINE_REASONS = _records("bi_engine_reasons", "code message")
_INDEX_UNUSED_REASONS = _records("index_unused_reasons", "code message base_table index_name", _BASE_TABLE)

_STAGES = _records(
    "job_stages",
    "name id:i start_ms:i end_ms:i input_stages:i* wait_ratio_avg:f wait_ms_avg:i wait_ratio_max:f wait_ms_max:i"
    " read_ratio_avg:f read_ms_avg:i read_ratio_max:f read_ms_max:i compute_ratio_avg:f compute_ms_avg:i"
    " compute_ratio_max:f compute_ms_max:i write_ratio_avg:f write_ms_avg:i write_ratio_max:f write_ms_max:i"
    " shuffle_output_bytes:i shuffle_output_bytes_spilled:i records_read:i records_written:i parallel_inputs:i"
    " completed_parallel_inputs:i status steps slot_ms:i compute_mode",
    _records("steps", "kind substeps:s*"),
)
_INSIGHTS = _record(
    "performance_insights",
    "avg_previous_execution_ms:i stage_performance_standalone_insights stage_performance_change_insights",
    _records(
        "stage_performance_standalone_insights",
        "stage_id:i bi_engine_reasons high_cardinality_joins slot_contention:b insufficient_shuffle_quota:b"
        " partition_skew",
        _BI_ENGINE_REASONS,
        _records("high_cardinality_joins", "left_rows:i right_rows:i output_rows:i step_index:i"),
        _record("partition_skew", "skew_sources", _records("skew_sources", "stage_id:i")),
    ),
    _records(
        "stage_performance_change_insights",
        "stage_id:i input_data_change",
        _record("input_data_change", "records_read_diff_percentage:f"),
    ),
)
#: All columns that one of the views of jobs has.
_JOBS = _columns(
    "bi_engine_statistics cache_hit:b creation_time:t destination_table dml_statistics end_time:t error_result"
    f" folder_numbers:i* job_creation_reason job_id job_stages job_type labels parent_job_id priority {_PROJECT} query"
    " referenced_tables reservation_id reservation_group_path:s* edition session_info start_time:t state statement_type"
    " timeline total_bytes_billed:i total_bytes_processed:i total_modified_partitions:i total_slot_ms:i"
    " total_services_sku_slot_ms:i transaction_id user_email principal_subject query_info transferred_bytes:i"
    " materialized_view_statistics metadata_cache_statistics search_statistics query_dialect continuous:b"
    " continuous_query_info vector_search_statistics external_service_costs",
    _record("bi_engine_statistics", "bi_engine_mode bi_engine_reasons acceleration_mode", _BI_ENGINE_REASONS),
    _record("destination_table", _REFERENCE),
    _record("dml_statistics", "inserted_row_count:i deleted_row_count:i updated_row_count:i"),
    _ERROR_RESULT,
    _record("job_creation_reason", "code"),
    _STAGES,
    _LABELS,
    _records("referenced_tables", _REFERENCE),
    _record("session_info", "session_id"),
    _records(
        "timeline",
        "elapsed_ms:i total_slot_ms:i pending_units:i completed_units:i active_units:i estimated_runnable_units:i",
    ),
    _record(
        "query_info",
        "resource_warning query_hashes performance_insights optimization_details:j",
        _record("query_hashes", "normalized_literals"),
        _INSIGHTS,
    ),
    _record(
        "materialized_view_statistics",
        "materialized_view",
        _records(
            "materialized_view", "table_reference chosen:b estimated_bytes_saved:i rejected_reason", _TABLE_REFERENCE
        ),
    ),
    _record(
        "metadata_cache_statistics",
        "table_metadata_cache_usage",
        _records(
            "table_metadata_cache_usage", "table_type table_reference unused_reason explanation", _TABLE_REFERENCE
        ),
    ),
    _record("search_statistics", "index_usage_mode index_unused_reasons", _INDEX_UNUSED_REASONS),
    _record("continuous_query_info", "output_watermark:t"),
    _record(
        "vector_search_statistics",
        "index_usage_mode index_unused_reasons stored_columns_usages",
        _INDEX_UNUSED_REASONS,
        _records(
            "stored_columns_usages",
            "stored_columns_unused_reasons is_query_accelerated:b base_table",
            _records("stored_columns_unused_reasons", "uncovered_columns:s* code message"),
            _BASE_TABLE,
        ),
    ),
    _records(
        "external_service_costs",
        "external_service bytes_processed:i bytes_billed:i slot_ms:i reserved_slot_count:i billing_method",
    ),
)
_JOBS_TIMELINE = _columns(
    f"period_start:t period_slot_ms:i {_PROJECT} folder_numbers:i* user_email principal_subject job_id job_type labels"
    " statement_type priority parent_job_id job_creation_time:t job_start_time:t job_end_time:t state reservation_id"
    " reservation_group_path:s* edition total_bytes_billed:i total_bytes_processed:i error_result cache_hit:b"
    " period_shuffle_ram_usage_ratio:f period_estimated_runnable_units:i transaction_id",
    _ERROR_RESULT,
    _LABELS,
)
_SESSIONS = _columns(
    f"creation_time:t expiration_time:t is_active:b last_modified_time:t {_PROJECT} session_id user_email"
)

_AUTOSCALE = _record("autoscale", "current_slots:i max_slots:i")
_LOCATIONS = "primary_location secondary_location original_primary_location"
_SCALING = "labels reservation_group_path:s* max_slots:i scaling_mode"
_ASSIGNMENT = "assignment_id reservation_name job_type assignee_id assignee_number:i assignee_type"
_COMMITMENT = "capacity_commitment_id commitment_plan state slot_count:i"

_DATA_POLICIES = _records("data_policies", "name")
_ALTERATION = _record(
    "last_index_alteration_info",
    "status message new_coverage_percentage:i start_time:t end_time:t ddl",
    _record("message", _ERROR),
)
_INDEXES = (
    f"{_INDEX} index_status creation_time:t last_modification_time:t last_refresh_time:t disable_time:t disable_reason"
    " DDL coverage_percentage:i unindexed_row_count:i total_logical_bytes:i total_storage_bytes:i"
)
_REPLICAS = (
    "catalog_name schema_name replica_name location replica_primary_assigned:b replica_primary_assignment_complete:b"
    " creation_time:t creation_complete:b replication_time:t sync_status:j replica_primary_assignment_time:t"
    " replica_primary_assignment_completion_time:t"
)
_OPTIONS_CHANGES = _columns(f"update_time:t username updated_options:j {_PROJECT}")
_STREAMED = "error_code total_requests:i total_rows:i total_input_bytes:i"

_VIEWS: dict[str, Schema] = {
    "SCHEMATA": _columns(
        "catalog_name schema_name schema_owner creation_time:t last_modified_time:t location ddl"
        " default_collation_name sync_status:j"
    ),
    "SCHEMATA_OPTIONS": _columns(f"catalog_name schema_name {_OPTION}"),
    "SCHEMATA_LINKS": _columns(
        "catalog_name schema_name linked_schema_catalog_number linked_schema_catalog_name linked_schema_name"
        " linked_schema_creation_time:t linked_schema_org_display_name shared_asset_id link_type"
    ),
    "SCHEMATA_REPLICAS": _columns(_REPLICAS),
    "SCHEMATA_REPLICAS_BY_FAILOVER_RESERVATION": _columns(
        f"failover_reservation_project_id failover_reservation_name {_REPLICAS}"
    ),
    "SHARED_DATASET_USAGE": _columns(
        f"{_REFERENCE} data_exchange_id listing_id job_start_time:t job_end_time:t job_id job_project_number:i"
        " job_location linked_project_number:i linked_dataset_id subscriber_org_number:i subscriber_org_display_name"
        " job_principal_subject num_rows_processed:i total_bytes_processed:i shared_resource_id shared_resource_type"
        " referenced_tables",
        _records("referenced_tables", f"{_REFERENCE} processed_bytes:i"),
    ),
    "TABLES": _columns(
        f"{_TABLE} table_type managed_table_type is_insertable_into is_fine_grained_mutations_enabled is_typed"
        f" is_change_history_enabled creation_time:t {_BASE} snapshot_time_ms:t replica_source_catalog"
        " replica_source_schema replica_source_name replication_status replication_error ddl default_collation_name"
        " sync_status:j upsert_stream_apply_watermark:t"
    ),
    "TABLE_OPTIONS": _columns(f"{_TABLE} {_OPTION}"),
    "TABLE_SNAPSHOTS": _columns(f"{_TABLE} {_BASE} snapshot_time:t"),
    "TABLE_CONSTRAINTS": _columns(f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced"),
    "KEY_COLUMN_USAGE": _columns(
        f"{_CONSTRAINT} {_TABLE} column_name ordinal_position:i position_in_unique_constraint:i"
    ),
    "CONSTRAINT_COLUMN_USAGE": _columns(f"{_TABLE} column_name {_CONSTRAINT}"),
    "MATERIALIZED_VIEWS": _columns(
        f"{_TABLE} last_refresh_time:t refresh_watermark:t last_refresh_status", _record("last_refresh_status", _ERROR)
    ),
    "OBJECT_PRIVILEGES": _columns("object_catalog object_schema object_name object_type privilege_type grantee"),
    "PROPERTY_GRAPHS": _columns(
        "property_graph_catalog property_graph_schema property_graph_name property_graph_metadata_json ddl"
    ),
    "VIEWS": _columns(f"{_TABLE} view_definition check_option use_standard_sql"),
    "COLUMNS": _columns(
        f"{_TABLE} column_name ordinal_position:i is_nullable data_type is_generated generation_expression is_stored"
        " async_generation_status is_hidden is_updatable is_system_defined is_partitioning_column"
        " clustering_ordinal_position:i collation_name column_default rounding_mode data_policies policy_tags:s*",
        _record("async_generation_status", "blocking_error", _record("blocking_error", "message")),
        _DATA_POLICIES,
    ),
    "COLUMN_FIELD_PATHS": _columns(
        f"{_TABLE} column_name field_path data_type description collation_name rounding_mode data_policies"
        " policy_tags:s*",
        _DATA_POLICIES,
    ),
    "PARTITIONS": _columns(
        f"{_TABLE} partition_id total_rows:i total_logical_bytes:i total_billable_bytes:i last_modified_time:t"
        " storage_tier"
    ),
    **_by_scope(
        "TABLE_STORAGE",
        _columns(
            f"folder_numbers:i* {_PROJECT} {_TABLE} creation_time:t total_rows:i total_partitions:i"
            " total_logical_bytes:i active_logical_bytes:i long_term_logical_bytes:i current_physical_bytes:i"
            " total_physical_bytes:i active_physical_bytes:i long_term_physical_bytes:i time_travel_physical_bytes:i"
            " storage_last_modified_time:t deleted:b table_type managed_table_type fail_safe_physical_bytes:i"
            " last_metadata_index_refresh_time:t table_deletion_reason table_deletion_time:t"
        ),
    ),
    **_by_scope(
        "TABLE_STORAGE_USAGE_TIMELINE",
        _columns(
            "usage_date:d folder_numbers:i* project_id table_catalog project_number:i table_schema table_name"
            " billable_total_logical_usage:i billable_active_logical_usage:i billable_long_term_logical_usage:i"
            " billable_total_physical_usage:i billable_active_physical_usage:i billable_long_term_physical_usage:i"
        ),
    ),
    "ROUTINES": _columns(
        f"{_ROUTINE} routine_catalog routine_schema routine_name routine_type data_type routine_body"
        " routine_definition external_language is_deterministic security_type created:t last_altered:t ddl connection"
    ),
    "ROUTINE_OPTIONS": _columns(f"{_ROUTINE} {_OPTION}"),
    "PARAMETERS": _columns(
        f"{_ROUTINE} ordinal_position:i parameter_mode is_result parameter_name data_type parameter_default"
        " is_aggregate"
    ),
    "SEARCH_INDEXES": _columns(f"{_INDEXES} analyzer last_index_alteration_info", _ALTERATION),
    "SEARCH_INDEXES_BY_ORGANIZATION": _columns(
        f"project_id project_number {_INDEX} index_status index_status_details use_background_reservation:b",
        _record("index_status_details", "throttle_status message"),
    ),
    "SEARCH_INDEX_COLUMNS": _columns(f"{_INDEX} index_column_name index_field_path"),
    "SEARCH_INDEX_COLUMN_OPTIONS": _columns(f"{_INDEX} index_column_name {_OPTION}"),
    "SEARCH_INDEX_OPTIONS": _columns(f"{_INDEX} {_OPTION}"),
    "VECTOR_INDEXES": _columns(f"{_INDEXES} last_index_alteration_info last_model_build_time:t", _ALTERATION),
    "VECTOR_INDEX_COLUMNS": _columns(f"{_INDEX} index_column_name index_field_path"),
    "VECTOR_INDEX_OPTIONS": _columns(f"{_INDEX} {_OPTION}"),
    "JOBS": _without(_JOBS, "folder_numbers"),
    "JOBS_BY_USER": _without(_JOBS, "folder_numbers", "optimization_details"),
    "JOBS_BY_FOLDER": _without(_JOBS, "query", "optimization_details"),
    "JOBS_BY_ORGANIZATION": _without(_JOBS, "folder_numbers", "query", "optimization_details", "dml_statistics"),
    "JOBS_TIMELINE": _without(_JOBS_TIMELINE, "folder_numbers"),
    "JOBS_TIMELINE_BY_USER": _without(_JOBS_TIMELINE, "folder_numbers"),
    "JOBS_TIMELINE_BY_FOLDER": _without(_JOBS_TIMELINE, "labels"),
    "JOBS_TIMELINE_BY_ORGANIZATION": _without(_JOBS_TIMELINE, "labels", "transaction_id"),
    "SESSIONS": _SESSIONS,
    "SESSIONS_BY_USER": _SESSIONS,
    **_by_scope(
        "STREAMING_TIMELINE",
        _columns(f"start_timestamp:t folder_numbers:i* {_PROJECT} dataset_id table_id {_STREAMED}"),
    ),
    **_by_scope(
        "WRITE_API_TIMELINE",
        _columns(f"start_timestamp:t folder_numbers:i* {_PROJECT} dataset_id table_id stream_type {_STREAMED}"),
    ),
    "RESERVATIONS": _columns(
        f"ddl {_PROJECT} reservation_name ignore_idle_slots:b slot_capacity:i target_job_concurrency:i autoscale"
        f" edition {_LOCATIONS} {_SCALING}",
        _AUTOSCALE,
        _LABELS,
    ),
    "RESERVATION_CHANGES": _columns(
        f"change_timestamp:t {_PROJECT} reservation_name ignore_idle_slots:b action slot_capacity:i user_email"
        f" target_job_concurrency:i autoscale edition {_LOCATIONS} {_SCALING}",
        _AUTOSCALE,
        _LABELS,
    ),
    "RESERVATIONS_TIMELINE": _columns(
        "autoscale edition ignore_idle_slots:b labels reservation_group_path:s* period_start:t per_second_details"
        f" {_PROJECT} reservation_id reservation_name slot_capacity:i slots_assigned:i slots_max_assigned:i max_slots:i"
        " scaling_mode period_autoscale_slot_seconds:i is_creation_region:b",
        _AUTOSCALE,
        _LABELS,
        _records(
            "per_second_details",
            "start_time:t autoscale_current_slots:i autoscale_max_slots:i slots_assigned:i slots_max_assigned:i"
            " borrowed_slots:i lent_slots:i",
        ),
    ),
    "ASSIGNMENTS": _columns(f"ddl {_PROJECT} {_ASSIGNMENT}"),
    "ASSIGNMENT_CHANGES": _columns(f"change_timestamp:t {_PROJECT} {_ASSIGNMENT} action user_email state"),
    "CAPACITY_COMMITMENTS": _columns(f"ddl {_PROJECT} {_COMMITMENT} edition is_flat_rate:b renewal_plan"),
    "CAPACITY_COMMITMENT_CHANGES": _columns(
        f"change_timestamp:t {_PROJECT} {_COMMITMENT} action user_email commitment_start_time:t commitment_end_time:t"
        " failure_status renewal_plan edition is_flat_rate:b",
        _record("failure_status", "code:i message"),
    ),
    "BI_CAPACITIES": _columns(f"{_PROJECT} bi_capacity_name size:i preferred_tables:s*"),
    "BI_CAPACITY_CHANGES": _columns(
        f"change_timestamp:t {_PROJECT} bi_capacity_name size:i user_email preferred_tables:s*"
    ),
    "PROJECT_OPTIONS": _columns(f"option_name {_PROJECT} option_description option_type option_value"),
    "PROJECT_OPTIONS_CHANGES": _OPTIONS_CHANGES,
    "EFFECTIVE_PROJECT_OPTIONS": _columns(
        f"{_PROJECT} option_name option_description option_type option_set_level option_set_on_id option_value"
    ),
    "ORGANIZATION_OPTIONS": _columns("option_name option_description option_type option_value"),
    "ORGANIZATION_OPTIONS_CHANGES": _OPTIONS_CHANGES,
}
