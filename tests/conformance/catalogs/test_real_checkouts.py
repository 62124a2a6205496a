"""The real repositories, when their checkouts are at hand (ETLO_BIGQUERY_ETL, ETLO_PIPELINE_SCHEMAS)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.pipeline_schemas import PipelineSchemas
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.layout import metadata_yaml, paths, schema_yaml

PROJECT = "moz-fx-data-shared-prod"


def folder(variable: str) -> Path:
    chosen = os.environ.get(variable)
    if not chosen:
        pytest.skip(f"{variable} names no checkout")
    return Path(chosen)


@pytest.fixture
def catalog(tmp_path: Path) -> Checkout:
    root = folder("ETLO_BIGQUERY_ETL")
    return Checkout(root, tmp_path, PipelineSchemas(folder("ETLO_PIPELINE_SCHEMAS"), PROJECT))


def test_every_schema_can_be_read_but_those_with_a_field_twice(catalog: Checkout) -> None:
    read, refused = 0, []
    for fact in catalog.tables():
        try:
            known = catalog.schema(fact.table)
        except Unavailable:
            continue
        except InvalidInput as error:
            refused.append(error.message)
            continue
        assert known is not None
        assert schema_yaml.read(schema_yaml.write(known.schema), known.origin) == known.schema
        read += 1
    assert read > 1_000
    assert all("is there twice" in message for message in refused)
    assert len(refused) <= 5


def test_every_metadata_file_can_be_read_and_written(catalog: Checkout) -> None:
    found = [path for path in catalog.paths("sql") if path.endswith(f"/{paths.METADATA_YAML}") and path.count("/") == 4]
    assert len(found) > 2_000
    for path in found:
        metadata = metadata_yaml.read(catalog.text(path) or "", path)
        assert metadata_yaml.read(metadata_yaml.write(metadata), path) == metadata


def test_no_file_of_the_index_has_a_problem(catalog: Checkout) -> None:
    assert catalog.problems() == ()
    assert len(catalog.dags()) > 150
    assert all(dag.tier for dag in catalog.dags())


def test_the_second_run_gives_the_same_answers(catalog: Checkout, tmp_path: Path) -> None:
    again = Checkout(catalog.root, tmp_path)
    assert catalog.tables() == again.tables()
    assert catalog.description("submission_date") == again.description("submission_date")


def test_every_stable_table_has_columns() -> None:
    pipeline = PipelineSchemas(folder("ETLO_PIPELINE_SCHEMAS"), PROJECT)
    tables = pipeline.tables()
    assert len(tables) > 1_000
    for table in tables[::10]:
        known = pipeline.schema(table)
        assert known is not None
        assert "submission_timestamp" in [field.name for field in known.schema]
