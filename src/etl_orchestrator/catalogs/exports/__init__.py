"""Tables that a product of Google fills, with the columns that its documentation lists; they stand in no repository.

What is known so is known on a condition, which is noted: the tables of a project may be older than the page, or newer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from etl_orchestrator.layout import yaml_text
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import PROVIDED, KnownSchema

#: Begins the path of a file here, where it stands among those of a repository.
MARK = "exports:"

_DAY = r"(intraday_)?(\*|\d{1,8}\*?)\Z"
#: Dataset, table, the file of its columns and the page that lists them.
_EXPORTS = (
    (
        re.compile(r"analytics_\d+\Z"),
        re.compile(f"events_{_DAY}"),
        "ga4_events.yaml",
        "https://support.google.com/analytics/answer/7029846",
    ),
    (
        re.compile(r"\d+\Z"),
        re.compile(f"ga_sessions_{_DAY}"),
        "ga_sessions.yaml",
        "https://support.google.com/analytics/answer/3437719",
    ),
)


def schema_of(table: TableRef) -> KnownSchema | None:
    """None for a table that is not named as one of these."""
    for dataset, name, file, page in _EXPORTS:
        if dataset.match(table.dataset) and name.match(table.name):
            note = f"{PROVIDED} `{table}` has the columns that {page} lists"
            return KnownSchema(_columns(file), page, (MARK + file,), (note,))
    return None


def text(marked: str) -> str | None:
    """A file by its marked path."""
    file = Path(__file__).with_name(marked.removeprefix(MARK))
    return file.read_text() if file.name in {name for _, _, name, _ in _EXPORTS} else None


@lru_cache
def _columns(file: str) -> Schema:
    return _fields(yaml_text.load(text(file) or "", file))


def _fields(columns: dict[str, Any]) -> Schema:
    return tuple(_field(name, told) for name, told in columns.items())


def _field(name: str, told: Any) -> Field:
    mode = "REPEATED" if name.endswith("*") else "NULLABLE"
    fields = _fields(told) if isinstance(told, dict) else ()
    return Field(name.rstrip("*"), "RECORD" if fields else told, mode, fields=fields)
