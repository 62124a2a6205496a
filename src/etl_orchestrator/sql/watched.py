"""A catalog that keeps what it was asked, so that an answer made from it can be kept as long as it would be the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import paths
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import BaseField, Catalog, Dag, KnownSchema, TableFacts

T = TypeVar("T")
#: What was asked and the digest of what was answered: {"text sql/p/d/t/view.sql": "9f…"}.
Record = dict[str, str]


class Watched:
    """Plays Catalog over another one. `frozen` asks each question once only: for work on many files of a repository
    that nobody changes meanwhile."""

    def __init__(self, catalog: Catalog, frozen: bool = False) -> None:
        self._catalog = catalog
        self._frozen = frozen
        self._texts: dict[str, str | None] = {}
        self._listings: dict[str, Sequence[str]] = {}
        self._digests: dict[str, str] = {}
        self._open: list[Record] = []

    @contextmanager
    def recording(self) -> Iterator[Record]:
        """What is asked inside; it counts as asked by whoever records outside too."""
        record: Record = {}
        self._open.append(record)
        try:
            yield record
        finally:
            self._open.pop()
            self.add(record)

    def add(self, record: Mapping[str, str]) -> None:
        """Counts as asked now what was asked when a kept answer was made."""
        if self._open:
            self._open[-1].update(record)

    def holds(self, record: Mapping[str, str]) -> bool:
        """Whether every question would be answered as it was."""
        return all(self._digest(question) == digest for question, digest in record.items())

    # --- the questions of Catalog -------------------------------------------------------------------------------

    def schema(self, table: TableRef) -> KnownSchema | None:
        try:
            found = self._catalog.schema(table)
        except OrchestratorError:
            self._note(f"schema {table}")
            raise
        if found is None or not found.files:
            self._note(f"schema {table}")
        if table.is_wildcard:
            self._note(f"paths sql/{table.project}/{table.dataset}")  # which may come to hold one of its tables
        else:
            own = paths.schema_yaml(table)
            self._note(f"text {own}")  # which would come before all else, were it there
            if found is not None and own not in found.files:
                self._note(f"paths {paths.table_folder(table)}")  # any file there would come before what others list
        for path in found.files if found else ():
            self._note(f"text {path}")
        return found

    def tables(self) -> Sequence[TableFacts]:
        self._note("tables")
        return self._catalog.tables()

    def dags(self) -> Sequence[Dag]:
        self._note("dags")
        return self._catalog.dags()

    def base_fields(self, dataset: str) -> Sequence[BaseField]:
        self._note(f"base_fields {dataset}")
        return self._catalog.base_fields(dataset)

    def description(self, field_name: str) -> tuple[str, int] | None:
        self._note(f"description {field_name}")
        return self._catalog.description(field_name)

    def text(self, path: str) -> str | None:
        self._note(f"text {path}")
        return self._text(path)

    def paths(self, folder: str) -> Sequence[str]:
        self._note(f"paths {folder}")
        return self._paths(folder)

    # ------------------------------------------------------------------------------------------------------------

    def _note(self, question: str) -> None:
        if self._open:
            self._open[-1][question] = self._digest(question)

    def _text(self, path: str) -> str | None:
        return self._once(self._texts, path, self._catalog.text)

    def _paths(self, folder: str) -> Sequence[str]:
        return self._once(self._listings, folder, self._catalog.paths)

    def _once(self, known: dict[str, T], name: str, ask: Callable[[str], T]) -> T:
        """The answer for a name, asked once where the catalog is frozen."""
        if not self._frozen:
            return ask(name)
        if name not in known:
            known[name] = ask(name)
        return known[name]

    def _digest(self, question: str) -> str:
        """Of many questions the digest is taken once; texts and listings of a catalog that is not frozen anew."""
        kind, _, name = question.partition(" ")
        if question in self._digests and (self._frozen or kind not in ("text", "paths", "schema")):
            return self._digests[question]
        answer: dict[str, Callable[[], Any]] = {
            "text": lambda: self._text(name),
            "paths": lambda: list(self._paths(name)),
            "schema": lambda: self._said_of(TableRef.parse(name)),
            "tables": lambda: repr(self._catalog.tables()),  # thousands; `asdict` takes five times as long
            "dags": lambda: [asdict(dag) for dag in self._catalog.dags()],
            "base_fields": lambda: [asdict(entry) for entry in self._catalog.base_fields(name)],
            "description": lambda: self._catalog.description(name),
        }
        try:
            found = answer[kind]()
            # Marked, for a file may hold just `null`.
            text = f"text {found}" if isinstance(found, str) else json.dumps(found, sort_keys=True, default=str)
        except OrchestratorError as error:
            text = f"{type(error).__name__} {error}"
        self._digests[question] = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self._digests[question]

    def _said_of(self, table: TableRef) -> Any:
        """A schema that no file of the repository gives, or that there is none."""
        found = self._catalog.schema(table)
        return None if found is None else [asdict(field) for field in found.schema]
