"""Phase 3's skill: schema.yaml with every field described, and metadata.yaml."""

from __future__ import annotations

from collections import Counter

from etl_orchestrator.layout import paths
from etl_orchestrator.model import Model
from etl_orchestrator.skills.metadata_manager.metadata import PHASE, metadata_of
from etl_orchestrator.skills.metadata_manager.schema import CONDITION, schema_of, updated_schema
from etl_orchestrator.tools import Tools

__all__ = ["CONDITION", "metadata_of", "says", "schema_of", "updated_schema", "work"]


def work(model: Model, tools: Tools) -> Model:
    """The model with schema.yaml and metadata.yaml made anew; one that already stands in a repository is left alone."""
    if model.requirements is None or model.plan is None:
        return model
    return model.with_artifacts(PHASE, (schema_of(model, tools), metadata_of(model, tools)))


def says(model: Model) -> str:
    schema = model.artifact(paths.schema_yaml(model.table))
    if schema is None:
        return "no schema"
    counts = Counter(note.source for note in schema.notes if note.source != CONDITION)
    total = sum(counts.values())
    words = ", ".join(f"{count} {source}" for source, count in counts.most_common())
    return f"{total} fields described" + (f": {words}" if words else "")
