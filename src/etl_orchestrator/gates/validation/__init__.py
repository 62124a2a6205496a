"""The gates of the last room, asked besides all the others: what leaves is complete, and nobody's work is lost."""

from __future__ import annotations

from etl_orchestrator.gates.validation import (
    missing_file,
    standing_file,
    stray_file,
)
from etl_orchestrator.phase import Gate

GATES: tuple[Gate, ...] = (
    missing_file.GATE,
    stray_file.GATE,
    standing_file.GATE,
)
