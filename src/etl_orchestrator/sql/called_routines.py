"""The routines that a text calls, found in the files of the repository."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.sql import routines
from etl_orchestrator.sql.missing import Missing, placed
from etl_orchestrator.sql.templates import Template
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Routine, Settings

_FILES = (paths.UDF_SQL, paths.STORED_PROCEDURE_SQL)


class CalledRoutines:
    """`found` holds the routines added, each after those it calls.

    `text` reads a file of the repository, `template` makes its template. `in_test`: a name without a project that the
    home's project does not have is looked for in the projects of shared routines too, as the plugin does it; elsewhere
    BigQuery would not find it there."""

    def __init__(
        self,
        text: Callable[[str], str | None],
        template: Callable[[str, TableRef, str], Template],
        settings: Settings,
        in_test: bool = False,
    ) -> None:
        self.found: dict[TableRef, Routine] = {}
        self._seen: set[TableRef] = set()
        self._text, self._template, self._settings, self._in_test = text, template, settings, in_test

    def add(self, sql: str, home: TableRef) -> None:
        """Adds what a text of that table or routine calls. Raises Missing for a routine without a file."""
        self._seen.update(called for name, _ in _definitions(sql) if (called := _routine(name, home.project)))
        for name in _calls(sql):
            called = self._called(name, home)
            if called is None or called in self._seen:
                continue
            path, text = self._file(called)
            template = self._template(path, called, text)
            rendered = template.render()
            defined = [
                (_routine(name, called.project) or called, statement) for name, statement in _definitions(rendered)
            ]
            self._seen.update([called, *(routine for routine, _ in defined)])
            for routine, statement in defined:
                with placed(template, rendered):
                    self.add(statement, called)
                self.found[routine] = Routine(routine, statement, path)

    def _called(self, name: str, home: TableRef) -> TableRef | None:
        called = _routine(name, home.project)
        if called is None or not self._in_test or name.count(".") != 1 or self._has(called):
            return called
        section = self._settings.extra.get("routine")
        shared = section.get("project") if isinstance(section, dict) else None
        others = (
            TableRef(project, called.dataset, called.name) for project in (shared, self._settings.project) if project
        )
        return next((other for other in others if self._has(other)), called)

    def _has(self, called: TableRef) -> bool:
        return any(self._text(f"{paths.table_folder(called)}/{name}") is not None for name in _FILES)

    def _file(self, called: TableRef) -> tuple[str, str]:
        for name in _FILES:
            path = f"{paths.table_folder(called)}/{name}"
            text = self._text(path)
            if text is not None:
                return path, text
        raise Missing(called, "correct the name, or add the routine", is_routine=True)


def _routine(name: str, project: str) -> TableRef | None:
    try:
        return TableRef.parse(name, project)
    except InvalidInput:
        return None


@lru_cache(maxsize=1024)
def _calls(sql: str) -> tuple[str, ...]:
    return routines.calls(sql)


@lru_cache(maxsize=1024)
def _definitions(sql: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(routines.definitions(sql)) if "CREATE" in sql.upper() else ()
    except InvalidInput:
        return ()
