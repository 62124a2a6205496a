"""Where the files of a table lie: relative posix strings, made from a checked `TableRef` and never by hand."""

from __future__ import annotations

import re

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.table import TableRef

QUERY_SQL = "query.sql"
QUERY_PY = "query.py"
VIEW_SQL = "view.sql"
SCRIPT_SQL = "script.sql"
MATERIALIZED_VIEW_SQL = "materialized_view.sql"
UDF_SQL = "udf.sql"
STORED_PROCEDURE_SQL = "stored_procedure.sql"
CHECKS_SQL = "checks.sql"
DATA_CSV = "data.csv"
CHECKS_MACROS = "tests/checks"
SCRIPTS = "script"
SCHEMA_YAML = "schema.yaml"
METADATA_YAML = "metadata.yaml"
BIGCONFIG_YML = "bigconfig.yml"
DAGS_YAML = "dags.yaml"
PROJECT_YAML = "bqetl_project.yaml"
SAVED_METRICS = "sql/bigconfig.yml"
GLOBAL_SCHEMA = "bigquery_etl/schema/global.yaml"

_CASE = re.compile(r"test_[A-Za-z0-9_]+\Z")


def table_folder(table: TableRef) -> str:
    """`sql/<project>/<dataset>/<table>`; raises InvalidInput for a wildcard and for a view of INFORMATION_SCHEMA."""
    if table.is_wildcard:
        raise InvalidInput(f"`{table}` is a wildcard and has no folder", fix="name one of its tables")
    if table.is_information_schema:
        raise InvalidInput(f"`{table}` is defined by BigQuery and has no folder", fix="name a table of a dataset")
    return f"sql/{table.project}/{table.dataset}/{table.name}"


def query_sql(table: TableRef) -> str:
    return f"{table_folder(table)}/{QUERY_SQL}"


def query_py(table: TableRef) -> str:
    return f"{table_folder(table)}/{QUERY_PY}"


def script_sql(table: TableRef) -> str:
    return f"{table_folder(table)}/{SCRIPT_SQL}"


def view_sql(table: TableRef) -> str:
    return f"{table_folder(table)}/{VIEW_SQL}"


def schema_yaml(table: TableRef) -> str:
    return f"{table_folder(table)}/{SCHEMA_YAML}"


def metadata_yaml(table: TableRef) -> str:
    return f"{table_folder(table)}/{METADATA_YAML}"


def bigconfig_yml(table: TableRef) -> str:
    return f"{table_folder(table)}/{BIGCONFIG_YML}"


def tests_folder(table: TableRef) -> str:
    """`tests/sql/<project>/<dataset>/<table>`."""
    return f"tests/{table_folder(table)}"


def test_folder(table: TableRef, case: str) -> str:
    """The folder of one SQL test; raises InvalidInput unless `case` is `test_` with letters, digits, underscores."""
    if not _CASE.match(case):
        raise InvalidInput(f"`{case}` is not the name of a test", fix="write test_ and letters, digits, underscores")
    return f"{tests_folder(table)}/{case}"


def base_schema(dataset: str | None = None) -> str:
    """The base schema of a dataset, or the global one."""
    return f"bigquery_etl/schema/{dataset}.yaml" if dataset else GLOBAL_SCHEMA


def table_of(path: str) -> TableRef | None:
    """The table to which a relative path belongs: its folder, a file in it, or anything below its tests folder."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if parts[:1] == ["tests"]:
        parts = parts[1:]
    if len(parts) < 4 or parts[0] != "sql" or ".." in parts:
        return None
    try:
        table = TableRef(parts[1], parts[2], parts[3])
    except InvalidInput:
        return None
    return None if table.is_wildcard or table.is_information_schema else table
