"""Where the columns of a SQL file come from, through the views it reads down to tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etl_orchestrator.errors import EngineError, InvalidInput, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.dry_run import dry_run_file, resolved
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Analysis, Lineage, Tools

#: (table, dotted column)
Source = tuple[TableRef, str]

_FILES = (paths.QUERY_SQL, paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL, paths.SCRIPT_SQL)
_VIEWS = (paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL)


@dataclass(frozen=True, slots=True)
class Traced:
    """An output column: `kind` is copied, computed, aggregated, constant or unknown; `note` says why there are no
    sources, or why a view among them was not followed."""

    name: str
    kind: str
    sources: tuple[Source, ...] = ()
    note: str = ""


def file_of(table: TableRef, tools: Tools, names: Sequence[str] = _FILES) -> str | None:
    """The SQL file that makes a table or view of the repository."""
    if table.is_wildcard or table.is_information_schema:
        return None
    candidates = (f"{paths.table_folder(table)}/{name}" for name in names)
    return next((path for path in candidates if tools.catalog.text(path) is not None), None)


class Tracer:
    """Follows columns; every file is analyzed once. `through_views` goes on from a view to what that reads."""

    def __init__(self, tools: Tools, through_views: bool = True) -> None:
        self._tools = tools
        self._through_views = through_views
        self._analyses: dict[str, Analysis | str] = {}

    def columns(self, path: str) -> tuple[Traced, ...]:
        """The output columns of a SQL file. Raises Unavailable or EngineError where it cannot be analyzed, InvalidInput
        where it is refused."""
        analysis = dry_run_file(path, self._tools)
        if analysis.problem is not None:
            raise InvalidInput(f"the query is refused: {analysis.problem.message}", at=analysis.problem.place(path))
        if not analysis.columns:
            raise InvalidInput("this file gives no columns: its last statement changes rows", at=path)
        return tuple(
            self._traced(column.name, analysis.lineage[column.name], analysis, (path,)) for column in analysis.columns
        )

    def _traced(self, name: str, lineage: Lineage, analysis: Analysis, within: tuple[str, ...]) -> Traced:
        followed = [self._followed(source, within) for source in lineage.sources]
        kind = _kind(lineage.kind, [part.kind for part in followed])
        sources = tuple(dict.fromkeys(source for part in followed for source in part.sources))
        notes = [part.note for part in followed if part.note]
        return Traced(name, kind, sources, "; ".join(dict.fromkeys(notes)) or _why(kind, sources, analysis))

    def _followed(self, source: Source, within: tuple[str, ...]) -> Traced:
        """A source column, as what it stands for when its table is a view."""
        table, column = source
        table = resolved(self._tools).published_from(table) or table
        path = file_of(table, self._tools, _VIEWS) if self._through_views else None
        itself = Traced(column, "copied", ((table, column),))
        if path is None or path in within:
            return itself
        analysis = self._analysis(path)
        if isinstance(analysis, str):
            return Traced(column, "copied", itself.sources, f"the view {table} was not followed: {analysis}")
        head, _, inside = column.partition(".")
        made = next((name for name in analysis.lineage if name.lower() == head.lower()), None)
        if made is None:
            return Traced(column, "copied", itself.sources, f"the view {table} gives no column {head}")
        lineage = analysis.lineage[made]
        if inside and lineage.kind == "copied":
            lineage = Lineage("copied", tuple((one, f"{name}.{inside}") for one, name in lineage.sources))
        return self._traced(column, lineage, analysis, (*within, path))

    def _analysis(self, path: str) -> Analysis | str:
        """What is known of a view, or why nothing is."""
        if path not in self._analyses:
            try:
                analysis = dry_run_file(path, self._tools)
                problem = analysis.problem
                self._analyses[path] = f"it is refused ({problem.message})" if problem is not None else analysis
            except (InvalidInput, Unavailable, EngineError) as error:
                self._analyses[path] = error.message
        return self._analyses[path]


def _kind(outer: str, inner: Sequence[str]) -> str:
    """How a column is made that is made in the way `outer` from columns that are made in these ways."""
    if outer == "unknown" or "unknown" in inner:
        return "unknown"
    if outer == "aggregated" or "aggregated" in inner:
        return "aggregated"
    kinds = set(inner)
    if outer == "copied" and len(kinds) == 1:
        return kinds.pop()
    return "constant" if kinds == {"constant"} else "computed" if kinds else outer


def _why(kind: str, sources: Sequence[Source], analysis: Analysis) -> str:
    """Why a column has no sources; "" when it has some, or is a constant."""
    if kind == "unknown":
        return "how it is made cannot be followed" + (" in part" if sources else "")
    if sources or kind == "constant":
        return ""
    if kind == "aggregated":
        tables = ", ".join(map(str, analysis.tables))
        return f"counts rows of {tables}" if tables else "counts rows of no table"
    return "made by functions that read no column (the clock, a random number)"
