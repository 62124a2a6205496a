"""The nouns as JSON for the journal, and back, without loss: tuples stay tuples and types keep their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from etl_orchestrator import finding, model, plan, requirements, run, table
from etl_orchestrator.errors import StoreError

_T = TypeVar("_T")

_TYPES: dict[str, Any] = {
    name: kind
    for module in (finding, model, plan, requirements, run, table)
    for name, kind in vars(module).items()
    if dataclasses.is_dataclass(kind)
}


def encode(value: object) -> Any:
    """JSON-able: dataclasses as {"!": name, …}, tuples as {"()": […]}, mappings as {"{}": [[key, value], …]}."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"!": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return {"()": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {"{}": [[encode(key), encode(item)] for key, item in value.items()]}
    raise TypeError(f"{type(value).__name__} has no place in the journal")


def decode(data: Any, expected: type[_T]) -> _T:
    """The inverse of `encode`. Raises StoreError when the text is of another version or damaged."""
    try:
        value = _decode(data)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the journal holds a {expected.__name__} this version cannot read: {error}") from error
    if not isinstance(value, expected):
        raise StoreError(f"the journal holds a {type(value).__name__} where a {expected.__name__} was expected")
    return value


def _decode(data: Any) -> Any:
    if isinstance(data, list):
        return [_decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "()" in data:
        return tuple(_decode(item) for item in data["()"])
    if "{}" in data:
        return {_decode(key): _decode(item) for key, item in data["{}"]}
    return _TYPES[data["!"]](**{key: _decode(item) for key, item in data.items() if key != "!"})
