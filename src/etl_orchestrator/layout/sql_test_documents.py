"""Rows as the JSON documents that the plugin compares: what its BigQuery client and its encoders make of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, time
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.sql_test import EXPECT, IGNORED, coerced
from etl_orchestrator.table import Field
from etl_orchestrator.tools import Rows, Value


def expected_documents(rows: Iterable[Any], at: str = EXPECT) -> list[Any]:
    """Expected rows as the plugin sees them: days and instants as ISO text, nothing else changed.

    Raises InvalidInput for what JSON cannot hold."""
    try:
        documents: list[Any] = json.loads(json.dumps(list(rows), default=_encoded))
        for number, document in enumerate(documents, 1):
            if not isinstance(document, dict):
                raise InvalidInput(f"row {number} is not a mapping of columns", at=at)
            json.dumps(document, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the expected rows cannot be written as JSON: {error}", at=at) from error
    return documents


def _encoded(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON value")


def documents_of(rows: Rows) -> list[dict[str, Any]]:
    """A result as the plugin sees it: NULLs and `created_at`, `generated_time` left out at every level, days and
    instants as ISO text, decimals as text, BYTES as base64 in lines, JSON as the document it is."""
    # The client reads JSON before NULLs are taken out, so those in it go too.
    return [_seen(row) for row in whole_documents(rows)]


def whole_documents(rows: Rows) -> list[dict[str, Any]]:
    """The same with everything in it."""
    return [
        {column.name: _document(column, value) for column, value in zip(rows.columns, row, strict=True)}
        for row in rows.rows
    ]


def _document(column: Field, value: Value) -> Any:
    if value is None:
        return None
    if column.mode == "REPEATED":
        element = Field(column.name, column.type, "NULLABLE", None, column.fields)
        return [_document(element, item) for item in value]
    if column.type == "RECORD":
        return {part.name: _document(part, value.get(part.name)) for part in column.fields}
    return json.loads(value) if column.type == "JSON" else coerced(value)


def _seen(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _seen(part) for name, part in document.items() if part is not None and name not in IGNORED}
    return [_seen(part) for part in document] if isinstance(document, list) else document
