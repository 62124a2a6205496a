"""The files of one model as typed values: what gates and rooms read from its artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import metadata_yaml, paths, schema_yaml
from etl_orchestrator.layout.metadata_yaml import Metadata
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Catalog

if TYPE_CHECKING:  # a dry run reads of these files only what a query needs
    from etl_orchestrator.finding import NotDue
    from etl_orchestrator.layout.bigconfig_yml import BigConfig
    from etl_orchestrator.model import Model


def metadata(model: Model) -> Metadata | None:
    """The model's metadata.yaml; None when it has none, InvalidInput when it cannot be read."""
    path = paths.metadata_yaml(model.table)
    text = model.text(path)
    return None if text is None else _read_metadata(text, path)


def schema(model: Model, catalog: Catalog) -> Schema | None:
    """The model's schema.yaml with its `!include…` tags resolved from the repository; None when it has none.

    Raises InvalidInput when it cannot be read, Unavailable when it borrows from what nobody has.
    """
    path = paths.schema_yaml(model.table)
    text = model.text(path)
    if text is None:
        return None
    # A schema that borrows nothing is the same as long as its text is, and every gate asks for it.
    return schema_yaml.read(text, path, borrowing(model, catalog)) if "!include" in text else _read_schema(text, path)


def schema_of_fixture(model: Model, table: TableRef) -> Schema | None:
    """What a `.schema.yaml` beside the model's tests says of a table that they read; None when there is none."""
    folder = f"{paths.tests_folder(model.table)}/"
    for artifact in model.artifacts:
        name = artifact.path.removeprefix(folder).removesuffix(".schema.yaml")
        if artifact.path != f"{folder}{name}.schema.yaml" or name.count(".") != 2:
            continue
        if table.covers(TableRef.parse(name)):
            return _read_schema(artifact.text, artifact.path)
    return None


def bigconfig(model: Model) -> BigConfig | None:
    """The model's bigconfig.yml; None when it has none, InvalidInput when it cannot be read."""
    from etl_orchestrator.layout import bigconfig_yml

    path = paths.bigconfig_yml(model.table)
    text = model.text(path)
    return None if text is None else bigconfig_yml.read(text, path)


def readable_bigconfig(model: Model) -> BigConfig | NotDue:
    """For a gate that judges what bigconfig.yml says: that it is absent or unreadable other gates tell."""
    try:
        return bigconfig(model) or _not_due("there is no bigconfig.yml")
    except InvalidInput:
        return _not_due("bigconfig.yml cannot be read")


def readable_metadata(model: Model) -> Metadata | NotDue:
    """For a gate that judges what metadata.yaml says: that it is absent or unreadable other gates tell."""
    try:
        return metadata(model) or _not_due("there is no metadata.yaml")
    except InvalidInput:
        return _not_due("metadata.yaml cannot be read")


def readable_schema(model: Model, catalog: Catalog) -> Schema | NotDue:
    """For a gate that judges what schema.yaml says: that it is absent or unreadable other gates tell."""
    try:
        found = schema(model, catalog)
    except InvalidInput:
        return _not_due("schema.yaml cannot be read")
    return _not_due("there is no schema.yaml") if found is None else found


def _not_due(reason: str) -> NotDue:
    from etl_orchestrator.finding import NotDue

    return NotDue(reason)


def borrowing(model: Model, catalog: Catalog) -> schema_yaml.Resolve:
    """Finds what an `!include…` tag of this model's schema names; InvalidInput for a file that includes itself."""
    reading: list[str] = []
    found: dict[tuple[str, str], Sequence[schema_yaml.Entry]] = {}

    def resolve(reference: Mapping[str, str]) -> Sequence[schema_yaml.Entry]:
        ((kind, name),) = reference.items()
        if (kind, name) not in found:
            found[kind, name] = of_table(name) if kind == "table" else of_file(name.removeprefix("/"))
        return found[kind, name]

    def of_table(name: str) -> Sequence[schema_yaml.Entry]:
        table = TableRef.parse(name, model.table.project)
        known = catalog.schema(table)
        if known is None:
            raise Unavailable(f"no schema is known of `{table}`, from which schema.yaml borrows")
        return [_entry(field) for field in known.schema]

    def of_file(path: str) -> Sequence[schema_yaml.Entry]:
        text = catalog.text(path)
        if text is None:
            raise InvalidInput(f"there is no `{path}` to include from")
        if path in reading:
            raise InvalidInput(f"`{path}` includes itself", at=path)
        if "!include" not in text:
            return _read_entries(text, path)
        reading.append(path)
        try:
            return schema_yaml.entries(text, path, resolve)
        finally:
            reading.pop()

    return resolve


def _entry(field: Field) -> dict[str, object]:
    entry: dict[str, object] = {"name": field.name, "type": field.type, "mode": field.mode}
    if field.description is not None:
        entry["description"] = field.description
    if field.fields:
        entry["fields"] = [_entry(part) for part in field.fields]
    return entry


def line_of(text: str, key: str) -> int:
    """The first line (from 1) on which a YAML key, or a list item `- name: key`, stands; 0 when there is none."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip().removeprefix("- ")
        if words.startswith(f"{key}:") or words == f"name: {key}":
            return number
    return 0


@lru_cache(maxsize=32)
def _read_metadata(text: str, path: str) -> Metadata:
    return metadata_yaml.read(text, path)


@lru_cache(maxsize=32)
def _read_schema(text: str, path: str) -> Schema:
    return schema_yaml.read(text, path)


@lru_cache(maxsize=32)
def _read_entries(text: str, path: str) -> Sequence[schema_yaml.Entry]:
    return schema_yaml.entries(text, path)
