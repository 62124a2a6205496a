"""Phase 5: bigconfig.yml, or nothing with the reason."""

from __future__ import annotations

from etl_orchestrator.gates import monitoring as gates
from etl_orchestrator.phase import Phase
from etl_orchestrator.skills import bigconfig_generator

PHASE = Phase("monitoring", "bigconfig_generator", bigconfig_generator.work, gates.GATES, bigconfig_generator.says)
