from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.pipeline_schemas import PipelineSchemas
from etl_orchestrator.catalogs.schema_history import Order, grow, has_history
from etl_orchestrator.table import Field, Schema, TableRef

FILE = "schemas/shop-app/sale/sale.1.bq"
TABLE = TableRef("acme-data", "shop_app_stable", "sale_v1")


def listed(**fields: object) -> list[object]:
    """{"a": None, "r": {"x": None}} as entries of a schema file, by name as the pipeline lists them."""
    return [
        {"name": name, "type": "RECORD", "fields": listed(**inner)}
        if isinstance(inner, dict)
        else {"name": name, "type": "STRING"}
        for name, inner in sorted(fields.items())
    ]


class Clone:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", ".")

    def git(self, *command: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(("git", *who, *command), cwd=self.root, check=True, capture_output=True)

    def commit(self, content: object) -> None:
        file = self.root / FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        self.git("add", ".")
        self.git("commit", "-q", "-m", "schemas")

    def names(self, cache: Path, said: list[str] | None = None) -> object:
        pipeline = PipelineSchemas(self.root, TABLE.project, cache, None if said is None else said.append)
        known = pipeline.schema(TABLE)
        assert known is not None
        return names(known.schema)


def names(schema: Schema) -> object:
    return [(field.name, names(field.fields)) if field.fields else field.name for field in schema]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    root = tmp_path / "clone"
    root.mkdir()
    return Clone(root)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_field_that_was_added_comes_last_in_its_table_and_in_its_record(clone: Clone, cache: Path) -> None:
    clone.commit(listed(id=None, note=None, extra={"type": None}))
    clone.commit(listed(id=None, note=None, extra={"type": None, "at": None}))
    clone.commit(listed(id=None, note=None, extra={"type": None, "at": None}, day=None, app=None))
    assert clone.names(cache) == [("extra", ["type", "at"]), "id", "note", "app", "day"]


def test_a_field_that_went_and_came_back_never_left_the_table(clone: Clone, cache: Path) -> None:
    clone.commit(listed(a=None, b=None))
    clone.commit(listed(b=None))
    clone.commit(listed(aa=None, b=None))
    clone.commit(listed(a=None, aa=None, b=None))
    assert clone.names(cache) == ["a", "b", "aa"]


def test_a_field_that_went_is_no_column(clone: Clone, cache: Path) -> None:
    clone.commit(listed(a=None, b=None))
    clone.commit(listed(b=None, c=None))
    assert clone.names(cache) == ["b", "c"]


def test_versions_that_are_no_schema_are_passed_over(clone: Clone, cache: Path) -> None:
    for content in ({"fields": listed(z=None, a=None)}, "[", json.dumps([1, {"name": 2}, "x"])):
        clone.commit(content)
    clone.commit(listed(z=None))
    clone.commit(listed(z=None, a=None))
    assert clone.names(cache) == ["z", "a"]


def test_a_version_that_is_no_list_does_not_hide_the_next_one_with_its_names(clone: Clone, cache: Path) -> None:
    clone.commit({"fields": listed(m=None, n=None)})
    clone.commit(listed(m=None, n=None))
    clone.commit(listed(n=None))
    clone.commit(listed(m=None, n=None))
    assert clone.names(cache) == ["m", "n"]


def test_a_field_that_moved_out_of_a_record_is_new_where_it_is(clone: Clone, cache: Path) -> None:
    clone.commit(listed(r={"p": None, "q": None}))
    clone.commit(listed(q=None, r={"p": None}))  # p q r in both
    clone.commit(listed(q=None, r={"p": None}, a=None))
    assert clone.names(cache) == [("r", ["p"]), "q", "a"]


def test_what_is_not_yet_committed_comes_last(clone: Clone, cache: Path) -> None:
    clone.commit(listed(b=None))
    (clone.root / FILE).write_text(json.dumps(listed(a=None, b=None)))
    assert clone.names(cache) == ["b", "a"]


def test_a_file_that_changed_goes_on_from_the_order_that_is_kept(clone: Clone, cache: Path) -> None:
    clone.commit(listed(c=None))
    assert clone.names(cache) == ["c"]
    clone.commit(listed(b=None, c=None))
    assert clone.names(cache) == ["c", "b"]
    clone.git("checkout", "-q", "--orphan", "other")  # a history that knows nothing of the versions kept
    clone.commit(listed(a=None, b=None, c=None))
    assert clone.names(cache) == ["a", "b", "c"]


def test_an_order_that_is_kept_needs_no_git(clone: Clone, cache: Path) -> None:
    clone.commit(listed(b=None))
    clone.commit(listed(a=None, b=None))
    assert clone.names(cache) == ["b", "a"]
    shutil.rmtree(clone.root / ".git" / "objects")
    assert clone.names(cache) == ["b", "a"]


def test_without_history_the_file_is_believed(clone: Clone, cache: Path, tmp_path: Path) -> None:
    clone.commit(listed(b=None))
    clone.commit(listed(a=None, b=None))
    broken = tmp_path / "broken"
    shutil.copytree(clone.root, broken)
    shutil.rmtree(broken / ".git" / "objects")
    archive = tmp_path / "archive"
    shutil.copytree(clone.root, archive, ignore=shutil.ignore_patterns(".git"))
    shallow = tmp_path / "shallow"
    clone.git("clone", "-q", "--depth", "1", clone.root.as_uri(), str(shallow))
    assert [has_history(root) for root in (clone.root / "schemas", broken, archive, shallow)] == [
        True,
        True,
        False,
        False,
    ]
    for root in (broken, archive, shallow):
        known = PipelineSchemas(root, TABLE.project, cache).schema(TABLE)
        assert known is not None
        assert names(known.schema) == ["a", "b"]


def test_the_clone_named_by_the_environment_tells_the_order_of_the_tables_that_the_pipeline_fills(
    clone: Clone, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.commit(listed(b=None))
    clone.commit(listed(a=None, b=None))
    monkeypatch.setenv("ETLO_PIPELINE_SCHEMAS", str(clone.root))
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "bqetl_project.yaml").write_text(f"default:\n  project: {TABLE.project}\n")
    for table in (TABLE, TableRef(TABLE.project, "shop_app_live", TABLE.name)):
        known = Checkout(repository, cache).schema(table)
        assert known is not None
        assert names(known.schema) == ["b", "a"]


def test_a_hook_of_another_repository_changes_nothing(
    clone: Clone, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.commit(listed(b=None))
    clone.commit(listed(a=None, b=None))
    (tmp_path / "other").mkdir()
    Clone(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert clone.names(cache) == ["b", "a"]


def test_a_clone_runs_no_program_that_it_names(clone: Clone, cache: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho '[GNUPG:] SIG_CREATED ' >&2\necho signed\n")
    program.chmod(0o755)
    clone.git("config", "gpg.program", str(program))
    clone.commit(listed(b=None))
    clone.commit(listed(a=None, b=None))
    clone.git("commit", "-q", "--amend", "-S", "-m", "signed")
    (tmp_path / "ran").unlink()  # it made the signature
    for setting in ("core.pager", "pager.log", "core.fsmonitor", "diff.external"):
        clone.git("config", setting, str(program))
    clone.git("config", "log.showSignature", "true")
    assert clone.names(cache) == ["b", "a"]
    assert not (tmp_path / "ran").exists()


def test_many_versions_are_announced(clone: Clone, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl_orchestrator.catalogs.schema_history._MANY", 1)
    monkeypatch.setattr("etl_orchestrator.catalogs.schema_history._AT_ONCE", 2)
    for number in range(5):
        clone.commit(listed(**{f"c{9 - one}": None for one in range(number + 1)}))
    said: list[str] = []
    assert clone.names(cache, said) == ["c9", "c8", "c7", "c6", "c5"]
    assert said == [f"reading 5 versions of {FILE} for the order of its fields, this once"]
    assert clone.names(cache, said)
    assert len(said) == 1


def test_only_entries_with_a_name_grow_a_table() -> None:
    order: Order = {}
    grow(order, [{"name": "b", "fields": [{"name": "x"}]}, {"name": 3}, "a", {}, {"name": "b", "fields": {}}])
    assert order == {"b": {"x": {}}}


def test_a_schema_in_order_keeps_types_and_descriptions(clone: Clone, cache: Path) -> None:
    clone.commit([{"name": "b", "type": "INT64", "mode": "REQUIRED", "description": "B."}])
    clone.commit(
        [{"name": "a", "type": "DATE"}, {"name": "b", "type": "INT64", "mode": "REQUIRED", "description": "B."}]
    )
    known = PipelineSchemas(clone.root, TABLE.project, cache).schema(TABLE)
    assert known is not None
    assert known.schema == (Field("b", "INTEGER", "REQUIRED", "B."), Field("a", "DATE"))
