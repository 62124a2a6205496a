"""What was read from the files of a repository, kept between runs: an SQLite file that may be thrown away any time.

Facts are kept by kind and path with the stamp of the file they were read from; a file with another stamp is read
anew, one that is gone is forgotten. A fact never depends on a second file, so nothing else can go stale.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from etl_orchestrator.catalogs.tree import Stamp

#: To be raised when the meaning of what is kept changes; an index of another format is rebuilt.
_FORMAT = 1

_STATEMENTS = (
    "CREATE TABLE fact (kind TEXT, path TEXT, mtime INTEGER, size INTEGER, body TEXT, sum INTEGER,"
    " PRIMARY KEY (kind, path))",
    "CREATE TABLE entry (path TEXT, name TEXT, text TEXT, borrowed INTEGER)",
    "CREATE INDEX entry_by_name ON entry (name)",
    "CREATE INDEX entry_by_path ON entry (path)",
)
_TABLES = ";".join(_STATEMENTS)

#: Conditions of the file system or of other processes; every other failure means that the file is broken.
_UNUSABLE = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL}
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A description of a column name; a `borrowed` one is the JSON of the tag that says where the text stands."""

    name: str
    text: str
    borrowed: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """What is kept of one file: a body (JSON, or "" for none) and the descriptions found in it."""

    body: str
    entries: tuple[Entry, ...] = ()


def folder() -> Path:
    """Where indexes are kept: ETLO_CACHE_DIR, else `etl-orchestrator` in the user's cache folder."""
    chosen = os.environ.get("ETLO_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "etl-orchestrator"


class Index:
    """One per repository root. Without a place to write, or with a broken file, it works and forgets."""

    def __init__(self, root: Path, cache: Path | None = None, patience: float = 10) -> None:
        """`patience` is how many seconds to wait for another process that writes the file."""
        digest = hashlib.sha256(str(root).encode()).hexdigest()[:20]
        self._file = (cache or folder()) / f"index-{digest}.sqlite"
        self._patience = patience
        self._memory: sqlite3.Connection | None = None

    def refresh(self, kind: str, stamps: Mapping[str, Stamp], read: Callable[[str], Fact]) -> dict[str, str]:
        """The bodies of all files of a kind by path, after `read` of those that are new or have changed."""
        return self._mended(lambda connection: self._refresh(connection, kind, stamps, read))

    def fact(self, kind: str, path: str, stamp: Stamp, read: Callable[[str], str]) -> str:
        """The body for one file; `read` is given that of the file as it was before, "" for none."""

        def ask(connection: sqlite3.Connection) -> str:
            row = connection.execute(
                "SELECT mtime, size, body, sum FROM fact WHERE kind = ? AND path = ?", (kind, path)
            ).fetchone()
            mtime, size, body, check = row or (0, 0, "", 0)
            if row is not None and _sum(path, (mtime, size), body) != check:
                body = ""
            elif row is not None and (mtime, size) == stamp:
                return str(body)
            body = read(body)
            self._keep(connection, kind, {path: stamp}, {path: Fact(body)}, [path])
            return body

        return self._mended(ask)

    def entries(self, name: str) -> list[tuple[str, bool, int]]:
        """The descriptions of a column name: text, whether borrowed, how often; most frequent first."""

        def ask(connection: sqlite3.Connection) -> list[tuple[str, bool, int]]:
            found = connection.execute(
                "SELECT text, borrowed, COUNT(*) FROM entry WHERE name = ? GROUP BY text, borrowed"
                " ORDER BY COUNT(*) DESC, text",
                (name,),
            )
            return [(text, bool(borrowed), count) for text, borrowed, count in found]

        return self._mended(ask)

    def _refresh(
        self, connection: sqlite3.Connection, kind: str, stamps: Mapping[str, Stamp], read: Callable[[str], Fact]
    ) -> dict[str, str]:
        known = {
            path: ((mtime, size), body)
            for path, mtime, size, body, check in connection.execute(
                "SELECT path, mtime, size, body, sum FROM fact WHERE kind = ?", (kind,)
            )
            if _sum(path, (mtime, size), body) == check
        }
        stale = [path for path, stamp in stamps.items() if path not in known or known[path][0] != stamp]
        gone = [path for path in known if path not in stamps]
        bodies = {path: body for path, (_, body) in known.items() if path in stamps}
        if stale or gone:
            fresh = {path: read(path) for path in stale}
            bodies.update((path, fact.body) for path, fact in fresh.items())
            self._keep(connection, kind, stamps, fresh, [*gone, *stale])
        return bodies

    def _keep(
        self,
        connection: sqlite3.Connection,
        kind: str,
        stamps: Mapping[str, Stamp],
        fresh: Mapping[str, Fact],
        forgotten: Iterable[str],
    ) -> None:
        with connection:
            for path in forgotten:
                connection.execute("DELETE FROM fact WHERE kind = ? AND path = ?", (kind, path))
                connection.execute("DELETE FROM entry WHERE path = ?", (path,))
            connection.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (kind, path, *stamps[path], fact.body, _sum(path, stamps[path], fact.body))
                    for path, fact in fresh.items()
                ],
            )
            connection.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?)",
                [
                    (path, entry.name, entry.text, entry.borrowed)
                    for path, fact in fresh.items()
                    for entry in fact.entries
                ],
            )

    def _mended(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """The answer from the file; a broken file is thrown away and made anew; one that cannot be used just now
        (no room, no rights, held by another process) is replaced by memory for the rest of this run."""
        for _ in range(2):
            if self._memory is not None:
                break
            try:
                with closing(self._connect()) as connection:
                    return ask(connection)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                if isinstance(error, OSError) or not self._discarded(error):
                    break
        if self._memory is None:
            self._memory = sqlite3.connect(":memory:", check_same_thread=False)
            self._memory.executescript(_TABLES)
        return ask(self._memory)

    def _discarded(self, error: Exception) -> bool:
        """Whether the file was broken and could be thrown away."""
        if getattr(error, "sqlite_errorcode", None) in _UNUSABLE:
            return False
        try:
            self._file.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _connect(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._file, timeout=self._patience)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            if _format_of(connection) != _FORMAT:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    if _format_of(connection) != _FORMAT:  # another process may have been first
                        for statement in ("DROP TABLE IF EXISTS fact", "DROP TABLE IF EXISTS entry", *_STATEMENTS):
                            connection.execute(statement)
                        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        except (sqlite3.Error, UnicodeDecodeError):
            connection.close()
            raise
        return connection


def _sum(path: str, stamp: Stamp, body: str) -> int:
    """SQLite notices a broken page, not a flipped bit in a value."""
    return zlib.crc32(f"{path}\0{stamp}\0{body}".encode())


def _format_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
