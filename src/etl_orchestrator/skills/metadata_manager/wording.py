"""A plain sentence for a column about which nobody wrote a word: its name read aloud and what it is made of.

It says only what the name and the query show; a person who knows more replaces it under `columns: description:`.
"""

from __future__ import annotations

from etl_orchestrator.table import Field
from etl_orchestrator.tools import Lineage

_BEGINNINGS = {
    "n": "Number of {}", "num": "Number of {}", "count": "Number of {}", "total": "Total {}",
    "sum": "Sum of {}", "avg": "Average {}", "mean": "Average {}", "median": "Median {}",
    "min": "Least {}", "max": "Greatest {}", "pct": "Percentage of {}", "is": "Whether it is {}",
    "has": "Whether it has {}", "first": "First {}", "last": "Last {}",
}  # fmt: skip
_ENDINGS = {
    "date": "Date of {}", "at": "Time of {}", "timestamp": "Time of {}", "ts": "Time of {}",
    "id": "Identifier of the {}", "rate": "Rate of {}", "ratio": "Ratio of {}", "share": "Share of {}",
    "name": "Name of the {}", "code": "Code of the {}",
}  # fmt: skip
_KINDS = {"aggregated": "aggregated from", "computed": "computed from", "copied": "taken from"}
_NAMED_SOURCES = 3


def generated(path: str, field: Field, lineage: Lineage | None) -> str:
    """`Number of orders, aggregated from orders_v1.order_id.`"""
    if "." in path:
        whole = path.rpartition(".")[0]
        return f"{_name(field)} of `{whole}`."
    sentence = _name(field)
    if lineage is None:
        return f"{sentence}."
    if lineage.kind == "constant":
        return f"{sentence}, the same in every row."
    names = list(dict.fromkeys(f"{table.name}.{column}" for table, column in lineage.sources))
    if not names or lineage.kind not in _KINDS:
        return f"{sentence}."
    more = f" and {len(names) - _NAMED_SOURCES} more" if len(names) > _NAMED_SOURCES else ""
    return f"{sentence}, {_KINDS[lineage.kind]} {', '.join(names[:_NAMED_SOURCES])}{more}."


def _name(field: Field) -> str:
    words = [word for word in field.name.lower().split("_") if word]
    if len(words) > 1 and words[-1] == "count":
        return f"Number of {' '.join((*words[:-2], _plural(words[-2])))}"
    if len(words) > 1 and (pattern := _BEGINNINGS.get(words[0])):
        return pattern.format(" ".join(words[1:]))
    if len(words) > 1 and (pattern := _ENDINGS.get(words[-1])):
        return pattern.format(" ".join(words[:-1]))
    if field.mode == "REPEATED":
        return f"List of {' '.join(words)}"
    return " ".join(words).capitalize() or field.name


def _plural(word: str) -> str:
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in ("a", "e", "o") else f"{word}s"
