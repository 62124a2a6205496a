"""Freshness: the table was written when it should have been."""

from __future__ import annotations

from etl_orchestrator.layout.bigconfig_yml import Monitor
from etl_orchestrator.monitors.check import Check, Subject


def monitors(subject: Subject) -> tuple[Monitor, ...]:
    """None for a table that is not scheduled: nobody knows when it should be written."""
    return (Monitor("FRESHNESS"),) if subject.scheduled else ()


CHECK = Check("freshness", "the table was written when it should have been", monitors)
