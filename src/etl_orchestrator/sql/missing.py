"""A table or routine that a text names and nobody knows: where its name stands, and which one may be meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.near_names import likeness, nearest
from etl_orchestrator.sql.template_places import place_of
from etl_orchestrator.sql.tokens import Kind, position, words
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Catalog

if TYPE_CHECKING:
    from etl_orchestrator.sql.templates import Template

_NAMES = (Kind.NAME, Kind.QUOTED_NAME)
_ROUTINES = (paths.UDF_SQL, paths.STORED_PROCEDURE_SQL)
#: How much the parts of two names are alike, at least, where one may be a slip for the other.
_SLIP = 0.75


class Missing(Unavailable):
    """Raised for a table or routine that is not in the repository, nor known otherwise."""

    def __init__(self, name: TableRef, fix: str, *, is_routine: bool = False) -> None:
        said = f"the routine `{name}` is not in the repository" if is_routine else f"no schema is known of `{name}`"
        super().__init__(said, fix=fix)
        self.name, self.is_routine = name, is_routine

    def meaning(self, near: TableRef | None) -> Missing:
        """The same with the name that may be meant."""
        if near is None:
            return self
        told = Missing(self.name, f"did you mean `{near}`? {self.fix}", is_routine=self.is_routine)
        told.at = self.at
        return told


@contextmanager
def placed(template: Template, rendered: str) -> Iterator[None]:
    """What is found missing inside, in a text, gets the place of its name in the template as it was written."""
    try:
        yield
    except Missing as missing:
        if missing.at is None:
            missing.at = template.at
            offset = _offset(rendered, missing.name)
            if offset is not None:
                missing.at = str(place_of(template, rendered, *position(rendered, offset)))
        raise


def _offset(text: str, name: TableRef) -> int | None:
    """Where a name stands first; None where it stands in a string only, which a script executes."""
    try:
        tokens = words(text)
    except InvalidInput:
        return None
    wanted = {str(name).lower(), f"{name.dataset}.{name.name}".lower()}
    index = 0
    while index < len(tokens):
        start = tokens[index].start
        parts = [tokens[index].text]
        if tokens[index].kind in _NAMES:
            while index + 2 < len(tokens) and tokens[index + 1].kind is Kind.DOT and tokens[index + 2].kind in _NAMES:
                index += 2
                parts.append(tokens[index].text)
        if ".".join(parts).replace("`", "").lower() in wanted:
            return start
        index += 1
    return None


class StandingNames:
    """The names of the tables and routines that stand in a repository."""

    def __init__(self, catalog: Catalog, published_from: Callable[[TableRef], TableRef | None]) -> None:
        """`published_from` tells of a name in another project which table of the repository it stands for."""
        self._catalog = catalog
        self._published_from = published_from
        self._files: Sequence[str] = ()
        self._names: dict[bool, list[str]] = {}

    def near(self, name: TableRef, is_routine: bool = False) -> TableRef | None:
        """The table, or routine, that is most likely meant by a name that is none."""
        source = self._published_from(name) or name
        for found in nearest(str(source), self._all()[is_routine], 20, _SLIP):
            one = TableRef.parse(found)
            same = (one.dataset, one.name) == (source.dataset, source.name)
            if same or (_is_slip(one.dataset, source.dataset) and _is_slip(one.project, source.project)):
                return replace(one, project=name.project) if one.project == source.project else one
        return None

    def _all(self) -> dict[bool, list[str]]:
        """Those of tables under False, of routines under True."""
        files = self._catalog.paths("sql")
        if files is not self._files:
            routines = {path.rpartition("/")[0] for path in files if path.endswith(_ROUTINES)}
            folders = {folder for path in files if (folder := "/".join(path.split("/")[:4])) != path}
            self._names = {
                kind: [str(table) for folder in chosen if (table := paths.table_of(folder)) is not None]
                for kind, chosen in ((False, sorted(folders - routines)), (True, sorted(routines)))
            }
            self._files = files
        return self._names


def _is_slip(one: str, other: str) -> bool:
    return likeness(one, other) >= _SLIP
