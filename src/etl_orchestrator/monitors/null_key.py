"""Null key: no column of the grain is NULL."""

from __future__ import annotations

from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.monitors.check import Check, Subject

_SAVED = "is_not_null"


def monitors(subject: Subject) -> tuple[Monitor, ...]:
    """The repository's saved metric where it has one, else the predefined percentage held at zero."""
    if not subject.keys:
        return ()
    if _SAVED in subject.saved:
        return (Monitor(_SAVED, subject.keys, date_column=subject.date_column),)
    return (Monitor("PERCENT_NULL", subject.keys, upper=0),)


CHECK = Check("null_key", "no column of the grain is NULL", monitors)
