"""Where the words of a schema come from: the first of five places that has any, and which one it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl_orchestrator.layout import own_files
from etl_orchestrator.model import Model, Note
from etl_orchestrator.requirements import Column
from etl_orchestrator.skills.metadata_manager.wording import generated
from etl_orchestrator.table import Field, Schema, TableRef, walk
from etl_orchestrator.tools import Analysis, BaseField, Lineage, Task, Tools

#: A description that only one column of the repository carries says more of that column than of its name.
_SIBLINGS = 2

_Found = tuple[str, str, str]  # text, source, detail


def described(schema: Schema, model: Model, tools: Tools, analysis: Analysis) -> tuple[Schema, tuple[Note, ...]]:
    """The schema with every field described, nested ones too, and a note for each that says where from."""
    desk = _Desk(model, tools, analysis)
    notes: list[Note] = []
    fields = tuple(_described(field, field.name, desk, notes) for field in schema)
    return fields, tuple(notes)


def _described(field: Field, path: str, desk: _Desk, notes: list[Note]) -> Field:
    text, source, detail = next(desk.descriptions(path, field))
    notes.append(Note(path, source, detail))
    parts = tuple(_described(part, f"{path}.{part.name}", desk, notes) for part in field.fields)
    return replace(field, description=text, fields=parts)


@dataclass(frozen=True)
class _Desk:
    """Everything that may know a word about a column of this model."""

    model: Model
    tools: Tools
    analysis: Analysis

    def descriptions(self, path: str, field: Field) -> Iterator[_Found]:
        """All descriptions of a field, the preferred one first; there is always one."""
        yield from self._required(path)
        yield from self._standing(path)
        if "." not in path:
            yield from self._base(field.name)
        yield from self._copied(path)
        yield from self._siblings(field.name)
        yield from self._written(path, field)
        yield generated(path, field, self._lineage(path)), "generated", "from the name and the query"

    def _required(self, path: str) -> Iterator[_Found]:
        columns: Sequence[Column] = self.model.requirements.body.columns if self.model.requirements else ()
        column: Column | None = None
        for name in path.split("."):
            column = next((one for one in columns if one.name == name), None)
            columns = column.fields if column else ()
        if column is not None and column.description:
            yield column.description, "requirement", ""

    def _standing(self, path: str) -> Iterator[_Found]:
        """A table without requirements speaks through the schema.yaml it already has."""
        if path in self._standing_words:
            yield self._standing_words[path], "schema.yaml", "as it stands"

    @cached_property
    def _standing_words(self) -> dict[str, str]:
        if self.model.requirements is not None:
            return {}
        standing = own_files.schema(self.model, self.tools.catalog)
        return {path: field.description for path, field in walk(standing or ()) if field.description}

    def _base(self, name: str) -> Iterator[_Found]:
        """By name before by alias, the dataset's base schema before the global one."""
        for field in self._base_fields:
            if field.name == name and field.description:
                yield field.description, "base schema", field.origin
        for field in self._base_fields:
            if name in field.aliases and field.description:
                yield field.description, "base schema", f"{field.origin}, an alias of {field.name}"

    @cached_property
    def _base_fields(self) -> Sequence[BaseField]:
        return self.tools.catalog.base_fields(self.model.table.dataset)

    def _copied(self, path: str) -> Iterator[_Found]:
        lineage = self._lineage(path)
        if lineage is None or lineage.kind != "copied":
            return
        _, _, inside = path.partition(".")
        for table, column in lineage.sources:
            words = self._words_of(table).get(f"{column}.{inside}" if inside else column)
            if words:
                yield words, "source column", f"{table}.{column}"

    def _lineage(self, path: str) -> Lineage | None:
        return self.analysis.lineage.get(path.split(".")[0])

    def _words_of(self, table: TableRef) -> dict[str, str]:
        if table == self.model.table:
            return {}
        requirements = self.model.requirements
        schema = requirements.schemas.get(str(table)) if requirements else None
        if schema is None:
            known = self.tools.catalog.schema(table)
            schema = known.schema if known else ()
        return {path: words for path, field in walk(schema) if (words := (field.description or "").strip())}

    def _siblings(self, name: str) -> Iterator[_Found]:
        common = self.tools.catalog.description(name)
        if common is not None and common[0].strip() and common[1] >= _SIBLINGS:
            yield common[0].strip(), "sibling tables", f"{common[1]} columns of this name are described so"

    def _written(self, path: str, field: Field) -> Iterator[_Found]:
        """An author's words; the one without an LLM has none."""
        context = {"column": path, "type": field.type, "mode": field.mode, "sources": ", ".join(self._names(path))}
        if self.model.requirements is not None:
            context["table"] = self.model.requirements.description
        text = self.tools.author.write(Task("description", f"Describe the column `{path}` in one sentence.", context))
        if text and text.strip():
            yield " ".join(text.split()), "generated", f"by {self.tools.author.name}"

    def _names(self, path: str) -> Iterable[str]:
        lineage = self._lineage(path)
        return (f"{table}.{column}" for table, column in lineage.sources) if lineage else ()
