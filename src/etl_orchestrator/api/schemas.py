"""The schema.yaml that belongs to a query which stands in a repository."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from etl_orchestrator.api.targets import models
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.model import Model
from etl_orchestrator.outcome import Outcome, of_batch, of_error


def schema(workplace: Workplace, targets: Sequence[str], write: bool = False, describe: bool = False) -> Outcome:
    """schema.yaml with the columns of the query's output; `write` changes the file where they differ, and only there.

    With `describe`, fields without a description get one. What fails for one model does not stop the others."""
    began = time.perf_counter()
    results = []
    try:
        found = models(workplace, targets)
    except OrchestratorError as error:
        return of_error("schema", error, seconds=time.perf_counter() - began)
    for model in found:
        start = time.perf_counter()
        try:
            result = _schema(workplace, model, write, describe)
        except OrchestratorError as error:
            result = of_error("schema", error, table=str(model.table))
        results.append(replace(result, seconds=time.perf_counter() - start))
    return of_batch("schema", results, time.perf_counter() - began)


def _schema(workplace: Workplace, model: Model, write: bool, describe: bool) -> Outcome:
    from etl_orchestrator.skills import metadata_manager

    artifact = metadata_manager.updated_schema(model, workplace.tools, describe)
    differs = model.text(artifact.path) != artifact.text
    write_now = write and differs
    changed = workplace.store.write({artifact.path: artifact.text}, overwrite=True) if write_now else ()
    notes = [note.text for note in artifact.notes if note.source == metadata_manager.CONDITION]
    data = {"path": artifact.path, "text": artifact.text, "differs": differs, "notes": notes}
    return Outcome("schema", "delivered", table=str(model.table), artifacts=(artifact,), changed=changed, data=data)
