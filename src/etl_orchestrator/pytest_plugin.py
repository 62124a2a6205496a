"""pytest for SQL tests, offline: `pytest -p etl_orchestrator.pytest_plugin tests/sql/...` in a bigquery-etl checkout.

Collects what `etl-orchestrator test` runs: a folder with an expectation, and the assertions of a udf.sql or
stored_procedure.sql below `sql/`. It takes the place of that repository's own plugins for these files, which would ask
Google's cloud; leave its conftest out with `--noconftest` where its packages are not installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from etl_orchestrator.proving.suite import Place, Ran
    from etl_orchestrator.tools import Tools

#: The modules of that repository's plugins which collect the same files.
_OTHERS = ("bigquery_etl.pytest_plugin.sql", "bigquery_etl.pytest_plugin.routine")
_EXPECT = ("expect.yaml", "expect.json", "expect.ndjson")
_ROUTINES = ("udf.sql", "stored_procedure.sql")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for marker in ("sql: an SQL test.", "routine: an assertion of a routine."):
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Every conftest has been read by now."""
    manager = session.config.pluginmanager
    for name in _OTHERS:
        if (other := manager.get_plugin(name)) is not None:
            manager.unregister(other)
            manager.set_blocked(name)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    parts = file_path.parts
    if file_path.name in _EXPECT and len(parts) > 7 and parts[-7:-5] == ("tests", "sql"):
        return _SqlFile.from_parent(parent, path=file_path)
    if file_path.name in _ROUTINES and len(parts) > 5 and parts[-5] == "sql" and parts[-6:-5] != ("tests",):
        return _SqlFile.from_parent(parent, path=file_path)
    return None


class _Desk:
    """The tools over the repository that holds a file; one engine for all tests of a session."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tools(self) -> Tools:
        from etl_orchestrator.api import Workplace

        return Workplace(self.root).frozen_tools()


_desks: dict[Path, _Desk] = {}


def _desk_of(path: Path) -> _Desk:
    from etl_orchestrator.layout import repository

    root = repository.find(path.parent)
    return _desks.setdefault(root, _Desk(root))


class _SqlFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        from etl_orchestrator.proving.routine_trial import routine_file
        from etl_orchestrator.proving.suite import Place

        desk = _desk_of(self.path)
        name = self.path.resolve().relative_to(desk.root).as_posix()
        if self.path.name in _EXPECT:
            folder, test, _ = name.rsplit("/", 2)
            yield _SqlItem.from_parent(self, name=test, place=Place(folder, test), desk=desk, marker="sql")
            return
        for assertion in routine_file(name, desk.tools).assertions:
            place = Place(name, assertion.name)
            yield _SqlItem.from_parent(self, name=assertion.name, place=place, desk=desk, marker="routine")


class NotPassed(Exception):
    """Raised for a test that did not pass, with how it ended."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(ran.trial.detail)
        self.ran = ran


class _SqlItem(pytest.Item):
    def __init__(self, *, place: Place, desk: _Desk, marker: str, **more: Any) -> None:
        super().__init__(**more)
        self._place = place
        self._desk = desk
        self.add_marker(marker)

    def runtest(self) -> None:
        from etl_orchestrator.proving.suite import run

        for ran in run(self._place, self._desk.tools):
            if ran.status != "passed":
                raise NotPassed(ran)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from etl_orchestrator.report import tests

        if isinstance(excinfo.value, NotPassed):
            return tests.failure(excinfo.value.ran, verbose=max(self.config.get_verbosity(), 0))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self._place.id
