from __future__ import annotations

import pytest

from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.finding import NotDue
from etl_orchestrator.layout import own_files, paths
from etl_orchestrator.layout.metadata_yaml import Metadata
from etl_orchestrator.model import Artifact, Model
from etl_orchestrator.table import Field, TableRef

TABLE = TableRef("acme-data", "shop_derived", "daily_v1")
ORDERS = TableRef("acme-data", "shop_derived", "orders_v1")
BASE = "bigquery_etl/schema/global.yaml"
BORROWS = "fields:\n- name: day\n  type: DATE\n  description: !include-field-description\n    {}\n    field: day\n"


def model(schema: str = "", metadata: str = "", bigconfig: str = "") -> Model:
    texts = {
        paths.schema_yaml(TABLE): schema,
        paths.metadata_yaml(TABLE): metadata,
        paths.bigconfig_yml(TABLE): bigconfig,
    }
    return Model(TABLE, artifacts=tuple(Artifact(path, text, "metadata") for path, text in texts.items() if text))


def test_absent_files_are_none_or_not_due() -> None:
    nothing = Model(TABLE)
    assert own_files.metadata(nothing) is None
    assert own_files.schema(nothing, Memory()) is None
    assert own_files.bigconfig(nothing) is None
    assert own_files.readable_metadata(nothing) == NotDue("there is no metadata.yaml")
    assert own_files.readable_schema(nothing, Memory()) == NotDue("there is no schema.yaml")
    assert own_files.readable_bigconfig(nothing) == NotDue("there is no bigconfig.yml")


def test_what_cannot_be_read_is_not_due_to_the_gates_that_read_it() -> None:
    broken = model("fields: [", "owners: me", "type: other")
    assert own_files.readable_metadata(broken) == NotDue("metadata.yaml cannot be read")
    assert own_files.readable_schema(broken, Memory()) == NotDue("schema.yaml cannot be read")
    assert own_files.readable_bigconfig(broken) == NotDue("bigconfig.yml cannot be read")


def test_files_that_can_be_read() -> None:
    good = model("fields:\n- name: day\n  type: DATE\n", "owners: [a@acme.example]\n", "type: BIGCONFIG_FILE\n")
    assert own_files.readable_schema(good, Memory()) == (Field("day", "DATE"),)
    assert own_files.readable_metadata(good) == Metadata(owners=("a@acme.example",))
    assert not isinstance(own_files.readable_bigconfig(good), NotDue)


def test_descriptions_are_borrowed_from_files_and_tables() -> None:
    files = {BASE: "fields:\n- name: day\n  description: From the base.\n"}
    from_file = own_files.schema(model(BORROWS.format(f"file: {BASE}")), Memory(files=files))
    assert from_file == (Field("day", "DATE", description="From the base."),)
    known = {ORDERS: (Field("day", "DATE", description="Of the orders."),)}
    from_table = own_files.schema(model(BORROWS.format(f"table: {ORDERS}")), Memory(known))
    assert from_table == (Field("day", "DATE", description="Of the orders."),)


def test_a_base_schema_that_changed_is_read_anew() -> None:
    wanted = model(BORROWS.format(f"file: {BASE}"))
    for words in ("Old.", "New."):
        files = {BASE: f"fields:\n- name: day\n  description: {words}\n"}
        assert own_files.schema(wanted, Memory(files=files)) == (Field("day", "DATE", description=words),)


def test_nothing_to_borrow_from() -> None:
    with pytest.raises(InvalidInput, match="to include from"):
        own_files.schema(model(BORROWS.format("file: gone.yaml")), Memory())
    with pytest.raises(Unavailable, match="no schema is known"):
        own_files.schema(model(BORROWS.format(f"table: {ORDERS}")), Memory())


def test_a_file_that_includes_itself_is_refused() -> None:
    files = {BASE: BORROWS.format(f"file: {BASE}")}
    with pytest.raises(InvalidInput, match="includes itself"):
        own_files.schema(model(BORROWS.format(f"file: {BASE}")), Memory(files=files))


def test_the_line_of_a_key() -> None:
    text = "a:\n  b: 1\n- name: c\n- d: 2\n"
    assert [own_files.line_of(text, key) for key in ("a", "b", "c", "d", "e")] == [1, 2, 3, 4, 0]
