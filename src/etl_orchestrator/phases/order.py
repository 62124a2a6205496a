"""The table of contents of the work, in the order that is law."""

from __future__ import annotations

from etl_orchestrator.phase import Phase
from etl_orchestrator.phases import metadata, monitoring, plan, query, report, tests
from etl_orchestrator.phases.validation import validation

_ROOMS: tuple[Phase, ...] = (plan.PHASE, query.PHASE, metadata.PHASE, tests.PHASE, monitoring.PHASE)

PHASES: tuple[Phase, ...] = (*_ROOMS, validation(_ROOMS), report.PHASE)
