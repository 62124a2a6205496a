from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from etl_orchestrator.catalogs import index
from etl_orchestrator.catalogs.index import Entry, Fact, Index

ROOT = Path("/some/repository")


class Reader:
    """Reads "files" whose content is their name, and remembers which."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: str) -> Fact:
        self.read.append(path)
        return Fact(f"body of {path}", (Entry("id", f"the id of {path}"), Entry("day", "The day.")))


def test_only_what_is_new_or_changed_is_read_again(tmp_path: Path) -> None:
    reader = Reader()
    assert Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1), "b": (1, 1)}, reader) == {
        "a": "body of a",
        "b": "body of b",
    }
    assert sorted(Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1), "b": (1, 2), "c": (1, 1)}, reader)) == list("abc")
    assert reader.read == ["a", "b", "b", "c"]


def test_what_is_gone_is_forgotten_with_its_descriptions(tmp_path: Path) -> None:
    kept = Index(ROOT, tmp_path)
    kept.refresh("kind", {"a": (1, 1), "b": (1, 1)}, Reader())
    assert kept.entries("day") == [("The day.", False, 2)]
    assert kept.refresh("kind", {"b": (1, 1)}, Reader()) == {"b": "body of b"}
    assert kept.entries("id") == [("the id of b", False, 1)]


def test_kinds_and_roots_do_not_mix(tmp_path: Path) -> None:
    Index(ROOT, tmp_path).refresh("one", {"a": (1, 1)}, Reader())
    for other in (Index(ROOT, tmp_path), Index(Path("/other"), tmp_path)):
        reader = Reader()
        other.refresh("two", {"a": (1, 1)}, reader)
        assert reader.read == ["a"]


def only_file(folder: Path) -> Path:
    (found,) = folder.glob("*.sqlite")
    return found


@pytest.mark.parametrize(
    "broken", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000], ids=["empty", "text", "header"]
)
def test_a_broken_file_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, Reader())
    only_file(tmp_path).write_bytes(broken)
    for expected in (["a"], []):
        reader = Reader()
        assert Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, reader) == {"a": "body of a"}
        assert reader.read == expected


def test_a_file_of_another_format_or_without_its_tables_is_made_anew(tmp_path: Path) -> None:
    for statement in ("PRAGMA user_version = 99", "DROP TABLE fact"):
        Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, Reader())
        connection = sqlite3.connect(only_file(tmp_path))
        connection.execute(statement)
        connection.commit()
        connection.close()
        reader = Reader()
        assert Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, reader) == {"a": "body of a"}
        assert reader.read == ["a"]


def test_flipped_bytes_never_give_another_fact(tmp_path: Path) -> None:
    stamps = {f"file {number}": (1, 1) for number in range(40)}
    Index(ROOT, tmp_path).refresh("kind", stamps, Reader())
    sound = only_file(tmp_path).read_bytes()
    chance = random.Random(7)
    for _ in range(100):
        damaged = bytearray(sound)
        for _ in range(30):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        only_file(tmp_path).write_bytes(bytes(damaged))
        found = Index(ROOT, tmp_path).refresh("kind", stamps, Reader())
        assert found == {path: f"body of {path}" for path in stamps}


def test_without_a_place_to_write_it_works_and_forgets(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    kept = Index(ROOT, blocked)
    assert kept.refresh("kind", {"a": (1, 1)}, Reader()) == {"a": "body of a"}
    assert kept.entries("id") == [("the id of a", False, 1)]


def test_a_file_that_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, Reader())
    holder = sqlite3.connect(only_file(tmp_path), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    waiting = Index(ROOT, tmp_path, patience=0.05)
    assert waiting.refresh("kind", {"a": (1, 2)}, Reader()) == {"a": "body of a"}
    holder.execute("ROLLBACK")
    holder.close()
    reader = Reader()
    Index(ROOT, tmp_path).refresh("kind", {"a": (1, 1)}, reader)
    assert reader.read == []


def test_the_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("ETLO_CACHE_DIR", raising=False)
    assert index.folder() == tmp_path / "xdg" / "etl-orchestrator"
    monkeypatch.setenv("ETLO_CACHE_DIR", str(tmp_path / "own"))
    assert index.folder() == tmp_path / "own"


def test_one_fact_is_made_from_the_one_before_when_its_file_changed(tmp_path: Path) -> None:
    given: list[str] = []

    def read(before: str) -> str:
        given.append(before)
        return f"{before}+"

    for stamp, body in (((1, 1), "+"), ((1, 1), "+"), ((2, 1), "++"), ((2, 1), "++"), ((2, 3), "+++")):
        assert Index(ROOT, tmp_path).fact("order", "a", stamp, read) == body
    assert Index(ROOT, tmp_path).fact("other", "a", (2, 3), read) == "+"
    assert given == ["", "+", "++", ""]
    with sqlite3.connect(only_file(tmp_path)) as connection:
        connection.execute("UPDATE fact SET body = 'flipped'")
    connection.close()
    assert Index(ROOT, tmp_path).fact("order", "a", (2, 3), read) == "+"
