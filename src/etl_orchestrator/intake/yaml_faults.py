"""What pydantic has against a document, said in our words with the line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements
from etl_orchestrator.intake.yaml_keys import json_schema
from etl_orchestrator.intake.yaml_text import Document, Path
from etl_orchestrator.sql.scan import shown

_EXPECTED = {
    "string_type": "a word or text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
}
_SHOWN = 5


def refusal(error: ValidationError, document: Document, under: Path = ()) -> InvalidInput:
    """One error that names all faults (five at most). `under` is where the judged part stands in the whole form."""
    told: dict[tuple[str, str], str | None] = {}
    misshapen: set[Path] = set()
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"], document)
        if detail["type"] in _EXPECTED and path in misshapen:
            continue  # another alternative of the same key
        if detail["type"] in _EXPECTED:
            misshapen.add(path)
        message, fix = _said(detail, path, (*under, *path))
        told.setdefault((message, document.at(path)), fix)
    (message, at), fix = next(iter(told.items()))
    others = list(told.items())[1:_SHOWN]
    lines = [f"{text} (at {place}{'; ' + hint if hint else ''})" for (text, place), hint in others]
    if len(told) > _SHOWN:
        lines.append(f"and {len(told) - _SHOWN} more")
    return InvalidInput("\n  also: ".join([message, *lines]), at=at, fix=fix)


def unknown_key(key: str, known: tuple[str, ...], at: str) -> InvalidInput:
    return InvalidInput(f"the key `{key}` is not known", at=at, fix=elements.suggestion(key, known))


def _said(detail: ErrorDetails, path: Path, place: Path) -> tuple[str, str | None]:
    key = next((part for part in reversed(path) if isinstance(part, str)), "the document")
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"the key `{key}` is not known", elements.suggestion(key, known_keys(place[:-1]))
    if kind == "missing":
        around = ".".join(map(str, path)) or "the document"
        return f"`{around}` lacks the key `{detail['loc'][-1]}`", None
    given = shown(str(detail["input"]))
    if kind == "value_error":
        return f"`{key}` cannot be {given}", str(detail["ctx"]["error"])
    if kind in _EXPECTED:
        return f"`{key}` takes {_EXPECTED[kind]}, not {given}", None
    return f"`{key}` cannot be {given}", None


def _path(location: tuple[int | str, ...], document: Document) -> Path:
    """The part of the location that stands in the document: pydantic adds the names of alternatives."""
    path: Path = ()
    for part in location:
        if (*path, part) in document.lines:
            path = (*path, part)
    return path


def known_keys(path: Path) -> list[str]:
    """The keys that the form knows at a place."""
    schema = json_schema()
    node: Mapping[str, Any] = schema
    for part in path:
        node = _resolved(node, schema)
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
    return list(_resolved(node, schema).get("properties", {}))


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    for option in node.get("anyOf", ()):
        if "$ref" in option or "items" in option:
            node = option
            break
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node
