"""Phase 4: a fixture for every source, an expectation for every case, and all of them run."""

from __future__ import annotations

from etl_orchestrator.gates import tests as gates
from etl_orchestrator.phase import Phase
from etl_orchestrator.skills import sql_test_generator

PHASE = Phase("tests", "sql_test_generator", sql_test_generator.work, gates.GATES, sql_test_generator.says)
