"""A repository as a whole: where it begins, and what a new one holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths, yaml_text
from etl_orchestrator.table import TableRef


def find(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that is a repository: bqetl_project.yaml, or dags.yaml beside sql/."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / paths.PROJECT_YAML).is_file():
            return folder
        if (folder / paths.DAGS_YAML).is_file() and (folder / "sql").is_dir():
            return folder
    raise InvalidInput(
        f"no repository at `{start}` or above it",
        fix="give one with --repo DIR, or make one with `etl-orchestrator init DIR`",
    )


def new_files(project: str) -> dict[str, str]:
    """The files of an empty repository by path: settings, one DAG per tier, a base schema, folders, lint rules."""
    TableRef(project, "any", "any")  # refuses what is no project name
    return {
        paths.PROJECT_YAML: _SETTINGS_HEAD + yaml_text.dump(_settings(project)),
        paths.DAGS_YAML: _DAGS_HEAD + yaml_text.dump(_dags()),
        paths.GLOBAL_SCHEMA: _BASE_HEAD + yaml_text.dump({"fields": _BASE_FIELDS}),
        paths.SAVED_METRICS: _METRICS_HEAD + yaml_text.dump(_saved_metrics()),
        f"sql/{project}/.gitkeep": "",
        f"tests/sql/{project}/.gitkeep": "",
        ".yamllint.yaml": _YAMLLINT,
        "README.md": _README.format(project=project),
    }


def _settings(project: str) -> Mapping[str, object]:
    return {
        "default": {"project": project, "sql_dir": "sql/"},
        "format": {"skip": []},
        "schema": {"base_schemas_dir": "bigquery_etl/schema"},
    }


def _dags() -> Mapping[str, object]:
    times = {
        1: ("0 2 * * *", "results that others decide on"),
        2: ("0 4 * * *", "regular reports"),
        3: ("0 6 * * *", "the rest"),
    }
    return {
        f"bqetl_example_tier_{tier}": {
            "schedule_interval": when,
            "description": f"An example to rename: tables of tier {tier}, {what}.",
            "default_args": {
                "owner": "someone@example.com",
                "email": ["someone@example.com"],
                "start_date": "2025-01-01",
                "retries": 2,
                "retry_delay": "30m",
            },
            "tags": [f"impact/tier_{tier}"],
        }
        for tier, (when, what) in times.items()
    }


def _saved_metrics() -> Mapping[str, object]:
    """What monitors name: rows that arrive, no NULL in a key, no two rows of one key."""
    # Read here: a repository is made once, and found at every start.
    from etl_orchestrator.layout.bigconfig_yml import COMPOSITE_KEYS

    none: dict[str, object] = {"type": "CONSTANT", "upper_bound": 0}
    predefined = {"is_not_null": "PERCENT_NULL", "is_unique": "COUNT_DUPLICATES"}
    metrics: list[dict[str, object]] = [
        {
            "saved_metric_id": name,
            "metric_type": {"type": "PREDEFINED", "predefined_metric": metric},
            "threshold": none,
            "rct_overrides": ["submission_date"],
        }
        for name, metric in predefined.items()
    ]
    metrics += [
        {
            "saved_metric_id": name.lower(),
            "metric_name": name,
            "metric_type": {"type": "PREDEFINED", "predefined_metric": name},
        }
        for name in ("FRESHNESS", "VOLUME")
    ]
    metrics += [
        {
            "saved_metric_id": name,
            "metric_type": {"type": "TEMPLATE", "template_name": name},
            "threshold": {"type": "CONSTANT", "lower_bound": 1},
        }
        for name in COMPOSITE_KEYS.values()
    ]
    return {"type": "BIGCONFIG_FILE", "saved_metric_definitions": {"metrics": metrics}}


_METRICS_HEAD = "# Metrics that the bigconfig.yml of a table may name. Templates are defined in Bigeye.\n"
_SETTINGS_HEAD = "# What this repository says of itself; the keys are those of bigquery-etl.\n"
_DAGS_HEAD = "# The schedules a table can be put on. The tag impact/tier_N decides whether its tables are monitored.\n"
_BASE_HEAD = "# Descriptions of column names that mean the same in every table.\n"

_BASE_FIELDS = [
    {
        "name": "submission_date",
        "type": "DATE",
        "mode": "NULLABLE",
        "description": "The day, in UTC, on which the data were received.",
        "aliases": ["date"],
    },
    {
        "name": "submission_timestamp",
        "type": "TIMESTAMP",
        "mode": "NULLABLE",
        "description": "The moment, in UTC, at which the data were received.",
    },
]

_YAMLLINT = """\
extends: default

rules:
  document-start: disable
  indentation:
    indent-sequences: consistent
  line-length:
    max: 160
    allow-non-breakable-words: true
    allow-non-breakable-inline-mappings: true
"""

_README = """\
# Tables of {project}

- `sql/{project}/<dataset>/<table>/` holds the files of one table: its query, schema, metadata and monitoring.
- `tests/sql/{project}/<dataset>/<table>/test_*/` holds its SQL tests: rows in, rows expected.
- `dags.yaml` lists the schedules, `bigquery_etl/schema/global.yaml` the descriptions of common columns.

Build a table from its requirements with `etl-orchestrator build REQUIREMENTS`, judge one that stands here with
`etl-orchestrator check <dataset>.<table>`.
"""
