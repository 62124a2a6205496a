"""The back door: the run journal, the locks, and `publish`, the only writer of the target tree.

Everything lies in `.etl-orchestrator/` of the repository, which git does not see:

    journal.sqlite       append-only events: what was asked, every visit, what was published
    locks/<table>.lock   held by the one run that builds the table; the kernel lets go of it when the process dies
    runs/<id>/           report.md, answers.yaml, and staged/ and replaced/ while files are being published
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etl_orchestrator import codec
from etl_orchestrator.errors import InvalidInput, Locked, Refused, StoreError
from etl_orchestrator.model import Delivery, Model
from etl_orchestrator.run import Run, Visit
from etl_orchestrator.table import TableRef

HOME = ".etl-orchestrator"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  run TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_run ON events (run, id);
CREATE INDEX IF NOT EXISTS events_by_kind ON events (kind, id);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal; `payload` is JSON-able."""

    id: int
    at: str
    run: str
    kind: str  # begun visit ended publishing published rolled_back
    payload: Any


class Store:
    """The journal and the target tree of one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.home = self.root / HOME
        self._db: sqlite3.Connection | None = None

    # the journal

    def append(self, run: str, kind: str, payload: object) -> None:
        """One event, on disk when this returns."""
        try:
            with self._journal() as db:
                db.execute("INSERT INTO events (run, kind, payload) VALUES (?, ?, ?)", (run, kind, json.dumps(payload)))
        except sqlite3.Error as error:
            raise StoreError(f"the journal cannot be written: {error}", at=f"{HOME}/journal.sqlite") from error

    def events(self, run: str | None = None, kinds: Sequence[str] = ()) -> list[Event]:
        """Events in order, of one run or of all. No journal yet: none."""
        if not (self.home / "journal.sqlite").exists():
            return []
        where = ["1"] + (["run = ?"] if run else []) + ([f"kind IN ({','.join('?' * len(kinds))})"] if kinds else [])
        query = f"SELECT id, at, run, kind, payload FROM events WHERE {' AND '.join(where)} ORDER BY id"
        try:
            rows = self._journal().execute(query, ([run] if run else []) + list(kinds)).fetchall()
        except sqlite3.Error as error:
            raise StoreError(
                f"the journal cannot be read: {error}",
                at=f"{HOME}/journal.sqlite",
                fix="move the file away; finished files are not in it",
            ) from error
        return [Event(id, at, name, kind, json.loads(payload)) for id, at, name, kind, payload in rows]

    def begin(self, run: Run, request: Mapping[str, object]) -> None:
        """`request` holds what is needed to begin again: path, options, answers."""
        self.append(run.id, "begun", {"run": codec.encode(run), "request": dict(request)})

    def visited(self, run: Run) -> None:
        """The latest visit and the model that left the room."""
        self.append(run.id, "visit", {"visit": codec.encode(run.visits[-1]), "model": codec.encode(run.model)})

    def ended(self, run: Run) -> None:
        self.append(run.id, "ended", {"status": run.status, "ended": run.ended})

    def fold(self, run: str) -> tuple[Run, dict[str, Any]]:
        """The run as the journal tells it, and its request. Raises InvalidInput for an unknown run."""
        folded: Run | None = None
        request: dict[str, Any] = {}
        model: Any = None  # as it left the last room; the earlier ones need not be read
        for event in self.events(run, ("begun", "visit", "ended")):
            if event.kind == "begun":
                folded, request = codec.decode(event.payload["run"], Run), event.payload["request"]
            elif folded is None:
                continue
            elif event.kind == "visit":
                folded = folded.after(codec.decode(event.payload["visit"], Visit), folded.model)
                model = event.payload["model"]
            else:
                folded = replace(folded, status=event.payload["status"], ended=event.payload["ended"])
        if folded is not None and model is not None:
            folded = replace(folded, model=codec.decode(model, Model))
        if folded is None:
            raise InvalidInput(f"there is no run `{run}`", fix="etl-orchestrator runs lists them")
        return folded, request

    # locks

    @contextlib.contextmanager
    def lock(self, table: TableRef, run: str) -> Iterator[None]:
        """Hold the table. Raises Locked, naming the run that holds it."""
        path = self._made(self.home / "locks") / f"{_lock_name(table)}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.read(handle, 200).decode(errors="replace") or "another run"
                raise Locked(
                    f"{holder} is building `{table}`", at=f"{HOME}/locks/{path.name}", fix="wait for it to end"
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"run {run} (process {os.getpid()})".encode(), 0)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _publishing(self) -> Iterator[None]:
        """One process at a time moves files, so that `recover` never meets a publish that is still alive."""
        handle = os.open(self._made(self.home / "locks") / "publish.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # the target tree

    def publish(self, delivery: Delivery, run: str, overwrite: bool = False) -> tuple[str, ...]:
        """Write all files of a delivery or none; returns the paths that changed.

        Files are staged beside, the intent is journalled, then each is moved into its place; a crash in between is
        finished by the next call of `recover`. Raises Refused when a file is there with other content and `overwrite`
        was not asked for, or when a path leaves the repository.
        """
        if delivery.digest != delivery.model.digest:
            raise Refused("the model is not the one that was judged")
        wanted = {artifact.path: artifact.text.encode() for artifact in delivery.model.artifacts}
        with self._publishing():
            standing = {path: self._content(path) for path in wanted}
            changed = {path: data for path, data in sorted(wanted.items()) if standing[path] != data}
            replaced = [path for path in changed if standing[path] is not None]
            if replaced and not overwrite:
                raise Refused(
                    f"{len(replaced)} file(s) are there already with other content: {', '.join(replaced)}",
                    fix="--overwrite replaces them",
                )
            staged = self._made(self.home / "runs" / run) / "staged"
            shutil.rmtree(staged, ignore_errors=True)  # what a killed staging left
            for path, data in changed.items():
                _write(staged / path, data)
            files = {path: {"new": _digest(data), "old": _digest(standing[path])} for path, data in changed.items()}
            self.append(run, "publishing", {"files": files})
            self._move(run, files)
        return tuple(changed)

    def recover(self) -> tuple[str, ...]:
        """Finish what a killed process left between "publishing" and "published"; returns the runs finished."""
        events = self.events(kinds=("publishing", "published", "rolled_back"))
        if not events:
            return ()
        with self._publishing():
            latest = {event.run: event for event in self.events(kinds=("publishing", "published", "rolled_back"))}
            unfinished = [event for event in latest.values() if event.kind == "publishing"]
            for event in unfinished:
                self._move(event.run, event.payload["files"])
        return tuple(event.run for event in unfinished)

    def published(self, run: str) -> tuple[str, ...] | None:
        """The paths that a run wrote, None when it has not published."""
        events = self.events(run, ("published",))
        return tuple(events[-1].payload["files"]) if events else None

    def keep(self, run: str, name: str, text: str) -> Path:
        """A file of the run's own folder (report.md, answers.yaml)."""
        path = self._made(self.home / "runs" / run) / name
        _write(path, text.encode())
        return path

    def write(self, files: Mapping[str, str], overwrite: bool = False) -> tuple[str, ...]:
        """Files of the single tools (`init`, `format`, `schema --write`): each replaced atomically, none invented."""
        standing = [path for path in files if self._content(path) not in (None, files[path].encode())]
        if standing and not overwrite:
            raise Refused(f"there already: {', '.join(standing)}", fix="--overwrite replaces them")
        for path, text in files.items():
            _write(self._inside(path), text.encode())
        return tuple(files)

    def _move(self, run: str, files: Mapping[str, Mapping[str, str | None]]) -> None:
        """Staged files into place, or all of them back when one cannot be moved. `files` has the digest of each as it is
        to be and as it was (None: it was not there); anything else in its place is somebody's work and stays."""
        try:
            waiting = [path for path, digests in files.items() if self._waits(run, path, digests)]
            for unit in dict.fromkeys(self._unit(path) for path in waiting):
                self._move_unit(self.home / "runs" / run, unit)
        except (OSError, Refused) as error:
            for path, digests in files.items():
                self._put_back(run, path, digests)
            self.append(run, "rolled_back", {"error": str(error)})
            fix = "see to the place, then etl-orchestrator resume"
            raise StoreError(f"nothing was published: {error}", fix=fix) from error
        self.append(run, "published", {"files": sorted(files)})
        shutil.rmtree(self.home / "runs" / run / "staged", ignore_errors=True)

    def _waits(self, run: str, path: str, digests: Mapping[str, str | None]) -> bool:
        """Whether the file has still to be moved. Raises Refused when its place or its staged copy is not as it was."""
        there = _digest(self._content(path))
        if there == digests["new"]:
            return False
        if there != digests["old"] or self._inside(path).is_dir():
            raise Refused(f"`{path}` was changed by somebody else")
        staged = self.home / "runs" / run / "staged" / path
        if not staged.is_file() or _digest(staged.read_bytes()) != digests["new"]:
            raise Refused(f"the copy of `{path}` that was to be published is gone")
        return True

    def _move_unit(self, folder: Path, unit: str) -> None:
        """A file, or a folder that is not there yet as a whole, so that a new table appears at once."""
        target, backup = self._inside(unit), folder / "replaced" / unit
        if target.is_file():
            backup.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, backup)
        os.replace(folder / "staged" / unit, target)

    def _unit(self, path: str) -> str:
        """The outermost folder of a path that is not there yet, else the path itself."""
        missing = [parent for parent in Path(path).parents if parent.parts and not (self.root / parent).exists()]
        return missing[-1].as_posix() if missing else path

    def _put_back(self, run: str, path: str, digests: Mapping[str, str | None]) -> None:
        """What stood there before, if what stands there now is ours."""
        with contextlib.suppress(OSError, Refused):
            target, backup = self._inside(path), self.home / "runs" / run / "replaced" / path
            if _digest(self._content(path)) != digests["new"] or digests["new"] == digests["old"]:
                return
            if digests["old"] is not None:
                os.replace(backup, target)
                return
            target.unlink()
            for parent in target.parents:
                if parent == self.root:
                    break
                parent.rmdir()  # raises, and so ends, at the first folder that holds something

    def _content(self, path: str) -> bytes | None:
        target = self._inside(path)
        return target.read_bytes() if target.is_file() else None

    def _inside(self, path: str) -> Path:
        """The absolute path, links resolved. Raises Refused when it lies outside the repository or in a tool's folder."""
        target = (self.root / path).parent.resolve() / Path(path).name
        if (
            not target.is_relative_to(self.root)
            or target.is_symlink()
            or HOME in target.parts
            or ".git" in target.parts
        ):
            raise Refused(f"`{path}` leaves the repository or is a link", fix="nothing is written there")
        return target

    def _made(self, folder: Path) -> Path:
        """The folder, made if need be. Raises Refused when the tool's own folder is a link to somewhere else."""
        if not folder.resolve().is_relative_to(self.root):
            raise Refused(f"`{HOME}` leads out of the repository", at=HOME, fix="remove the link")
        try:
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                self.home.mkdir(parents=True, exist_ok=True)
                ignore.write_text("*\n")
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fix = "make the folder writable: runs are journalled there, dry runs too"
            raise StoreError(f"the journal cannot be kept: {error}", at=HOME, fix=fix) from error
        return folder

    def _journal(self) -> sqlite3.Connection:
        if self._db is None:
            self._made(self.home)
            self._db = sqlite3.connect(self.home / "journal.sqlite", timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __del__(self) -> None:
        self.close()  # the collector may come by in any thread, hence check_same_thread=False


def _lock_name(table: TableRef) -> str:
    """The table's name, cut where a file system would not take it."""
    name = str(table)
    return name if len(name) <= 200 else f"{name[:120]}-{hashlib.sha256(name.encode()).hexdigest()}"


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a sibling file is written, brought to disk and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(f"`{path.name}` cannot be written: {error}") from error
