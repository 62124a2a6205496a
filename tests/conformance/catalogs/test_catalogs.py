"""The same questions to every catalog, over the same small repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from etl_orchestrator.catalogs import CATALOGS
from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.errors import Unavailable
from etl_orchestrator.layout import schema_yaml
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import BaseField, Catalog, Dag, TableFacts

KNOWN, UNKNOWN, ABSENT = (TableRef("acme-data", "shop", name) for name in ("known_v1", "unknown_v1", "absent_v1"))
SCHEMA = (
    Field("day", "DATE", "NULLABLE", "The day."),
    Field("items", "RECORD", "REPEATED", None, (Field("n", "INTEGER"),)),
)
FILES = {
    "sql/acme-data/shop/known_v1/query.sql": "SELECT 1",
    "sql/acme-data/shop/known_v1/schema.yaml": schema_yaml.write(SCHEMA),
    "sql/acme-data/shop/unknown_v1/view.sql": "SELECT 2",
    "dags.yaml": "bqetl_shop: {schedule_interval: daily, tags: [impact/tier_2]}",
    "bigquery_etl/schema/global.yaml": "fields: [{name: day, type: DATE, description: Any day.}]",
    "bigquery_etl/schema/shop.yaml": "fields: [{name: id, type: STRING, description: Any id.}]",
    "bqetl_project.yaml": "default: {project: acme-data}",
}


def checkout(folder: Path) -> Catalog:
    for path, text in FILES.items():
        file = folder / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Checkout(folder / "root", folder / "cache")


def memory(folder: Path) -> Catalog:
    return Memory(
        schemas={KNOWN: SCHEMA},
        facts=[TableFacts(UNKNOWN, "view.sql"), TableFacts(KNOWN, "query.sql")],
        known_dags=[Dag("bqetl_shop", "daily", tier="tier_2", tags=("impact/tier_2",))],
        base={
            "": [BaseField("day", "Any day.", (), "DATE", "bigquery_etl/schema/global.yaml")],
            "shop": [BaseField("id", "Any id.", (), "STRING", "bigquery_etl/schema/shop.yaml")],
        },
        descriptions={"day": ("The day.", 1)},
        files=FILES,
    )


MAKERS: dict[type, Callable[[Path], Catalog]] = {Checkout: checkout, Memory: memory}


@pytest.fixture(params=CATALOGS, ids=lambda kind: kind.__name__)
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Catalog:
    return MAKERS[request.param](tmp_path)


def test_a_schema_is_known_unknown_or_of_no_table(catalog: Catalog) -> None:
    known = catalog.schema(KNOWN)
    assert known is not None
    assert known.schema == SCHEMA
    assert known.origin
    assert catalog.schema(ABSENT) is None
    with pytest.raises(Unavailable, match="unknown_v1"):
        catalog.schema(UNKNOWN)


def test_tables_are_sorted_by_name(catalog: Catalog) -> None:
    assert list(catalog.tables()) == [TableFacts(KNOWN, "query.sql"), TableFacts(UNKNOWN, "view.sql")]


def test_dags_have_their_tier(catalog: Catalog) -> None:
    assert list(catalog.dags()) == [Dag("bqetl_shop", "daily", tier="tier_2", tags=("impact/tier_2",))]


def test_the_base_fields_of_the_dataset_come_first(catalog: Catalog) -> None:
    assert [field.name for field in catalog.base_fields("shop")] == ["id", "day"]
    assert [field.name for field in catalog.base_fields("other")] == ["day"]


def test_a_description_comes_with_its_count(catalog: Catalog) -> None:
    assert catalog.description("day") == ("The day.", 1)
    assert catalog.description("nothing") is None


def test_files_are_read_and_listed(catalog: Catalog) -> None:
    assert catalog.text("dags.yaml") == FILES["dags.yaml"]
    assert catalog.text("nothing.yaml") is None
    for folder in ("sql/acme-data/shop/known_v1", "sql/acme-data/shop/known_v1/"):
        assert list(catalog.paths(folder)) == [
            "sql/acme-data/shop/known_v1/query.sql",
            "sql/acme-data/shop/known_v1/schema.yaml",
        ]
    assert list(catalog.paths("sql/acme-data/shop/known")) == []
