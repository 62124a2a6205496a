"""Phase 6: makes nothing; every gate is asked again of the very bytes that will leave."""

from __future__ import annotations

from collections.abc import Sequence

from etl_orchestrator.gates import validation as gates
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Phase
from etl_orchestrator.tools import Tools


def work(model: Model, tools: Tools) -> Model:
    return model


def says(model: Model) -> str:
    return f"{len(model.artifacts)} files, digest {model.digest[:12]}"


def validation(rooms: Sequence[Phase]) -> Phase:
    """The room behind `rooms`: all their gates, and its own."""
    earlier = tuple(gate for room in rooms for gate in room.gates)
    return Phase("validation", "bigquery_etl_core", work, earlier + gates.GATES, says)
