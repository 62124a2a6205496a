"""Schemas of the tables that the ingestion pipeline fills: `<namespace>_stable.<doctype>_v<N>` and their `_live` twins.

They are not in bigquery-etl but in the branch `generated-schemas` of mozilla-pipeline-schemas, as
`schemas/<namespace>/<doctype>/<doctype>.<N>.bq`: JSON lists of columns, the metadata columns of the pipeline
(submission_timestamp, document_id, metadata, normalized_…, sample_id) included, as deployed but for their order, which a
clone with its history tells (`schema_history`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from etl_orchestrator.catalogs.index import Index
from etl_orchestrator.catalogs.schema_history import SchemaHistory
from etl_orchestrator.catalogs.tree import Stamp, Tree
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import schema_yaml
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import KnownSchema

#: Begins the path of a file here, where it stands among those of a repository.
MARK = "pipeline-schemas:"

#: A query and its first run, and the views of one app, read the same few tables, of up to a megabyte, again and again.
_KEPT = 16

_DATASET = re.compile(r"(.+)_(stable|live)\Z")
_TABLE = re.compile(r"(.+)_v(\d+)\Z")
_FILE = re.compile(r"(.+)\.(\d+)\.bq\Z")
_DEPLOYED_AS = re.compile(r'"bq_table"\s*:\s*"([^"]*)"')


def is_ingested(table: TableRef) -> bool:
    """Whether a table is filled by the pipeline, going by the name of its dataset."""
    return _DATASET.match(table.dataset) is not None


def folder() -> Path | None:
    """The checkout named by ETLO_PIPELINE_SCHEMAS."""
    chosen = os.environ.get("ETLO_PIPELINE_SCHEMAS")
    return Path(chosen) if chosen else None


class PipelineSchemas:
    """`root` is a checkout (or the folder `schemas` in it); nothing is read before it is asked for. `say` is told of what
    takes long."""

    def __init__(
        self, root: Path, project: str, cache_dir: Path | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self._tree = Tree.at(root)
        self._history = SchemaHistory(self._tree, Index(self._tree.root, cache_dir), say)
        self._read: dict[str, tuple[Stamp | None, KnownSchema]] = {}
        self._top = "schemas" if (self._tree.root / "schemas").is_dir() else ""
        self._project = project

    @cached_property
    def _namespaces(self) -> dict[str, str]:
        return {name.replace("-", "_"): name for name in self._tree.folders(self._top)}

    def tables(self) -> list[TableRef]:
        """Every stable table, sorted by name (some 1,040; walks the whole folder)."""
        found = []
        for dataset, namespace in self._namespaces.items():
            for doctype in self._tree.folders(self._path(namespace)):
                for entry in self._tree.files(self._path(namespace, doctype)):
                    match = _FILE.match(entry.name)
                    if match and self._is_deployed(self._path(namespace, doctype, entry.name), match[1], match[2]):
                        name = f"{match[1].replace('-', '_')}_v{match[2]}"
                        found.append(TableRef(self._project, f"{dataset}_stable", name))
        return sorted(found)

    def schema(self, table: TableRef) -> KnownSchema | None:
        """None when the pipeline has no such table; raises InvalidInput for a file that is no schema."""
        path = self._find(table)
        if path is None:
            return None
        stamp = self._tree.stamp(path)
        kept = self._read.pop(path, None)
        if kept is None or kept[0] != stamp:
            listed = schema_yaml.fields(self._entries(path), path)
            kept = stamp, KnownSchema(self._history.in_order(path, listed), path, _marked(path))
        self._read[path] = kept
        if len(self._read) > _KEPT:
            self._read.pop(next(iter(self._read)), None)  # the one that was asked for longest ago
        return kept[1]

    def entries(self, table: TableRef) -> list[dict[str, Any]] | None:
        """What the file lists, as plain mappings, for a schema.yaml that includes some of them."""
        path = self._find(table)
        return None if path is None else self._entries(path)

    def files(self, table: TableRef) -> tuple[str, ...]:
        """The marked paths of the files that a table is known from."""
        path = self._find(table)
        return _marked(path) if path else ()

    def text(self, marked: str) -> str | None:
        """A file by its marked path."""
        return self._tree.text(marked.removeprefix(MARK))

    def _path(self, *parts: str) -> str:
        return "/".join(part for part in (self._top, *parts) if part)

    def _find(self, table: TableRef) -> str | None:
        dataset, name = _DATASET.match(table.dataset), _TABLE.match(table.name)
        if table.project != self._project or dataset is None or name is None:
            return None
        namespace = self._namespaces.get(dataset[1])
        if namespace is None:
            return None
        for doctype in self._tree.folders(self._path(namespace)):
            if doctype.replace("-", "_") == name[1]:
                path = self._path(namespace, doctype, f"{doctype}.{name[2]}.bq")
                return path if self._tree.stamp(path) and self._is_deployed(path, doctype, name[2]) else None
        return None

    def _is_deployed(self, path: str, doctype: str, version: str) -> bool:
        """A few second versions are drafts of the first: the JSON schema beside them names the table of the first."""
        if version == "1":
            return True
        said = _DEPLOYED_AS.search(self._tree.text(_beside(path)) or "")
        return said is None or said[1] == f"{doctype.replace('-', '_')}_v{version}"

    def _entries(self, path: str) -> list[dict[str, Any]]:
        try:
            found = json.loads(self._tree.text(path) or "")
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"not JSON: {error}", at=path) from error
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise InvalidInput("not a list of columns", at=path)
        return found


def _beside(path: str) -> str:
    """The JSON schema beside the columns."""
    return path.removesuffix(".bq") + ".schema.json"


def _marked(path: str) -> tuple[str, ...]:
    """The file, and of a later version the one that says whether it is deployed."""
    is_first = path.endswith(".1.bq")
    return (MARK + path,) if is_first else (MARK + path, MARK + _beside(path))
