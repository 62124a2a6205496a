"""Duplicate grain: no two rows with the same keys."""

from __future__ import annotations

from etl_orchestrator.layout.bigconfig_yml import COMPOSITE_KEYS, Monitor
from etl_orchestrator.monitors.check import Check, Subject

_SAVED = "is_unique"


def monitors(subject: Subject) -> tuple[Monitor, ...]:
    """One column by itself, two or three by the saved metrics for composite keys where the repository defines them.

    A grain of four with the partition among them is checked within the newest partition; of a longer grain nothing in
    Bigeye can tell, and there is no monitor.
    """
    keys = subject.keys
    if not keys:
        return ()
    if len(keys) == 1:
        if _SAVED in subject.saved:
            return (Monitor(_SAVED, keys, date_column=subject.date_column),)
        return (Monitor("COUNT_DUPLICATES", keys, upper=0),)
    lookback, date = None, subject.date_column
    if len(keys) > max(COMPOSITE_KEYS) and subject.partition_field in keys:
        keys = tuple(key for key in keys if key != subject.partition_field)
        lookback, date = 0, subject.partition_field
    metric = COMPOSITE_KEYS.get(len(keys))
    if metric is None or metric not in subject.saved:
        return ()
    return (Monitor(metric, keys, lookback_days=lookback, date_column=date),)


CHECK = Check("duplicate_grain", "no two rows with the same keys", monitors)
