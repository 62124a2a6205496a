"""What most gates of this room begin with: the tests of the model, run."""

from __future__ import annotations

from etl_orchestrator.finding import NotDue
from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.proving.trial import Trial, trials
from etl_orchestrator.tools import Tools


def trials_of(model: Model, tools: Tools) -> tuple[Trial, ...] | NotDue:
    """Every SQL test as it ended; NotDue when there is no query or no test, which other gates tell."""
    if model.text(paths.query_sql(model.table)) is None:
        return NotDue("the model has no query.sql")
    return trials(model, tools) or NotDue("there are no tests (see missing_test)")
