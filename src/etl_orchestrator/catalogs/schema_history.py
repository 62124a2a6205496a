"""The order in which a deployed table has its fields, from the history of its schema file.

BigQuery appends a field that is added to a table or to a record of it; the schema files of the pipeline list fields by
name. So the order of a table is that in which its fields came into the file, commit by commit (those that came together
by name), which a clone with its history tells and an archive does not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from etl_orchestrator.catalogs.index import Index
from etl_orchestrator.catalogs.tree import Tree
from etl_orchestrator.table import Schema

#: The names of fields, in order, each with those of its own fields: {"id": {}, "events": {"at": {}, "n": {}}}.
Order = dict[str, "Order"]

_AT_ONCE = 32
_MANY = 100
#: Names and ends of records; where they stand as in another version, so do the fields.
_NAME = re.compile(rb'"name": "([^"]*)"|]')
#: No lock is taken, nothing is asked of the network or of a person, a path is only a path.
_QUIETLY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}


class SchemaHistory:
    """`tree` is a checkout, or a folder in one. Of what has no history (an archive, a shallow or broken clone, no git
    at hand) the fields stay as they are. Orders are kept in `index`, and go on from there when a file changes; `say` is
    told of what takes long (some files have hundreds of versions, of a megabyte each)."""

    def __init__(self, tree: Tree, index: Index, say: Callable[[str], None] | None = None) -> None:
        self._tree = tree
        self._index = index
        self._say = say

    def in_order(self, path: str, schema: Schema) -> Schema:
        """The schema of a file in the order of the deployed table."""
        stamp = self._tree.stamp(path)
        if stamp is None or not self._is_told:
            return schema
        body = self._index.fact("order", path, stamp, lambda kept: self._followed(path, kept))
        return _sorted(schema, json.loads(body)["order"] if body else {})

    @cached_property
    def _is_told(self) -> bool:
        return has_history(self._tree.root)

    def _followed(self, path: str, kept: str) -> str:
        """The order after all versions of a file; after those of `kept`, which was made of the first ones."""
        versions = self._versions(path)
        before = json.loads(kept) if kept else {}
        done = versions.index(before["version"]) + 1 if before.get("version") in versions else 0
        order: Order = before["order"] if done else {}
        if self._say and len(versions) - done > _MANY:
            self._say(f"reading {len(versions) - done} versions of {path} for the order of its fields, this once")
        for entries in self._listings(versions[done:]):
            grow(order, entries)
        return json.dumps({"version": versions[-1], "order": order}) if versions else ""

    def _versions(self, path: str) -> list[str]:
        """The contents that a file has had, as git names them, oldest first, each once: one that comes back is not new."""
        log = ("log", "--first-parent", "-m", "--no-renames", "--raw", "--no-abbrev", "--format=")
        said = _git(self._tree.root, *log, "--no-show-signature", "HEAD", "--", path)
        lines = (line.split() for line in reversed(said.decode(errors="replace").splitlines()))
        return list(dict.fromkeys(parts[3] for parts in lines if len(parts) > 4 and parts[4] != "D"))

    def _listings(self, versions: Sequence[str]) -> Iterator[list[object]]:
        """What the versions list, one after the other; not one that cannot be read or has the names of one before it."""
        seen: set[bytes] = set()
        for start in range(0, len(versions), _AT_ONCE):
            asked = "".join(f"{version}\n" for version in versions[start : start + _AT_ONCE])
            said = BytesIO(_git(self._tree.root, "cat-file", "--batch", given=asked))
            while head := said.readline().split():
                if len(head) == 3:  # not `<id> missing`
                    text = said.read(int(head[2]) + 1)
                    names = hashlib.sha256(b",".join(_NAME.findall(text))).digest()
                    found = _listed(text) if names not in seen else None  # half of them change descriptions only
                    if found is not None:
                        seen.add(names)
                        yield found


def _listed(text: bytes) -> list[object] | None:
    """None for what is no list."""
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        return found if isinstance(found, list) else None
    return None


def has_history(folder: Path) -> bool:
    """Whether a folder is in a clone of git that is not shallow."""
    clone = next((place / ".git" for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    return clone is not None and not (clone / "shallow").exists()


def grow(table: Order, entries: Sequence[Any]) -> None:
    """Takes a new version of its schema: what is new comes last, and nothing is ever taken away."""
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            below = table.setdefault(name, {})
            fields = entry.get("fields")
            if isinstance(fields, list):
                grow(below, fields)


def _sorted(schema: Schema, order: Order) -> Schema:
    """What the order does not have comes last, as it stands; what is in order stays the same object."""
    places = {name: place for place, name in enumerate(order)}
    found = sorted(schema, key=lambda field: places.get(field.name, len(places)))
    return tuple(
        field if inner is field.fields else replace(field, fields=inner)
        for field in found
        for inner in (_sorted(field.fields, order.get(field.name, {})) if field.fields else field.fields,)
    )


def _git(folder: Path, *command: str, given: str = "") -> bytes:
    """What git says of this folder, whatever a hook has told us of another; nothing when it is not there or refuses."""
    import subprocess  # 5 ms that most starts do not need
    import tempfile

    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        with tempfile.TemporaryFile() as said:  # a pipe is read in small pieces, which takes half as long as the rest
            subprocess.run(
                ("git", *command),
                cwd=folder,
                input=given.encode(),
                stdout=said,
                stderr=subprocess.DEVNULL,
                env=ours | _QUIETLY,
                check=True,
            )
            said.seek(0)
            return said.read()
    except (OSError, subprocess.SubprocessError):
        return b""
