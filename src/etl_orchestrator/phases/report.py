"""Phase 7: the run is told to a person; the telling itself (`report/`) reads the journal and changes no file."""

from __future__ import annotations

from etl_orchestrator.model import Model
from etl_orchestrator.phase import Phase
from etl_orchestrator.tools import Tools


def work(model: Model, tools: Tools) -> Model:
    return model


def says(model: Model) -> str:
    return "every due gate has passed"


PHASE = Phase("report", "bigquery_etl_core", work, (), says)
