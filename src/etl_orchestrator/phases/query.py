"""Phase 2: the query is written, formatted and validated, and the local engine found to have what it calls."""

from __future__ import annotations

from etl_orchestrator.gates import query as gates
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Phase
from etl_orchestrator.proving.trial import run_on_nothing
from etl_orchestrator.skills import query_writer
from etl_orchestrator.tools import Tools


def _work(model: Model, tools: Tools) -> Model:
    """Raises Unsupported now for what no test could be run without later."""
    made = query_writer.work(model, tools)
    run_on_nothing(made, tools)
    return made


PHASE = Phase("query", "query_writer", _work, gates.GATES, query_writer.says)
