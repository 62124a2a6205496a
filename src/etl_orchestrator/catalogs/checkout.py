"""A bigquery-etl tree as the catalog: what stands in it, read when asked for, the rest from an index kept between runs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from etl_orchestrator.catalogs import exports
from etl_orchestrator.catalogs.index import Fact, Index
from etl_orchestrator.catalogs.pipeline_schemas import MARK, PipelineSchemas, is_ingested
from etl_orchestrator.catalogs.pipeline_schemas import folder as pipeline_folder
from etl_orchestrator.catalogs.table_facts import facts_body, table_facts
from etl_orchestrator.catalogs.tree import Stamp, Tree
from etl_orchestrator.errors import InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.layout import dags_yaml, paths, schema_yaml
from etl_orchestrator.layout import settings as project
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import BaseField, Dag, KnownSchema, Settings, TableFacts

#: A table stands in the repository when its folder holds one of these; the first one present is its kind.
_KINDS = {
    paths.QUERY_SQL: "query.sql",
    paths.QUERY_PY: "query.py",
    paths.VIEW_SQL: "view.sql",
    paths.SCRIPT_SQL: "script.sql",
    paths.SCHEMA_YAML: "other",
    paths.METADATA_YAML: "other",
}
_READING = frozenset({paths.QUERY_SQL, paths.VIEW_SQL, paths.SCRIPT_SQL, paths.MATERIALIZED_VIEW_SQL})
_ROUTINES = frozenset({"udf.sql", "stored_procedure.sql"})


def _look(entries: Iterable[os.DirEntry[str]]) -> tuple[str, Mapping[str, Stamp]] | None:
    """The kind of a table and the stamps of what is indexed; None for a folder that holds no table."""
    files = {entry.name: entry for entry in entries}
    kind = next((kind for name, kind in _KINDS.items() if name in files), None)
    if kind is None or _ROUTINES & files.keys():
        return None
    stamps: dict[str, Stamp] = {}
    for name in (paths.METADATA_YAML, paths.SCHEMA_YAML):
        if name in files:
            status = files[name].stat(follow_symlinks=False)
            stamps[name] = (status.st_mtime_ns, status.st_size)
    return kind, stamps


class Checkout:
    """Plays Catalog over a folder. Facts of all tables are a snapshot taken at the first question (`refresh` takes a
    new one); single files and schemas are read as they are now."""

    def __init__(
        self,
        root: Path,
        cache_dir: Path | None = None,
        pipeline: PipelineSchemas | None = None,
        say: Callable[[str], None] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`settings` is what bqetl_project.yaml says, for who has read it."""
        self._tree = Tree.at(root)
        if not self._tree.root.is_dir():
            raise InvalidInput(f"`{root}` is not a folder")
        self._index = Index(self._tree.root, cache_dir)
        self._cache_dir = cache_dir
        self._given_pipeline = pipeline
        self._say = say
        self._borrowed: dict[tuple[str, str], tuple[Sequence[schema_yaml.Entry], frozenset[str]]] = {}
        self._borrowing: list[str] = []
        self._read: list[set[str]] = [set()]  # files read for what is being made, the innermost last
        self._lock = threading.RLock()  # for the three above
        if settings is not None:
            self.settings = settings

    @property
    def root(self) -> Path:
        return self._tree.root

    def refresh(self) -> None:
        """Forgets the snapshot."""
        for name in ("_stamps", "_facts", "_dags", "_described", "settings"):
            self.__dict__.pop(name, None)
        self._borrowed.clear()

    # --- the questions of Catalog -------------------------------------------------------------------------------

    def schema(self, table: TableRef) -> KnownSchema | None:
        """The columns of a table of this repository, or of one that the pipeline or a product of Google fills.

        None when there is no such table; raises Unavailable when it is there without a schema.yaml, or could only
        be known from the pipeline's schemas, which are not at hand; InvalidInput for a malformed schema.yaml.
        """
        if table.is_wildcard:
            return self._wildcard(table) or exports.schema_of(table)
        path = paths.schema_yaml(table)
        text = self._tree.text(path)
        if text is not None:
            with self._reading() as read, self._borrowing_from(path):
                found = schema_yaml.read(text, path, self._resolve)
            return KnownSchema(found, path, tuple(sorted(read)))
        if self._tree.files(paths.table_folder(table)):
            raise Unavailable(
                f"`{table}` has no schema.yaml, so its columns are not known",
                at=paths.table_folder(table),
                fix="declare the schema inline under the source",
            )
        return self._ingested(table) or exports.schema_of(table)

    def tables(self) -> Sequence[TableFacts]:
        return self._facts

    def dags(self) -> Sequence[Dag]:
        return self._dags

    def base_fields(self, dataset: str) -> Sequence[BaseField]:
        folder = self._base_schemas
        return [*self._base(f"{folder}/{dataset}.yaml"), *self._base(f"{folder}/global.yaml")]

    def description(self, field_name: str) -> tuple[str, int] | None:
        """The most frequent description of columns of this name; `a.b` asks for the field b of a RECORD a."""
        _ = self._described  # brings the index up to date
        counts: dict[str, int] = {}
        for text, borrowed, count in self._index.entries(field_name):
            said = self._borrowed_description(text) if borrowed else text
            if said:
                counts[said] = counts.get(said, 0) + count
        if not counts:
            return None
        best = max(counts, key=lambda text: (counts[text], text))
        return best, counts[best]

    def text(self, path: str) -> str | None:
        if path.startswith(MARK):
            return self._pipeline.text(path) if self._pipeline is not None else None
        if path.startswith(exports.MARK):
            return exports.text(path)
        return self._tree.text(path)

    def paths(self, folder: str) -> Sequence[str]:
        return self._tree.below(folder)

    # --- beyond Catalog -----------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """What bqetl_project.yaml says; the defaults when there is none."""
        text = self._tree.text(paths.PROJECT_YAML)
        return Settings() if text is None else project.read(text, paths.PROJECT_YAML)

    def tables_named(self, ask: Callable[[str, str], tuple[list[str] | None, bool]]) -> dict[str, list[str] | None]:
        """The tables that every query, view and script names, by path; None where that is not known.

        `ask` tells them of a path and text, and whether the text alone decides; then it is not asked again."""
        stamps: dict[str, Stamp] = {}
        for folder, entries in self._tree.walk("sql", 3):
            for entry in entries:
                if entry.name in _READING and paths.table_of(path := f"{folder}/{entry.name}") is not None:
                    status = entry.stat(follow_symlinks=False)
                    stamps[path] = (status.st_mtime_ns, status.st_size)

        def read(path: str) -> Fact:
            names, alone = ask(path, self._tree.text(path) or "")
            return Fact(json.dumps(names) if alone else "")

        raw = json.dumps(self.settings.extra.get("render"), sort_keys=True, default=str)  # which files are no templates
        bodies = self._index.refresh(f"reads {raw}", stamps, read)
        return {
            path: json.loads(body) if body else ask(path, self._tree.text(path) or "")[0]
            for path, body in bodies.items()
        }

    def problems(self) -> tuple[str, ...]:
        """The metadata.yaml and schema.yaml that cannot be read, each as message and place; indexes both kinds."""
        bodies = [*self._metadata_bodies(), *self._described.items()]
        return tuple(said["problem"] for _, body in bodies if body and (said := json.loads(body)).get("problem"))

    # --- the snapshot -------------------------------------------------------------------------------------------

    @cached_property
    def _stamps(self) -> dict[TableRef, tuple[str, Mapping[str, Stamp]]]:
        """Every table folder: its kind, and the stamps of its metadata.yaml and schema.yaml."""
        found: dict[TableRef, tuple[str, Mapping[str, Stamp]]] = {}
        for path, entries in self._tree.walk("sql", 3):
            table = paths.table_of(path)
            if table is not None and (seen := _look(entries)) is not None:
                found[table] = seen
        return dict(sorted(found.items()))

    def _stamps_of(self, name: str) -> dict[str, Stamp]:
        return {
            f"{paths.table_folder(table)}/{name}": stamps[name]
            for table, (_, stamps) in self._stamps.items()
            if name in stamps
        }

    def _metadata_bodies(self) -> list[tuple[str, str]]:
        stamps = self._stamps_of(paths.METADATA_YAML)
        bodies = self._index.refresh("metadata", stamps, lambda path: Fact(facts_body(self._tree, path)))
        return list(bodies.items())

    @cached_property
    def _facts(self) -> tuple[TableFacts, ...]:
        bodies = dict(self._metadata_bodies())
        return tuple(
            table_facts(table, kind, bodies.get(paths.metadata_yaml(table), ""))
            for table, (kind, _) in self._stamps.items()
        )

    @cached_property
    def _described(self) -> dict[str, str]:
        stamps = self._stamps_of(paths.SCHEMA_YAML)
        from etl_orchestrator.catalogs.descriptions import fact

        return self._index.refresh("schema", stamps, lambda path: fact(self._tree, path))

    @cached_property
    def _dags(self) -> tuple[Dag, ...]:
        path = paths.DAGS_YAML
        stamp = self._tree.stamp(path)
        if stamp is None:
            return ()
        bodies = self._index.refresh("dags", {path: stamp}, self._read_dags)
        return tuple(Dag(**{**entry, "tags": tuple(entry["tags"])}) for entry in json.loads(bodies[path]))

    def _read_dags(self, path: str) -> Fact:
        dags = dags_yaml.read(self._tree.text(path) or "", path)
        return Fact(json.dumps([{name: getattr(dag, name) for name in Dag.__slots__} for dag in dags]))

    # --- base schemas and what schemas borrow from each other ---------------------------------------------------

    @property
    def _base_schemas(self) -> str:
        section = self.settings.extra.get("schema")
        chosen = section.get("base_schemas_dir") if isinstance(section, dict) else None
        return str(chosen or "bigquery_etl/schema").strip("/")

    def _base(self, path: str) -> Iterator[BaseField]:
        text = self._tree.text(path)
        for entry in () if text is None else schema_yaml.entries(text, path, self._resolve):
            aliases = entry.get("aliases") or ()
            yield BaseField(
                name=str(entry.get("name") or ""),
                description=str(entry.get("description") or "").strip(),
                aliases=tuple(map(str, aliases)),
                type=str(entry.get("type") or ""),
                origin=path,
            )

    def _resolve(self, reference: Mapping[str, str]) -> Sequence[schema_yaml.Entry]:
        """The entries of another file or table, each read once; raises InvalidInput for a circle."""
        ((key, name),) = reference.items()
        with self._lock:
            if (key, name) not in self._borrowed:
                with self._reading() as read:
                    found = self._entries_of_file(name) if key == "file" else self._entries_of_table(name)
                self._borrowed[key, name] = found, frozenset(read)
            entries, files = self._borrowed[key, name]
            self._read[-1].update(files)
            return entries

    def _entries_of_file(self, path: str) -> Sequence[schema_yaml.Entry]:
        path = path.removeprefix("/")
        text = self._tree.text(path)
        if text is None:
            raise InvalidInput(f"there is no file `{path}` to include from")
        with self._borrowing_from(path):
            return schema_yaml.entries(text, path, self._resolve)

    def _entries_of_table(self, name: str) -> Sequence[schema_yaml.Entry]:
        table = TableRef.parse(name, self.settings.project)
        own = paths.schema_yaml(table)
        if self._tree.stamp(own) is not None:
            return self._entries_of_file(own)
        found: Sequence[Mapping[str, Any]] | None = None
        if is_ingested(table):
            found = self._pipeline_for(table).entries(table)
        if found is None:
            raise Unavailable(f"`{table}` has no schema to include from")
        self._read[-1].update((own, *self._pipeline_for(table).files(table)))  # `own` would come first, were it there
        return found

    @contextmanager
    def _reading(self) -> Iterator[set[str]]:
        """The files read inside."""
        with self._lock:
            self._read.append(set())
            try:
                yield self._read[-1]
            finally:
                self._read.pop()

    @contextmanager
    def _borrowing_from(self, path: str) -> Iterator[None]:
        with self._lock:
            if path in self._borrowing:
                raise InvalidInput(f"`{path}` includes itself: {' -> '.join([*self._borrowing, path])}", at=path)
            self._borrowing.append(path)
            self._read[-1].add(path)
            try:
                yield
            finally:
                self._borrowing.pop()

    def _borrowed_description(self, options: str) -> str | None:
        """What a borrowed description says; None when it cannot be found, which then counts for nothing."""
        from etl_orchestrator.catalogs.descriptions import borrowed

        try:
            return borrowed(options, self._resolve)
        except OrchestratorError:
            return None

    # --- tables that are not in the tree ------------------------------------------------------------------------

    @cached_property
    def _pipeline(self) -> PipelineSchemas | None:
        if self._given_pipeline is not None:
            return self._given_pipeline
        place = pipeline_folder()
        return PipelineSchemas(place, self.settings.project, self._cache_dir, self._say) if place is not None else None

    def _pipeline_for(self, table: TableRef) -> PipelineSchemas:
        if self._pipeline is None:
            raise Unavailable(
                f"`{table}` is filled by the ingestion pipeline, whose schemas are not at hand",
                fix="set ETLO_PIPELINE_SCHEMAS to a checkout of mozilla-pipeline-schemas (branch generated-schemas)",
            )
        return self._pipeline

    def _ingested(self, table: TableRef) -> KnownSchema | None:
        if table.project != self.settings.project or not is_ingested(table):
            return None
        return self._pipeline_for(table).schema(table)

    def _wildcard(self, table: TableRef) -> KnownSchema | None:
        """A wildcard has the columns of the last of its tables, as in BigQuery the newest one's."""
        prefix = table.name.removesuffix("*")
        names = [
            name
            for name in self._tree.folders(f"sql/{table.project}/{table.dataset}")
            if name.startswith(prefix) and paths.table_of(f"sql/{table.project}/{table.dataset}/{name}")
        ]
        return self.schema(TableRef(table.project, table.dataset, names[-1])) if names else None
