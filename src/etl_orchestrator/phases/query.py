"""Phase 2: the query is written, formatted and validated."""

from __future__ import annotations

from etl_orchestrator.gates import query as gates
from etl_orchestrator.phase import Phase
from etl_orchestrator.skills import query_writer

PHASE = Phase("query", "query_writer", query_writer.work, gates.GATES, query_writer.says)
