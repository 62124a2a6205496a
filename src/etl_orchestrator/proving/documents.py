"""JSON: scalars by path, and conversions of JSON values where the type already fits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.proving.values import Json
from etl_orchestrator.tools import Value

_JSON_PATH = re.compile(r"\$((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\])*)\Z")
_JSON_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


def json_value(text: Value, path: str = "$") -> Value:
    """A scalar of a JSON text as STRING; NULL for what is absent, null, an object, an array, or no JSON at all."""
    match = _JSON_PATH.match(path)
    if match is None or not isinstance(text, str):
        raise CannotTell(f"the JSON path {path!r}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise CannotTell("JSON with a key twice")
        return dict(pairs)

    try:
        found = json.loads(text, parse_float=_Literal, parse_int=_Literal, object_pairs_hook=unique)
    except ValueError:
        return None
    for step in _JSON_STEP.finditer(match[1]):
        if step[1] is not None:
            found = found.get(step[1]) if isinstance(found, dict) else None
        else:
            place = int(step[2])
            found = found[place] if isinstance(found, list) and place < len(found) else None
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, _Literal) and re.search(r"[.eE]", found):
        raise CannotTell("the text of a number with a fraction in JSON")
    return None if found is None or isinstance(found, (dict, list)) else str(found)


class _Literal(str):
    """A JSON number as written."""

    __slots__ = ()


def json_scalar(wanted: type, lax: bool) -> Callable[[Value], Value]:
    """STRING(json), INT64(json), BOOL(json) and their LAX_ forms; only where no conversion is needed, else refused."""

    def call(document: Value) -> Value:
        if not isinstance(document, Json):
            raise CannotTell("a JSON function of something that is no JSON")
        found = json.loads(document)
        if type(found) is wanted:
            return found
        if lax and (found is None or isinstance(found, (dict, list))):
            return None
        if lax:
            raise CannotTell("a conversion inside of a LAX_ function")
        raise QueryFails("JSON of another type")

    return call
