"""schema.yaml: the columns of a table, with the `!include…` tags by which schemas borrow from each other.

Before they become `Field`s, columns are *entries*: plain mappings as the file has them (base schemas hold entries
without a type). Tags work on entries; `resolve` fetches those of another file or table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import yaml_text
from etl_orchestrator.table import Field, Schema, walk

if TYPE_CHECKING:
    import yaml

#: A column as a mapping: name, type, mode, description, fields (a list of entries), aliases.
Entry = Mapping[str, Any]

#: Gets {"file": path} or {"table": project.dataset.table}, gives the entries found there.
Resolve = Callable[[Mapping[str, str]], Sequence[Entry]]


def read(text: str, at: str, resolve: Resolve | None = None) -> Schema:
    """The columns of a schema.yaml, tags resolved.

    Raises InvalidInput for what is not a schema, Unavailable when a tag needs `resolve` and there is none, and
    whatever `resolve` raises.
    """
    return fields(entries(text, at, resolve), at)


def fields(found: Sequence[Entry], at: str) -> Schema:
    """Entries as typed columns; `at` names them in errors."""
    return tuple(_field(entry, "", at) for entry in _unique(found, "", at))


def entries(text: str, at: str, resolve: Resolve | None = None) -> list[Entry]:
    """The entries under `fields` of a schema.yaml or base schema, tags resolved, types not yet asked for."""
    return entries_of(yaml_text.load(text, at, _handlers(resolve)), at)


def entries_of(document: Any, at: str) -> list[Entry]:
    """The same for a document that is loaded already: a mapping with `fields`, or the list itself."""
    found = document.get("fields") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise InvalidInput("no list of `fields`", at=at, fix="begin with `fields:` and a list of name, type, mode")
    for entry in found:
        if not isinstance(entry, dict):
            raise InvalidInput(f"`{entry}` is not a field", at=at, fix="write name, type and mode")
    return found


def fields_of(node: yaml.Node, at: str, resolve: Resolve | None = None) -> Schema:
    """The columns that one node of a schema.yaml stands for: a field, a tag for one, or a list of them."""
    made = yaml_text.value_of(node, at, _handlers(resolve))
    return fields(entries_of(made if isinstance(made, list) else [made], at), at)


def _unique(found: Sequence[Entry], path: str, at: str) -> Sequence[Entry]:
    seen: set[str] = set()
    for entry in found:
        name = str(entry.get("name")).lower()
        if name in seen:
            raise InvalidInput(f"the field `{path}{entry.get('name')}` is there twice", at=at)
        seen.add(name)
    return found


def _field(entry: Entry, path: str, at: str) -> Field:
    name, kind = entry.get("name"), entry.get("type")
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"a field below `{path}` has no name, or a name that needs quotes: `{name}`", at=at)
    if not isinstance(kind, str):
        raise InvalidInput(f"the field `{path}{name}` has no type", at=at)
    mode = entry.get("mode") or "NULLABLE"
    parts = entry.get("fields") or []
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise InvalidInput(f"`fields` of `{path}{name}` is not a list of fields", at=at)
    description = entry.get("description")
    try:
        return Field(
            name,
            kind,
            str(mode),
            None if description is None else str(description),
            tuple(_field(part, f"{path}{name}.", at) for part in _unique(parts, f"{path}{name}.", at)),
        )
    except InvalidInput as error:
        raise error if error.at else InvalidInput(error.message, at=at, fix=error.fix) from error


def write(schema: Schema) -> str:
    """The text of a schema.yaml: name, type, mode, description, fields; legacy type names."""
    return yaml_text.dump({"fields": [_entry(field) for field in schema]})


def _entry(field: Field) -> dict[str, Any]:
    made: dict[str, Any] = {"name": field.name, "type": field.type, "mode": field.mode}
    if field.description is not None:
        made["description"] = field.description
    if field.fields:
        made["fields"] = [_entry(part) for part in field.fields]
    return made


def undescribed(schema: Schema) -> tuple[str, ...]:
    """Dotted paths of the fields without a description, nested ones included."""
    return tuple(path for path, field in walk(schema) if not (field.description or "").strip())


# --- the tags -------------------------------------------------------------------------------------------------------

#: The keys each tag takes, besides `file` or `table`.
TAGS: dict[str, frozenset[str]] = {
    "!include-field": frozenset(
        [
            "field",
            "new_name",
            "new_type",
            "new_mode",
            "new_description",
            "append_description",
            "prepend_description",
            "new_fields",
            "append_fields",
            "prepend_fields",
        ]
    ),
    "!include-fields": frozenset(["parent_field", "field_names", "exclude_field_names", "field_replacements"]),
    "!include-field-description": frozenset(["field", "append", "prepend"]),
    "!include": frozenset(),
    "!flatten-lists": frozenset(),
}


def _handlers(resolve: Resolve | None) -> dict[str, yaml_text.Handler]:
    def including(tag: str, make: Callable[[Mapping[str, Any], Sequence[Entry], str], Any]) -> yaml_text.Handler:
        def handle(value: Any, at: str) -> Any:
            options = _options(tag, value, at)
            reference = {key: str(options[key]) for key in ("file", "table") if options.get(key)}
            if len(reference) != 1:
                raise InvalidInput(f"`{tag}` needs either `file` or `table`", at=at)
            if resolve is None:
                raise Unavailable(f"`{tag}` borrows from another file, and there is no repository to look in", at=at)
            return make(options, resolve(reference), at)

        return handle

    return {
        "!include-field": including("!include-field", _included_field),
        "!include-fields": including("!include-fields", _included_fields),
        "!include-field-description": including("!include-field-description", included_description),
        "!include": including("!include", lambda options, found, at: {"fields": list(found)}),
        "!flatten-lists": _flattened,
    }


def _options(tag: str, value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"`{tag}` takes a mapping", at=at)
    unknown = sorted(set(map(str, value)) - TAGS[tag] - {"file", "table"})
    if unknown:
        raise InvalidInput(f"`{tag}` does not know `{unknown[0]}`", at=at)
    return value


def find(found: Sequence[Entry], path: str, at: str) -> Entry:
    """The entry at a dotted path; InvalidInput when there is none."""
    entry: Entry | None = None
    for depth, name in enumerate(str(path).split(".")):
        parts = found if depth == 0 else (entry or {}).get("fields") or []
        entry = next((part for part in parts if part.get("name") == name), None)
        if entry is None:
            raise InvalidInput(f"there is no field `{path}` to include", at=at)
    return entry or {}


def _joined(text: str, append: Any, prepend: Any) -> str:
    """Text to add goes on a line of its own; white space at the seam is dropped."""
    if append:
        text = f"{text.rstrip()}\n{append}".lstrip()
    if prepend:
        text = f"{prepend}\n{text.lstrip()}".rstrip()
    return text


def included_description(options: Mapping[str, Any], found: Sequence[Entry], at: str) -> str:
    """What `!include-field-description` stands for, given the entries of the file or table it names."""
    entry = find(found, options.get("field", ""), at)
    return _joined(str(entry.get("description") or ""), options.get("append"), options.get("prepend"))


def _included_field(options: Mapping[str, Any], found: Sequence[Entry], at: str) -> dict[str, Any]:
    entry = dict(find(found, options.get("field", ""), at))
    for key in ("name", "type", "mode", "description"):
        if options.get(f"new_{key}"):
            entry[key] = options[f"new_{key}"]
    append, prepend = options.get("append_description"), options.get("prepend_description")
    if append or prepend:
        entry["description"] = _joined(str(entry.get("description") or ""), append, prepend)
    if options.get("new_fields"):
        entry["fields"] = options["new_fields"]
    if options.get("append_fields") or options.get("prepend_fields"):
        entry["fields"] = [
            *(options.get("prepend_fields") or []),
            *(entry.get("fields") or []),
            *(options.get("append_fields") or []),
        ]
    return entry


def _included_fields(options: Mapping[str, Any], found: Sequence[Entry], at: str) -> list[Entry]:
    chosen = list(found)
    if options.get("parent_field"):
        chosen = list(find(found, options["parent_field"], at).get("fields") or [])
    if options.get("field_names"):
        chosen = [find(chosen, name, at) for name in _names(options["field_names"])]
    excluded = set(_names(options.get("exclude_field_names")))
    replaced = {entry.get("name"): entry for entry in options.get("field_replacements") or ()}
    return [replaced.get(entry.get("name"), entry) for entry in chosen if entry.get("name") not in excluded]


def _names(value: Any) -> list[Any]:
    """A list of names, or the one that stands there without a list."""
    return [value] if isinstance(value, str) else list(value or ())


def _flattened(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput("`!flatten-lists` takes a list", at=at)
    flat: list[Any] = []
    for item in value:
        flat.extend(item if isinstance(item, list) else [item])
    return flat
