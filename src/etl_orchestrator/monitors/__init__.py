"""One data-quality check per file; MONITORS is the order in which they are written."""

from __future__ import annotations

from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.monitors import duplicate_grain, freshness, null_key, requested, volume
from etl_orchestrator.monitors.check import Check, Subject

MONITORS: tuple[Check, ...] = (
    freshness.CHECK,
    volume.CHECK,
    null_key.CHECK,
    duplicate_grain.CHECK,
    requested.CHECK,
)


def monitors_of(subject: Subject) -> tuple[tuple[str, Monitor], ...]:
    """Every monitor of a table with the name of its check; one that was asked for replaces ours of the same columns."""
    made: dict[tuple[str, tuple[str, ...]], tuple[str, Monitor]] = {}
    for check in MONITORS:
        for monitor in check.monitors(subject):
            made[monitor.metric, monitor.columns] = (check.name, monitor)
    return tuple(made.values())
