"""One repository with its store and tools; tools are made when first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput, OrchestratorError
from etl_orchestrator.outcome import Outcome, of_error
from etl_orchestrator.tools import Analyzer, Answers, Catalog, Settings, Tools

if TYPE_CHECKING:
    from etl_orchestrator.store import Store


class Workplace:
    """A repository on disk. `say` gets lines about slow things (the first compilation of the engine)."""

    def __init__(self, root: Path, say: Callable[[str], None] | None = None, engine: str = "googlesql") -> None:
        self.root = root.resolve()
        self._say = say
        self._engine = engine

    @classmethod
    def find(cls, start: Path, say: Callable[[str], None] | None = None, exact: bool = False) -> Workplace:
        """The repository that holds `start`, or is `start` itself when `exact`. Raises InvalidInput when there is none."""
        from etl_orchestrator.layout import repository

        found = repository.find(start)
        if exact and found != start.resolve():
            raise InvalidInput(
                f"`{start}` is no repository", fix="name a folder that holds dags.yaml and sql/, or use init"
            )
        return cls(found, say)

    @classmethod
    def around(cls, start: Path, say: Callable[[str], None] | None = None) -> Workplace:
        """The repository that holds `start`; where there is none, `start` itself, as a folder without settings."""
        try:
            return cls.find(start, say)
        except InvalidInput:
            return cls(start, say)

    @cached_property
    def store(self) -> Store:
        from etl_orchestrator.store import Store

        return Store(self.root)

    @cached_property
    def settings(self) -> Settings:
        from etl_orchestrator.layout import paths, settings

        file = self.root / paths.PROJECT_YAML
        if not file.is_file():
            return Settings()
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"not UTF-8: {error}", at=paths.PROJECT_YAML, fix="save it as UTF-8") from error
        return settings.remembered(text, paths.PROJECT_YAML, self._answers)

    @cached_property
    def tools(self) -> Tools:
        from etl_orchestrator.authors import RulesAuthor
        from etl_orchestrator.engines.deferred import Deferred

        engine = Deferred(self._engine, self._say, self._answers)
        return Tools(engine, engine, self._catalog(engine, frozen=False), RulesAuthor(), self.settings)

    def frozen(self) -> Workplace:
        """The same repository with `frozen_tools`."""
        same = Workplace(self.root, self._say, self._engine)
        same.tools = self.frozen_tools()
        return same

    def frozen_tools(self) -> Tools:
        """Tools for work on many files at once while nobody changes the repository: each file is read once, as it is
        now."""
        return replace(self.tools, catalog=self._catalog(self.tools.analyzer, frozen=True))

    @cached_property
    def _answers(self) -> Answers:
        from etl_orchestrator.catalogs.answers import KeptAnswers

        return KeptAnswers(self.root)

    def _catalog(self, analyzer: Analyzer, frozen: bool) -> Catalog:
        from etl_orchestrator.catalogs.checkout import Checkout
        from etl_orchestrator.sql.resolution import Resolved

        checkout = Checkout(self.root, say=self._say, settings=self.settings)
        return Resolved(checkout, analyzer, self.settings, self._answers, frozen)


def init(folder: Path, project: str, overwrite: bool = False) -> Outcome:
    """A new repository: settings, dags.yaml, a base schema, folders."""
    from etl_orchestrator.layout import repository

    try:
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"`{folder}` is not a folder")
        folder.mkdir(parents=True, exist_ok=True)
        written = Workplace(folder).store.write(repository.new_files(project), overwrite)
    except OrchestratorError as error:
        return of_error("init", error)
    return Outcome("init", "delivered", data={"folder": str(folder), "files": list(written)})
