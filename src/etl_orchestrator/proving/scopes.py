"""What a name means at one place: range variables with their columns, the row or the group, and what lies outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.values import Json, Unknown, group_key, json_part, part
from etl_orchestrator.tools import Value


@dataclass(frozen=True, slots=True)
class Range:
    """One range variable: `value` is the row (dict), the array element, or None for an unmatched side.

    `columns` are the names it offers; None when they are not known (elements of an array without any element).
    """

    alias: str
    value: Value
    columns: tuple[str, ...] | None

    def offers(self, name: str) -> bool:
        return any(column.lower() == name.lower() for column in self.columns or ())

    def read(self, name: str) -> Value:
        return None if self.value is None else part(self.value, name)


@dataclass(frozen=True, slots=True)
class Scope:
    """One row (`ranges`), or one group of rows (`group`); `windows` are values worked out before, by id of the node."""

    ranges: tuple[Range, ...] = ()
    outer: Scope | None = None
    group: tuple[Scope, ...] | None = None
    windows: dict[int, Value] = field(default_factory=dict)

    def content(self) -> tuple[object, ...]:
        """Something hashable that is equal for rows with equal content."""
        if self.group is not None:
            return tuple(sorted((row.content() for row in self.group), key=repr))
        return tuple(_content(entry.value) for entry in self.ranges)


def _content(value: Value) -> object:
    if isinstance(value, dict):
        return tuple(repr(cell) if isinstance(cell, Unknown) else group_key(cell) for cell in value.values())
    return group_key(value)


def resolve(names: list[str], scope: Scope) -> Value:
    """The value of `a.b.c`: a range variable or column of the nearest scope that knows the first name."""
    place: Scope | None = scope
    while place is not None:
        known, value = _find(names, place)
        if known:
            return value
        place = place.outer
    raise CannotTell(f"`{'.'.join(names)}` is not known here")


def _find(names: list[str], scope: Scope) -> tuple[bool, Value]:
    first = names[0].lower()
    aliases = [entry for entry in scope.ranges if entry.alias.lower() == first]
    owners = [entry for entry in scope.ranges if entry.offers(names[0])]
    if aliases and (not owners or len(names) > 1):
        return True, descend(aliases[0].value, names[1:])
    if aliases:
        raise CannotTell(f"`{names[0]}` is a column and a range variable")
    if owners:
        values = [owner.read(names[0]) for owner in owners]
        if any(group_key(value) != group_key(values[0]) for value in values):
            raise CannotTell(f"`{names[0]}` stands in several sources with different values")
        return True, descend(values[0], names[1:])
    if any(entry.columns is None for entry in scope.ranges) and scope.outer is None:
        return True, None
    return False, None


def descend(value: Value, names: list[str]) -> Value:
    """Fields of fields; a field of NULL is NULL."""
    for name in names:
        if value is None:
            return None
        if isinstance(value, Json):
            value = json_part(value, name)
            continue
        if not isinstance(value, Mapping):
            raise CannotTell(f"`{name}` of something that is no STRUCT")
        value = part(value, name)
    if isinstance(value, Unknown):
        raise CannotTell(value.reason)
    return value
