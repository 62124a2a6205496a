"""A catalog that holds what it is given: for tests and for models without a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.table import Schema, TableRef
from etl_orchestrator.tools import BaseField, Dag, KnownSchema, TableFacts


@dataclass(frozen=True, slots=True)
class Memory:
    """Plays Catalog. A table in `facts` without an entry in `schemas` exists, but its schema cannot be known."""

    schemas: Mapping[TableRef, Schema] = field(default_factory=dict)
    facts: Sequence[TableFacts] = ()
    known_dags: Sequence[Dag] = ()
    base: Mapping[str, Sequence[BaseField]] = field(default_factory=dict)  # by dataset, "" for the global ones
    descriptions: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def schema(self, table: TableRef) -> KnownSchema | None:
        if table in self.schemas:
            return KnownSchema(self.schemas[table], "memory")
        if any(fact.table == table for fact in self.facts):
            raise Unavailable(f"the schema of `{table}` is not known", fix="declare it inline")
        return None

    def tables(self) -> Sequence[TableFacts]:
        return sorted(self.facts, key=lambda fact: fact.table)

    def dags(self) -> Sequence[Dag]:
        return self.known_dags

    def base_fields(self, dataset: str) -> Sequence[BaseField]:
        return [*self.base.get(dataset, ()), *self.base.get("", ())]

    def description(self, field_name: str) -> tuple[str, int] | None:
        return self.descriptions.get(field_name)

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def paths(self, folder: str) -> Sequence[str]:
        prefix = folder.rstrip("/") + "/"
        return sorted(path for path in self.files if path.startswith(prefix))
