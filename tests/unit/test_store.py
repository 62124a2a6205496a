"""The journal never forgets, a publish is whole, and nothing is written where it must not be."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from etl_orchestrator import codec
from etl_orchestrator.errors import InvalidInput, Locked, Refused, StoreError
from etl_orchestrator.finding import Failed, Finding, NotDue, Passed, Unchecked
from etl_orchestrator.model import Artifact, Delivery, Model, Note
from etl_orchestrator.run import Answer, Run, Visit
from etl_orchestrator.store import HOME, Store
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
FILES = {"sql/acme-data/shop_derived/orders_v1/query.sql": "SELECT 1\n", "tests/sql/x/expect.yaml": "[]\n"}


def _model(files: dict[str, str] = FILES) -> Model:
    notes = (Note("row 1", "snapshot", "because"),)
    return Model(TABLE, artifacts=tuple(Artifact(path, text, "query", notes) for path, text in sorted(files.items())))


def _delivery(model: Model) -> Delivery:
    return Delivery(model, model.digest)


def _visit(phase: str) -> Visit:
    finding = Finding("QRY003", "unlisted_source", "m", "a:1", "query", "f")
    answers = (
        Answer("A1", "a", Passed("e"), 0.5),
        Answer("A2", "b", Failed((finding,))),
        Answer("A3", "c", Unchecked("r")),
        Answer("A4", "d", NotDue("r")),
    )
    return Visit(phase, "says", answers, 0.25, "digest", sent_back_to="query")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def _tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and HOME not in path.parts
    }


def test_the_fold_of_the_journal_is_the_run(store: Store) -> None:
    run = Run("r1", TABLE, Model(TABLE))
    store.begin(run, {"path": "x.yaml"})
    for phase in ("plan", "query"):
        run = run.after(_visit(phase), _model())
        store.visited(run)
    run = replace(run, status="open", ended="why")
    store.ended(run)
    store.close()
    folded, request = Store(store.root).fold("r1")
    assert folded == run
    assert request == {"path": "x.yaml"}


def test_an_unknown_run_is_named(store: Store) -> None:
    with pytest.raises(InvalidInput, match="no run `nope`"):
        store.fold("nope")


def test_the_journal_is_append_only(store: Store) -> None:
    store.append("r1", "begun", {})
    db = sqlite3.connect(store.home / "journal.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("DELETE FROM events")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("UPDATE events SET run = 'x'")
    db.close()


def test_a_damaged_journal_is_said_and_left(store: Store) -> None:
    store.home.mkdir()
    (store.home / "journal.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"journal cannot be read|cannot be written"):
        store.events()


def test_every_noun_survives_the_journal() -> None:
    run = Run("r1", TABLE, _model()).after(_visit("plan"), _model())
    assert codec.decode(codec.encode(run), Run) == run
    with pytest.raises(StoreError, match="cannot read"):
        codec.decode({"!": "Unknown"}, Run)
    with pytest.raises(TypeError, match="no place"):
        codec.encode(object())


def test_publish_writes_all_files(store: Store) -> None:
    assert store.publish(_delivery(_model()), "r1") == tuple(sorted(FILES))
    assert _tree(store.root) == FILES
    assert store.published("r1") == tuple(sorted(FILES))
    assert store.publish(_delivery(_model()), "r2") == ()  # nothing changed


def test_publish_takes_judged_bytes_only(store: Store) -> None:
    with pytest.raises(Refused, match="judged"):
        store.publish(Delivery(_model(), "another digest"), "r1")
    assert _tree(store.root) == {}


def test_standing_files_are_never_touched_unless_asked(store: Store) -> None:
    path = next(iter(FILES))
    (store.root / path).parent.mkdir(parents=True)
    (store.root / path).write_text("by hand")
    with pytest.raises(Refused, match="other content"):
        store.publish(_delivery(_model()), "r1")
    assert _tree(store.root) == {path: "by hand"}
    store.publish(_delivery(_model()), "r1", overwrite=True)
    assert _tree(store.root) == FILES


@pytest.mark.parametrize("path", ["../out.sql", "sql/../../out.sql", ".git/hooks/x", f"{HOME}/journal.sqlite"])
def test_no_path_leaves_the_repository(store: Store, path: str) -> None:
    with pytest.raises(Refused, match="leaves the repository"):
        store.publish(_delivery(_model({path: "x"})), "r1")


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "repo", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "sql").symlink_to(outside)
    with pytest.raises(Refused, match="leaves the repository"):
        Store(root).publish(_delivery(_model({"sql/query.sql": "x"})), "r1")
    assert list(outside.iterdir()) == []


def test_a_file_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("keep")
    root = tmp_path / "repo"
    (root / "sql").mkdir(parents=True)
    (root / "sql" / "query.sql").symlink_to(secret)
    with pytest.raises(Refused, match="link"):
        Store(root).publish(_delivery(_model({"sql/query.sql": "x"})), "r1", overwrite=True)
    assert secret.read_text() == "keep"


def test_a_crash_between_staging_and_moving_is_finished_by_recover(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = 0
    real = os.replace

    class Killed(BaseException):
        pass

    def dies(source: str | Path, target: str | Path) -> None:
        nonlocal moves
        if "staged" in str(source) and HOME not in str(target):
            moves += 1
            if moves == 2:
                raise Killed
        real(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Killed):
        store.publish(_delivery(_model()), "r1")
    monkeypatch.undo()
    assert len(_tree(store.root)) == 1
    assert Store(store.root).recover() == ("r1",)
    assert _tree(store.root) == FILES
    assert Store(store.root).recover() == ()


def test_a_place_that_cannot_be_written_leaves_nothing(store: Store) -> None:
    (store.root / "tests").write_text("a file where a folder is needed")
    with pytest.raises((StoreError, Refused)):
        store.publish(_delivery(_model()), "r1")
    assert _tree(store.root) == {"tests": "a file where a folder is needed"}


def test_a_second_run_on_the_table_is_refused(store: Store) -> None:
    with store.lock(TABLE, "r1"):
        with pytest.raises(Locked, match=r"run r1 \(process \d+\) is building"), Store(store.root).lock(TABLE, "r2"):
            raise AssertionError("both hold it")
        with Store(store.root).lock(TableRef("acme-data", "shop_derived", "other_v1"), "r3"):
            pass
    with store.lock(TABLE, "r4"):
        pass


def test_git_does_not_see_the_tools_folder(store: Store) -> None:
    store.append("r1", "begun", {})
    assert (store.home / ".gitignore").read_text() == "*\n"


class _Killed(BaseException):
    """The death of the process."""


def _killed_while_moving(store: Store, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], moves: int) -> None:
    """Publish `files` and die before the move number `moves`."""
    done = 0
    real = os.replace

    def dies(source: str | Path, target: str | Path) -> None:
        nonlocal done
        if "staged" in str(source) and HOME not in str(target):
            done += 1
            if done == moves:
                raise _Killed
        real(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(_Killed):
        store.publish(_delivery(_model(files)), "r1", overwrite=True)
    monkeypatch.undo()


def test_a_folder_where_a_file_is_to_be_is_left_alone(store: Store) -> None:
    path = store.root / next(iter(FILES))
    path.mkdir(parents=True)
    (path / "precious.txt").write_text("keep")
    with pytest.raises(StoreError, match="nothing was published"):
        store.publish(_delivery(_model()), "r1", overwrite=True)
    assert _tree(store.root) == {f"{next(iter(FILES))}/precious.txt": "keep"}


def test_what_a_person_wrote_after_a_crash_is_not_replaced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_while_moving(store, monkeypatch, FILES, 1)
    path = next(iter(FILES))
    (store.root / path).parent.mkdir(parents=True)
    (store.root / path).write_text("by hand")
    with pytest.raises(StoreError, match="changed by somebody else"):
        Store(store.root).recover()
    assert _tree(store.root) == {path: "by hand"}
    assert Store(store.root).recover() == ()  # the rest of the repository goes on
    assert store.published("r1") is None


def test_copies_that_are_gone_are_not_called_published(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_while_moving(store, monkeypatch, FILES, 1)
    shutil.rmtree(store.home / "runs")
    with pytest.raises(StoreError, match="is gone"):
        Store(store.root).recover()
    assert store.published("r1") is None
    assert _tree(store.root) == {}


def test_a_recovery_that_fails_puts_back_what_the_dead_process_moved(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"sql/a.sql": "old a", "sql/b.sql": "old b", "sql/c.sql": "old c"}
    for path, text in before.items():
        (store.root / path).parent.mkdir(parents=True, exist_ok=True)
        (store.root / path).write_text(text)
    _killed_while_moving(store, monkeypatch, {path: f"new {path}" for path in before}, 3)
    assert sorted(_tree(store.root).values()) == ["new sql/a.sql", "new sql/b.sql", "old c"]
    (store.root / "sql/c.sql").write_text("by hand")
    with pytest.raises(StoreError):
        Store(store.root).recover()
    assert _tree(store.root) == {**before, "sql/c.sql": "by hand"}


def test_what_a_killed_staging_left_is_not_published(store: Store) -> None:
    left = (
        store.home / "runs" / "r1" / "staged" / "sql" / "acme-data" / "shop_derived" / "orders_v1" / ".query.sql.4711"
    )
    left.parent.mkdir(parents=True)
    left.write_text("half")
    store.publish(_delivery(_model()), "r1")
    assert _tree(store.root) == FILES


def test_a_place_that_leads_out_after_a_crash_does_not_stop_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _killed_while_moving(store, monkeypatch, FILES, 1)
    outside = tmp_path_factory.mktemp("outside")
    (store.root / "sql").symlink_to(outside)
    with pytest.raises(StoreError):
        Store(store.root).recover()
    assert Store(store.root).recover() == ()
    assert list(outside.iterdir()) == []


def test_a_tools_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "repo", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / HOME).symlink_to(outside)
    with pytest.raises(Refused, match="leads out"):
        Store(root).append("r1", "begun", {})
    assert list(outside.iterdir()) == []


def test_a_table_with_a_very_long_name_can_be_locked(store: Store) -> None:
    with store.lock(TableRef("acme-data", "d" * 150, "t" * 200), "r1"):
        pass
