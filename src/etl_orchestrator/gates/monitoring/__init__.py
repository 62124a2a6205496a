"""The gates behind phase 5: what is worth watching is watched, and what is watched is there."""

from __future__ import annotations

from etl_orchestrator.gates.monitoring import (
    foreign_table,
    missing_bigconfig,
    monitoring_disagreement,
    tier_mismatch,
    unknown_check,
    unknown_column,
    unknown_saved_metric,
    unmonitored_key,
    unreadable_bigconfig,
    unwanted_bigconfig,
    unwatched_table,
)
from etl_orchestrator.phase import Gate

GATES: tuple[Gate, ...] = (
    missing_bigconfig.GATE,
    unwanted_bigconfig.GATE,
    tier_mismatch.GATE,
    unreadable_bigconfig.GATE,
    foreign_table.GATE,
    unknown_column.GATE,
    unwatched_table.GATE,
    unmonitored_key.GATE,
    monitoring_disagreement.GATE,
    unknown_saved_metric.GATE,
    unknown_check.GATE,
)
