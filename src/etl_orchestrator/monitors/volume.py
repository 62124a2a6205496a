"""Volume: as many rows as usual; it stops the DAG for a table of tier_1."""

from __future__ import annotations

from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.monitors.check import Check, Subject


def monitors(subject: Subject) -> tuple[Monitor, ...]:
    return (Monitor("VOLUME", blocking=subject.blocking_volume),)


CHECK = Check("volume", "as many rows as usual; stops the DAG for a table of tier_1", monitors)
