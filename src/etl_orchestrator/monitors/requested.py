"""Requested: the checks that the requirements list under `monitoring`.

Each is a mapping: `check` (freshness, volume, not_null, unique, a saved metric of the repository, or a predefined one
in capitals), `columns` (one or a list), and if need be `blocking`, `lower`, `upper`, `lookback_days`.
"""

from __future__ import annotations

from collections.abc import Mapping

from etl_orchestrator.layout.bigconfig_yml import COMPOSITE_KEYS, Monitor
from etl_orchestrator.monitors.check import Check, Subject

_KEYS = frozenset({"check", "column", "columns", "blocking", "lower", "upper", "lookback_days"})
_OF_THE_TABLE = {"freshness": "FRESHNESS", "volume": "VOLUME"}
#: Words of ours: the saved metric, and the predefined one where the repository has not saved it.
_OF_A_COLUMN = {"not_null": ("is_not_null", "PERCENT_NULL"), "unique": ("is_unique", "COUNT_DUPLICATES")}


def monitors(subject: Subject) -> tuple[Monitor, ...]:
    """Those that can be understood; of the others a gate tells (`problem_of`)."""
    return tuple(_monitor(entry, subject) for entry in subject.asked if not problem_of(entry, subject))


def problem_of(entry: Mapping[str, object], subject: Subject) -> str:
    """What is wrong with one entry, "" when it can be carried out."""
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    if unknown:
        return f"`{unknown[0]}` is not known; a check has {', '.join(sorted(_KEYS))}"
    name, columns = str(entry.get("check") or ""), columns_of(entry)
    if name in _OF_THE_TABLE:
        problem = "" if not columns else f"`{name}` is of the whole table and takes no columns"
    elif name == "unique" and len(columns) > 1:
        known = COMPOSITE_KEYS.get(len(columns)) in subject.saved
        problem = "" if known else f"the repository has no saved metric for a key of {len(columns)} columns"
    elif name in _OF_A_COLUMN:
        problem = "" if columns else f"`{name}` needs `columns`"
    else:
        problem = "" if name.isupper() or name in subject.saved else f"`{name}` is no check that is known"
    if not problem and not isinstance(entry.get("blocking", False), bool | str):
        problem = "`blocking` is true or false"
    numbers = ("lower", "upper", "lookback_days")
    wrong = [key for key in numbers if entry.get(key) is not None and _number(entry[key]) is None]
    return problem or (f"`{wrong[0]}` is not a number" if wrong else "")


def _monitor(entry: Mapping[str, object], subject: Subject) -> Monitor:
    name, columns = str(entry["check"]), columns_of(entry)
    upper, lookback = _number(entry.get("upper")), _number(entry.get("lookback_days"))
    metric = _OF_THE_TABLE.get(name, name)
    if name in _OF_A_COLUMN:
        saved, predefined = _OF_A_COLUMN[name]
        composite = COMPOSITE_KEYS.get(len(columns)) if name == "unique" else None
        metric = composite or (saved if saved in subject.saved else predefined)
        upper = 0 if metric == predefined and upper is None else upper
    return Monitor(
        metric=metric,
        columns=columns,
        blocking=str(entry.get("blocking", False)).lower() == "true",
        lookback_days=None if lookback is None else int(lookback),
        date_column=None if metric.isupper() else subject.date_column,
        lower=_number(entry.get("lower")),
        upper=upper,
    )


def columns_of(entry: Mapping[str, object]) -> tuple[str, ...]:
    """The columns of an entry, written as `column` or `columns`, one or a list."""
    value = entry.get("columns", entry.get("column"))
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _number(value: object) -> float | None:
    """Numbers may come as text: the door types nothing here."""
    try:
        return None if value is None or isinstance(value, bool) else float(str(value))
    except ValueError:
        return None


CHECK = Check("requested", "what the requirements list under `monitoring`", monitors)
