"""Phase 3: schema.yaml with every field described, and metadata.yaml."""

from __future__ import annotations

from etl_orchestrator.gates import metadata as gates
from etl_orchestrator.phase import Phase
from etl_orchestrator.skills import metadata_manager

PHASE = Phase("metadata", "metadata_manager", metadata_manager.work, gates.GATES, metadata_manager.says)
