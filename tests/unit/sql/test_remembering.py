from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.catalogs.pipeline_schemas import PipelineSchemas
from etl_orchestrator.engines.scripted import Scripted
from etl_orchestrator.errors import OrchestratorError, TimedOut
from etl_orchestrator.sql.remembering import Remembering, digest_of
from etl_orchestrator.sql.resolution import Resolved
from etl_orchestrator.sql.watched import Watched
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Analysis, KnownSchema, Settings

RIDES = TableRef("acme-data", "shop", "rides")
SETTINGS = Settings("acme-data", extra={"render": {"skip": ["a"]}, "format": {"skip": ["b"]}})
FILE = "sql/acme-data/shop/rides/schema.yaml"


class Answers(dict[str, str]):
    """Plays Answers."""

    def recall(self, key: str) -> str | None:
        return self.get(key)

    def keep(self, key: str, text: str) -> None:
        self[key] = text


def test_an_answer_holds_as_long_as_what_was_asked_for_it_is_answered_so() -> None:
    files = {"a.sql": "one"}
    watched, answers = Watched(Memory(files=files)), Answers()
    memory = Remembering(watched, answers, SETTINGS)
    made: list[str] = []

    def make() -> list[str | None]:
        made.append("")
        return [watched.text("a.sql"), watched.text("b.sql")]

    for _ in range(2):
        assert memory.remembered("key", make, lambda: True) == ["one", None]
    assert len(made) == 1
    assert memory.kept("other") is None
    files["b.sql"] = "two"
    assert memory.kept("key") is None
    assert memory.remembered("key", make, lambda: False) == ["one", "two"]
    assert memory.kept("key") is None  # not whole, so not kept
    assert Remembering(watched, None, SETTINGS).remembered("key", make, lambda: True) == ["one", "two"]


def test_an_answer_holds_under_the_settings_that_decide_what_names_stand_for() -> None:
    watched, answers = Watched(Memory()), Answers()
    Remembering(watched, answers, SETTINGS).remembered("key", lambda: 1, lambda: True)
    formatted = replace(SETTINGS, extra={**SETTINGS.extra, "format": {}})
    assert Remembering(watched, answers, formatted).kept("key") == 1
    for other in (replace(SETTINGS, project="acme-other"), replace(SETTINGS, extra={"format": {"skip": ["b"]}})):
        assert Remembering(watched, answers, other).kept("key") is None


def test_texts_are_told_apart() -> None:
    assert len({digest_of("a", "b"), digest_of("ab"), digest_of("a"), digest_of("", "ab")}) == 4


class Reading(Checkout):
    """Counts how often a schema is read from files."""

    read = 0

    def schema(self, table: TableRef) -> KnownSchema | None:
        self.read += 1
        return super().schema(table)


def asked(
    root: Path, answers: Answers, table: TableRef = RIDES, pipeline: PipelineSchemas | None = None
) -> tuple[KnownSchema | None, int]:
    """What a new process says of a table, and how often it read files for it."""
    settings = Settings("acme-data")
    checkout = Reading(root, cache_dir=root, pipeline=pipeline, settings=settings)
    return Resolved(checkout, Scripted(), settings, answers).schema(table), checkout.read


def test_what_a_schema_file_says_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    told = "fields: [{name: a, type: RECORD, description: of a, fields: [{name: b, type: INT64, mode: REPEATED}]}]"
    file.write_text(told)
    answers = Answers()
    first, read = asked(tmp_path, answers)
    assert first is not None
    assert read == 1
    assert first.schema == (Field("a", "RECORD", "NULLABLE", "of a", (Field("b", "INTEGER", "REPEATED"),)),)
    assert (first.origin, first.files) == (FILE, (FILE,))
    assert asked(tmp_path, answers) == (first, 0)
    file.write_text(told.replace("INT64", "STRING"))
    second, read = asked(tmp_path, answers)
    assert second is not None
    assert read == 1
    assert second.schema[0].fields == (Field("b", "STRING", "REPEATED"),)


