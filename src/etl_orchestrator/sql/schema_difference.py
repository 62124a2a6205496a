"""In what two schemas differ."""

from __future__ import annotations

from etl_orchestrator.table import Field, Schema


def difference_of(left: Schema, right: Schema, prefix: str = "") -> str:
    """The first field in which two schemas differ, in words; "" when names, types, modes and order agree."""
    names = [field.name for field in left], [field.name for field in right]
    if names[0] != names[1]:
        for one, other, words in (
            (names[0], names[1], "only in the first"),
            (names[1], names[0], "only in the second"),
        ):
            extra = [name for name in one if name not in other]
            if extra:
                return f"`{prefix}{extra[0]}` is {words}"
        return "the order of the columns"
    for one_field, other_field in zip(left, right, strict=True):
        path = f"{prefix}{one_field.name}"
        if (one_field.type, one_field.mode) != (other_field.type, other_field.mode):
            return f"`{path}` is {kind_of(one_field)} in the first and {kind_of(other_field)} in the second"
        if nested := difference_of(one_field.fields, other_field.fields, f"{path}."):
            return nested
    return ""


def kind_of(field: Field, modes: tuple[str, ...] = ("REQUIRED", "REPEATED")) -> str:
    """The type of a field, after its mode where that is one of these."""
    return f"{field.mode} {field.type}" if field.mode in modes else field.type
