"""What BigQuery has of the engine's language, and what it has not, by its documentation of August 2026."""

from __future__ import annotations

from etl_orchestrator.engines.googlesql.protocol import (
    LanguageFeature,
    LanguageOptionsProto,
    ProductMode,
    ResolvedNodeKind,
)

#: Features of the engine that BigQuery does not have: with them it accepts what BigQuery refuses, and is slower.
_LEFT_OUT_PARTS = (
    "_TIMESTAMP_NANOS", "_TIMESTAMP_PICOS", "_TIMESTAMP_PRECISION", "PROTO", "ANONYMIZATION", "MODULES",
    "LATERAL_COLUMN_REFERENCES", "LATERAL_JOIN", "DML_RETURNING", "FOR_UPDATE", "ON_CONFLICT", "AGGREGATION_ON_UDAS",
    "AGGREGATE_FILTERING", "_MULTIWAY_UNNEST", "FLATTEN_ARRAYS", "SPANNER", "SLASH_PATHS", "UPDATE_CONSTRUCTOR",
    "MEASURES", "CAST_DIFFERENT_ARRAY_TYPES", "JSON_TYPE_COMPARISON", "PIPE_STATIC_DESCRIBE", "PIPE_DESCRIBE", "PIPE_ASSERT",
    "PIPE_LOG", "PIPE_IF", "PIPE_FORK", "PIPE_TEE", "PIPE_EXPORT_DATA", "PIPE_CREATE_TABLE", "PIPE_INSERT", "PIPE_RECURSIVE",
)  # fmt: skip
_LEFT_OUT_ENDS = (
    "_ARRAY_ORDERING", "_ARRAY_EQUALITY", "_ARRAY_ZIP", "_ARRAY_FIND_FUNCTIONS", "_MAP_TYPE", "_UUID_TYPE", "_ROW_TYPE",
    "_TTL",
)  # fmt: skip
_LEFT_OUT = frozenset(
    number
    for name, number in LanguageFeature
    if any(part in name for part in _LEFT_OUT_PARTS) or name.endswith(_LEFT_OUT_ENDS)
)
#: What BigQuery has and the engine thinks unfinished.
_ADDED = (
    LanguageFeature.FEATURE_DISABLE_FLOAT32,
    LanguageFeature.FEATURE_CREATE_TABLE_CLONE,
    LanguageFeature.FEATURE_CREATE_TABLE_COPY,
    LanguageFeature.FEATURE_COLLATION_SUPPORT,
    LanguageFeature.FEATURE_ANNOTATION_FRAMEWORK,
    LanguageFeature.FEATURE_DIFFERENTIAL_PRIVACY,
    LanguageFeature.FEATURE_V_1_4_MULTILEVEL_AGGREGATION,
    LanguageFeature.FEATURE_V_1_4_LIKE_ANY_SOME_ALL_ARRAY,
    LanguageFeature.FEATURE_ALTER_COLUMN_SET_DATA_TYPE,
    LanguageFeature.FEATURE_CREATE_VIEWS_WITH_COLUMN_OPTIONS,
    LanguageFeature.FEATURE_CREATE_EXTERNAL_TABLE_WITH_PARTITION_COLUMNS,
    LanguageFeature.FEATURE_NON_SQL_PROCEDURE,
    LanguageFeature.FEATURE_EXTERNAL_SECURITY_PROCEDURE,
    LanguageFeature.FEATURE_SQL_GRAPH_DEFAULT_LABEL_AND_PROPERTY_DEFINITION_OPTIONS,
)
#: Statements of the engine that BigQuery does not have.
_LEFT_OUT_STATEMENTS = frozenset(
    f"RESOLVED_{name}_STMT" for name in (
        "EXPLAIN", "DESCRIBE", "SHOW", "ANALYZE", "RENAME", "CREATE_DATABASE", "ALTER_DATABASE", "CREATE_SEQUENCE",
        "ALTER_SEQUENCE", "CREATE_CONSTANT", "CREATE_APPROX_VIEW", "ALTER_APPROX_VIEW", "CREATE_PRIVILEGE_RESTRICTION",
        "ALTER_PRIVILEGE_RESTRICTION", "DROP_PRIVILEGE_RESTRICTION", "EXPORT_METADATA", "DEFINE_TABLE", "SET_TRANSACTION",
        "START_BATCH", "RUN_BATCH", "ABORT_BATCH", "CLONE_DATA", "IMPORT", "MODULE",
    )
)  # fmt: skip
_RESERVED = ("QUALIFY", "GRAPH_TABLE", "MATCH_RECOGNIZE")
#: What CREATE, ALTER and DROP may name besides what the engine knows, and what they may name in a dataset.
_ENTITIES = ("CAPACITY", "RESERVATION", "ASSIGNMENT", "BI_CAPACITY", "ORGANIZATION", "PROJECT", "DATA_POLICY")
_SUB_ENTITIES = ("REPLICA",)
#: Functions of the engine, by their signatures, that Google documents for GoogleSQL or for another product, and not for
#: BigQuery: neither https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/functions-all nor the page of their
#: kind has them (August 2026). What Google documents nowhere stays.
NO_FUNCTIONS = (
    "APPROX_COSINE_DISTANCE_DOUBLE", "APPROX_COSINE_DISTANCE_DOUBLE_WITH_JSON_OPTIONS", "APPROX_DOT_PRODUCT_DOUBLE",
    "APPROX_DOT_PRODUCT_DOUBLE_WITH_JSON_OPTIONS", "APPROX_DOT_PRODUCT_INT64",
    "APPROX_DOT_PRODUCT_INT64_WITH_JSON_OPTIONS", "APPROX_EUCLIDEAN_DISTANCE_DOUBLE",
    "APPROX_EUCLIDEAN_DISTANCE_DOUBLE_WITH_JSON_OPTIONS", "ARRAY_AVG_BIGNUMERIC", "ARRAY_AVG_DOUBLE", "ARRAY_AVG_INT64",
    "ARRAY_AVG_INTERVAL", "ARRAY_AVG_NUMERIC", "ARRAY_FILTER", "ARRAY_FILTER_WITH_INDEX", "ARRAY_INCLUDES",
    "ARRAY_INCLUDES_ALL", "ARRAY_INCLUDES_ANY", "ARRAY_INCLUDES_LAMBDA", "ARRAY_IS_DISTINCT", "ARRAY_LAST_N",
    "ARRAY_MAX", "ARRAY_MAX_DOUBLE", "ARRAY_MIN", "ARRAY_SUM_BIGNUMERIC", "ARRAY_SUM_DOUBLE", "ARRAY_SUM_INT64",
    "ARRAY_SUM_INTERVAL", "ARRAY_SUM_NUMERIC", "ARRAY_TRANSFORM", "ARRAY_TRANSFORM_WITH_INDEX", "DOT_PRODUCT_DOUBLE",
    "DOT_PRODUCT_INT64", "ISERROR", "IS_FIRST", "IS_LAST", "JSON_CONTAINS", "JSON_LAX_TO_BOOL_ARRAY",
    "JSON_LAX_TO_FLOAT64_ARRAY", "JSON_LAX_TO_INT64_ARRAY", "JSON_LAX_TO_STRING_ARRAY", "JSON_TO_BOOL_ARRAY",
    "JSON_TO_FLOAT64_ARRAY", "JSON_TO_INT64_ARRAY", "JSON_TO_STRING_ARRAY", "NULLIFZERO_BIGNUMERIC",
    "NULLIFZERO_DOUBLE", "NULLIFZERO_INT64", "NULLIFZERO_NUMERIC", "PI_BIGNUMERIC", "PI_DOUBLE", "PI_NUMERIC",
    "REGEXP_EXTRACT_GROUPS_BYTES", "REGEXP_EXTRACT_GROUPS_STRING", "SAFE_TO_JSON", "SPLIT_SUBSTR", "ST_AS_KML",
    "ST_DUMP_POINTS", "ST_GEOG_FROM_KML", "TIMESTAMP_FROM_UNIX_MICROS_INT64", "TIMESTAMP_FROM_UNIX_MICROS_TIMESTAMP",
    "TIMESTAMP_FROM_UNIX_MILLIS_INT64", "TIMESTAMP_FROM_UNIX_MILLIS_TIMESTAMP", "TIMESTAMP_FROM_UNIX_SECONDS_INT64",
    "TIMESTAMP_FROM_UNIX_SECONDS_TIMESTAMP", "ZEROIFNULL_BIGNUMERIC", "ZEROIFNULL_DOUBLE", "ZEROIFNULL_INT64",
    "ZEROIFNULL_NUMERIC", "ZSTD_COMPRESS_FROM_BYTES", "ZSTD_COMPRESS_FROM_STRING", "ZSTD_DECOMPRESS_TO_BYTES",
    "ZSTD_DECOMPRESS_TO_STRING",
)  # fmt: skip
#: Such functions, too, but the evaluator writes a call with SAFE. as a call of one of them.
OF_SAFE = ("IFERROR", "NULLIFERROR")


def restrict(language: LanguageOptionsProto) -> None:
    """Makes the language of all features of the engine that of BigQuery."""
    features = [feature for feature in language.enabled_language_features if feature not in _LEFT_OUT]
    language.enabled_language_features[:] = [*features, *_ADDED]
    language.product_mode = ProductMode.PRODUCT_EXTERNAL
    language.reserved_keywords.extend(_RESERVED)
    language.supported_generic_entity_types.extend(_ENTITIES)
    language.supported_generic_sub_entity_types.extend(_SUB_ENTITIES)
    language.supported_statement_kinds[:] = (
        number for name, number in ResolvedNodeKind if name.endswith("_STMT") and name not in _LEFT_OUT_STATEMENTS
    )