def test_a_schema_file_comes_before_what_a_product_of_google_lists(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    table, answers = TableRef("acme-data", "analytics_1", "events_20250101"), Answers()
    first, read = asked(tmp_path, answers, table)
    assert first is not None
    assert read == 1
    assert asked(tmp_path, answers, table) == (first, 0)
    folder = tmp_path / "sql/acme-data/analytics_1/events_20250101"
    folder.mkdir(parents=True)
    (folder / "schema.yaml").write_text("fields: [{name: a, type: DATE}]")
    second, _ = asked(tmp_path, answers, table)
    assert second is not None
    assert second.schema == (Field("a", "DATE"),)


@pytest.mark.parametrize("asked_for", ["events_20250101", "events_*"])
def test_a_folder_that_appears_comes_before_what_a_product_of_google_lists(tmp_path: Path, asked_for: str) -> None:
    (tmp_path / "sql").mkdir()
    table, answers = TableRef("acme-data", "analytics_1", asked_for), Answers()
    first, _ = asked(tmp_path, answers, table)
    assert first is not None
    folder = tmp_path / "sql/acme-data/analytics_1/events_20250101"
    folder.mkdir(parents=True)
    (folder / "query.sql").write_text("SELECT 1 AS a")
    told = [_told(tmp_path, kept, table) for kept in (answers, Answers())]
    assert told[0] == told[1] != first


def _told(
    root: Path, answers: Answers, table: TableRef, pipeline: PipelineSchemas | None = None
) -> KnownSchema | str | None:
    try:
        return asked(root, answers, table, pipeline)[0]
    except OrchestratorError as error:
        return error.message


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_file_of_just_null_is_not_the_same_as_none() -> None:
    files: dict[str, str] = {}
    watched, answers = Watched(Memory(files=files)), Answers()
    memory = Remembering(watched, answers, SETTINGS)
    assert memory.remembered("key", lambda: [watched.text("a.yaml")], lambda: True) == [None]
    assert memory.kept("key") == [None]
    files["a.yaml"] = "null"
    assert memory.kept("key") is None


def test_a_schema_file_that_appears_comes_before_the_stable_table_that_others_include_from(tmp_path: Path) -> None:
    put(tmp_path / "pipeline/schemas/till/sale/sale.1.bq", '[{"name": "a", "type": "STRING"}]')
    put(tmp_path / FILE, "fields: !include-fields {table: acme-data.till_stable.sale_v1}")
    answers, pipeline = Answers(), PipelineSchemas(tmp_path / "pipeline", "acme-data")
    first = _told(tmp_path, answers, RIDES, pipeline)
    put(tmp_path / "sql/acme-data/till_stable/sale_v1/schema.yaml", "fields: [{name: b, type: DATE}]")
    told = [_told(tmp_path, kept, RIDES, pipeline) for kept in (answers, Answers())]
    assert told[0] == told[1] != first


def test_whether_a_later_version_is_deployed_may_change_alone(tmp_path: Path) -> None:
    schema = tmp_path / "pipeline/schemas/till/sale/sale.2.schema.json"
    put(schema, '{"bq_table": "sale_v2"}')
    put(schema.with_name("sale.2.bq"), '[{"name": "a", "type": "STRING"}]')
    table, answers = TableRef("acme-data", "till_stable", "sale_v2"), Answers()
    first, _ = asked(tmp_path, answers, table, PipelineSchemas(tmp_path / "pipeline", "acme-data"))
    assert first is not None
    put(schema, '{"bq_table": "sale_v1"}')
    assert asked(tmp_path, answers, table, PipelineSchemas(tmp_path / "pipeline", "acme-data"))[0] is None


def test_what_a_slow_machine_could_not_answer_is_asked_again() -> None:
    slow = True

    def analyze(sql: str) -> Analysis:
        if slow:
            raise TimedOut("the SQL engine did not end within 30 s")
        return Analysis(columns=(Field("a", "DATE"),))

    catalog = Resolved(Memory(), Scripted(analyze), SETTINGS, Answers())

    def told() -> str:
        try:
            return catalog.analyze("SELECT a", RIDES).columns[0].type
        except OrchestratorError as error:
            return error.message

    assert catalog.remembered("key", told) == "the SQL engine did not end within 30 s"
    slow = False
    assert catalog.remembered("key", told) == "DATE"
    slow = True
    assert catalog.remembered("key", told) == "DATE"
