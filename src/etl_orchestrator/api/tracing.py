"""The verb `lineage`: where columns come from and, downstream, who in the repository reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from etl_orchestrator.api.targets import no_table, standing, table_named, tables
from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.outcome import Outcome, of_batch, of_error
from etl_orchestrator.table import TableRef

_READS_OTHERS = re.compile(r"\{%[-+]?\s*(?:include|import|from|extends)\b")


def lineage(
    workplace: Workplace, targets: Sequence[str], downstream: bool = False, through_views: bool = True
) -> Outcome:
    """Source columns of every output column of the tables named; with `downstream`, the columns made from theirs.

    What reads a table is looked for in the queries, views and scripts of the repository; a query.py is not read.
    """
    from etl_orchestrator.sql.lineage import Tracer, file_of

    began = time.perf_counter()
    tools = workplace.tools
    try:
        named = _named(workplace, targets, downstream)
        reads = _Reads(workplace) if downstream else None
    except OrchestratorError as error:
        return of_error("lineage", error, seconds=time.perf_counter() - began)
    tracer = Tracer(tools, through_views)
    results = []
    for table in named:
        start = time.perf_counter()
        try:
            if reads is not None:
                data: dict[str, Any] = reads.of(table)
                if not data["readers"] and reads.is_lost(table):
                    raise no_table(workplace, table)
            else:
                path = file_of(table, tools)
                if path is None:
                    raise Unavailable(f"`{table}` has no SQL file to follow", at=paths.table_folder(table))
                data = {"path": path, "columns": [_column(traced) for traced in tracer.columns(path)]}
            result = Outcome("lineage", "delivered", table=str(table), data=data)
        except OrchestratorError as error:
            result = of_error("lineage", error, table=str(table))
        results.append(replace(result, seconds=time.perf_counter() - start))
    return of_batch("lineage", results, time.perf_counter() - began)


def _named(workplace: Workplace, targets: Sequence[str], downstream: bool) -> list[TableRef]:
    """A table that is read need not stand in the repository itself."""
    outside = [target for target in targets if downstream and standing(workplace, target) is None]
    inside = [target for target in targets if target not in outside]
    found = list(tables(workplace, inside)) if inside else []
    return [*found, *(table_named(workplace, target) for target in outside)]


def _column(traced: Any) -> dict[str, Any]:
    sources = [{"table": str(table), "column": column} for table, column in traced.sources]
    return {"name": traced.name, "kind": traced.kind, "sources": sources, "note": traced.note}


class _Reads:
    """Which SQL file of the repository names which tables, from the index of the repository."""

    def __init__(self, workplace: Workplace) -> None:
        from etl_orchestrator.catalogs.checkout import Checkout
        from etl_orchestrator.sql.dry_run import resolved
        from etl_orchestrator.sql.lineage import Tracer

        self._tools = workplace.tools
        self._catalog = resolved(self._tools)
        self._tracer = Tracer(self._tools, through_views=False)
        named = Checkout(workplace.root).tables_named(self._named)
        self._named_by: dict[str, frozenset[TableRef]] = {}
        self.unread = sorted(path for path, names in named.items() if names is None)
        for path, names in named.items():
            self._named_by[path] = frozenset(self._original(TableRef.parse(name)) for name in names or ())

    def of(self, table: TableRef) -> dict[str, Any]:
        """The readers of a table: of each its columns that are made from this table's, or why they are not known."""
        table = self._original(table)
        paths_ = sorted(path for path, named in self._named_by.items() if any(one.covers(table) for one in named))
        return {"readers": [self._reader(path, table) for path in paths_], "unread": self.unread}

    def is_lost(self, table: TableRef) -> bool:
        """Whether a table would have to be in the repository, by its project, and is not."""
        table = self._original(table)
        if table.is_wildcard or not self._catalog.paths(f"sql/{table.project}"):
            return False
        try:
            return self._catalog.schema(table) is None
        except OrchestratorError:
            return False

    def _reader(self, path: str, table: TableRef) -> dict[str, Any]:
        found: dict[str, Any] = {"table": str(paths.table_of(path)), "path": path, "columns": [], "unknown": ""}
        try:
            for traced in self._tracer.columns(path):
                used = [column for source, column in traced.sources if self._original(source).covers(table)]
                if used:
                    found["columns"].append({"name": traced.name, "kind": traced.kind, "from": used})
        except (InvalidInput, Unavailable, EngineError) as error:
            found["unknown"] = error.message
        return found

    def _original(self, table: TableRef) -> TableRef:
        return self._catalog.published_from(table) or table

    def _named(self, path: str, text: str) -> tuple[list[str] | None, bool]:
        """The tables a file names (None when it cannot be read), and whether the file alone decides that."""
        from etl_orchestrator.sql.resolution import tables_of

        home = paths.table_of(path)
        assert home is not None
        found: set[str] = set()
        alone = _READS_OTHERS.search(text) is None
        for is_init in (False, True) if "is_init" in text else (False,):
            try:
                sql = self._catalog.template(path, home, text, is_init).render()
                found |= {str(table) for table in tables_of(self._tools.analyzer.references(sql), home)}
            except (InvalidInput, Unavailable, EngineError):
                return None, alone
        return sorted(found), alone
