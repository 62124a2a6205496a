from __future__ import annotations

from pathlib import Path

import pytest

from etl_orchestrator.catalogs.tree import Tree
from etl_orchestrator.errors import InvalidInput


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "sql" / "p" / "d" / "t").mkdir(parents=True)
    (root / "sql" / "p" / "d" / "t" / "query.sql").write_text("SELECT 1")
    (root / "latin.txt").write_bytes(b"\xff")
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "sql" / "linked").symlink_to(outside)
    (root / "inside.txt").symlink_to(root / "sql" / "p" / "d" / "t" / "query.sql")
    return Tree.at(root)


def test_a_file_is_text_and_a_missing_one_is_none(tree: Tree) -> None:
    assert tree.text("sql/p/d/t/query.sql") == "SELECT 1"
    assert tree.text("/sql/p/d/t/query.sql") == "SELECT 1"
    assert (tree.text("nothing"), tree.text("sql"), tree.text("latin.txt/x")) == (None, None, None)


def test_a_link_that_stays_inside_is_followed(tree: Tree) -> None:
    assert tree.text("inside.txt") == "SELECT 1"


@pytest.mark.parametrize("path", ["link.txt", "sql/linked/secret.txt", "../outside/secret.txt", "a/../../x", "a\0b"])
def test_nothing_beyond_the_root_is_read(tree: Tree, path: str) -> None:
    with pytest.raises(InvalidInput, match="leads out of the repository"):
        tree.text(path)


def test_an_absolute_path_is_one_below_the_root(tree: Tree) -> None:
    assert tree.text("/etc/passwd") is None
    assert tree.text("//etc/passwd") is None


def test_what_is_not_text_is_refused_by_name(tree: Tree) -> None:
    with pytest.raises(InvalidInput, match="not UTF-8") as caught:
        tree.text("latin.txt")
    assert caught.value.at == "latin.txt"


def test_walks_leave_links_out(tree: Tree) -> None:
    assert tree.below("sql") == ["sql/p/d/t/query.sql"]
    assert tree.folders("sql") == ["p"]
    assert [(path, [entry.name for entry in files]) for path, files in tree.walk("sql", 3)] == [
        ("sql/p/d/t", ["query.sql"])
    ]
    assert tree.below("nothing") == []


def test_the_stamp_tells_a_change(tree: Tree) -> None:
    before = tree.stamp("latin.txt")
    (tree.root / "latin.txt").write_bytes(b"ab")
    assert before is not None
    assert tree.stamp("latin.txt") != before
    assert tree.stamp("nothing") is None
