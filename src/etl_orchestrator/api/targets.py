"""What the targets of a command name: files, folders and tables of the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etl_orchestrator.api.workplace import Workplace
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.table import TableRef

if TYPE_CHECKING:
    from etl_orchestrator.model import Model

_SUFFIXES = (".sql", ".py", ".yaml", ".yml", ".md")


def models(workplace: Workplace, targets: Sequence[str]) -> list[Model]:
    """The models that tables, files or folders name. Raises InvalidInput for a target that names none."""
    from etl_orchestrator.layout import model_files

    catalog = workplace.tools.catalog
    return [model_files.read_model(catalog.text, catalog.paths, table) for table in tables(workplace, targets)]


def standing(workplace: Workplace, target: str) -> Path | None:
    """The file or folder that a target names, seen from the current folder or else from the repository."""
    # An empty text, as of a variable that is not set, would name the current folder.
    for path in (Path(target), workplace.root / target) if target else ():
        try:
            if path.exists():
                return path
        except OSError:  # longer than any name the file system can hold
            continue
    return None


def table_named(workplace: Workplace, target: str) -> TableRef:
    """The table of this name. Raises InvalidInput, which says what is missing where the target is written as a path."""
    if target and ("/" in target or Path(target).suffix in _SUFFIXES):
        raise InvalidInput(f"there is no file or folder `{target}`", fix="name a table, its folder or a file of it")
    return TableRef.parse(target, workplace.settings.project)


def no_table(workplace: Workplace, named: TableRef) -> InvalidInput:
    """That a table is not in the repository, with the name that may be meant."""
    from etl_orchestrator.sql.dry_run import resolved

    names = resolved(workplace.tools).standing
    near = names.near(named) or names.near(named, is_routine=True)
    fix = f"did you mean `{near}`?" if near is not None else None
    return InvalidInput(f"there is no table `{named}`", at=paths.table_folder(named), fix=fix)


def relative(workplace: Workplace, path: Path) -> str:
    resolved = path.resolve()
    if not resolved.is_relative_to(workplace.root):
        raise InvalidInput("the file lies outside the repository", at=str(path), fix="--repo DIR names the repository")
    return resolved.relative_to(workplace.root).as_posix()


def tables(workplace: Workplace, targets: Sequence[str]) -> list[TableRef]:
    """Tables in the order named, each once; a folder names all tables below it."""
    found: dict[TableRef, None] = {}
    for target in targets:
        path = standing(workplace, target)
        if path is None:
            named = table_named(workplace, target)
            if not workplace.tools.catalog.paths(paths.table_folder(named)):
                raise no_table(workplace, named)
            found[named] = None
            continue
        name = relative(workplace, path)
        files = workplace.tools.catalog.paths(name) if path.is_dir() else [name]
        below = [table for file in files if (table := paths.table_of(file)) is not None]
        if not below:
            raise InvalidInput("there is no table", at=target, fix="name a table, its folder or a file of it")
        found.update(dict.fromkeys(below))
    return list(found)
