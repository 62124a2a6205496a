"""Answers that took long to find, kept between runs beside the index: an SQLite file that may be thrown away any time.

An answer is kept with what was asked of the repository to find it (see `sql.watched`); whoever recalls it asks again. Those
of another version of this program, of the analyzer or of other pipeline schemas are as good as none.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from etl_orchestrator.catalogs import pipeline_schemas
from etl_orchestrator.catalogs.index import folder
from etl_orchestrator.catalogs.schema_history import has_history

_PACKAGE = Path(__file__).parents[1]


def _analyzer() -> tuple[str, int] | None:
    """Where the analyzer is and when it was installed; its version would take 20 ms to ask for."""
    found = find_spec("zetasql")
    return (found.origin, os.stat(found.origin).st_mtime_ns) if found and found.origin else None


def _sources(folder: str) -> Iterator[tuple[str, int, int]]:
    """Path, time of change and size of each of our files; at each start, so without pathlib."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat().st_mtime_ns, entry.stat().st_size


class KeptAnswers:
    """Plays Answers, one per repository root. Where the file cannot be used it forgets; nothing is lost but time."""

    def __init__(self, root: Path, cache: Path | None = None, patience: float = 10) -> None:
        digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:20]
        self._file = (cache or folder()) / f"answers-{digest}.sqlite"
        self._patience = patience

    def recall(self, key: str) -> str | None:
        with suppress(sqlite3.Error, OSError):
            row = self._connection.execute(
                "SELECT text, sum FROM answer WHERE key = ? AND version = ?", (key, self._version)
            ).fetchone()
            if row is not None and zlib.crc32(row[0]) == row[1]:
                return zlib.decompress(row[0]).decode()
        return None

    def keep(self, key: str, text: str) -> None:
        packed = zlib.compress(text.encode(), 1)
        with suppress(sqlite3.Error, OSError), self._connection as connection:
            row = (key, self._version, packed, zlib.crc32(packed))
            connection.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", row)

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # busy, no room, no rights
                raise
            self._file.unlink(missing_ok=True)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=self._patience, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, version TEXT, text BLOB, sum INTEGER)"
        )
        return connection

    @cached_property
    def _version(self) -> str:
        """Sizes and times of our own files stand for what they say."""
        schemas = pipeline_schemas.folder()
        ordered = schemas is not None and has_history(schemas.absolute())
        parts = (sorted(_sources(str(_PACKAGE))), _analyzer(), schemas, ordered)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
