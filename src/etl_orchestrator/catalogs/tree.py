"""A folder on disk that is only ever read, and never beyond its root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl_orchestrator.errors import InvalidInput

#: (modification time in ns, size in bytes): what tells whether a file is still the one that was read.
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tree:
    """`root` is resolved once; every path given is relative to it and posix."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Tree:
        return cls(root.resolve())

    def locate(self, path: str) -> Path:
        """The place of a relative path; raises InvalidInput for one that leads, itself or by links, out of the root."""
        parts = path.removeprefix("/").split("/")
        place = self.root.joinpath(*parts)
        if ".." in parts or "\0" in path or not place.resolve().is_relative_to(self.root):
            raise InvalidInput(
                f"`{path}` leads out of the repository", at=path, fix="name a file inside it; a link is removed by hand"
            )
        return place

    def text(self, path: str) -> str | None:
        """A file's text, None when there is none; raises InvalidInput for what is there and cannot be read."""
        try:
            return self.locate(path).read_bytes().decode("utf-8")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise InvalidInput(f"not UTF-8: {error.reason} at byte {error.start}", at=path) from error
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", at=path) from error

    def stamp(self, path: str) -> Stamp | None:
        """None when the file is not there."""
        try:
            found = self.locate(path).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def walk(self, path: str, depth: int) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
        """The folders exactly `depth` levels below, each with its plain files; links are not followed."""
        yield from self._walk(str(self.locate(path)), path, depth)

    def _walk(self, place: str, path: str, depth: int) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
        found = self._scan(place)
        if depth == 0:
            yield path, [entry for entry in found if entry.is_file(follow_symlinks=False)]
            return
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(entry.path, f"{path}/{entry.name}", depth - 1)

    def folders(self, path: str) -> list[str]:
        """Names of the folders directly below, sorted; links are not followed."""
        return sorted(entry.name for entry in self._scan(self.locate(path)) if entry.is_dir(follow_symlinks=False))

    def files(self, path: str) -> list[os.DirEntry[str]]:
        """The plain files directly below a folder (links left out)."""
        return [entry for entry in self._scan(self.locate(path)) if entry.is_file(follow_symlinks=False)]

    def below(self, path: str) -> list[str]:
        """All files below a folder, relative to the root and sorted; links are not followed."""
        return sorted(self._below(self.locate(path), path.strip("/")))

    def _below(self, place: Path, path: str) -> Iterator[str]:
        for entry in self._scan(place):
            inner = f"{path}/{entry.name}" if path else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path), inner)
            elif entry.is_file(follow_symlinks=False):
                yield inner

    @staticmethod
    def _scan(place: Path | str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(place) as found:
                return list(found)
        except OSError:
            return []
