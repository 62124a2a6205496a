from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl_orchestrator.catalogs.pipeline_schemas import PipelineSchemas, is_ingested
from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.table import Field, TableRef

COLUMNS = [
    {"name": "document_id", "type": "STRING", "mode": "NULLABLE", "description": "The id."},
    {
        "name": "events",
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": [{"name": "n", "type": "INT64", "mode": "NULLABLE"}],
    },
]


def put(root: Path, path: str, content: object) -> None:
    file = root / "schemas" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineSchemas:
    put(tmp_path, "shop-app/first-visit/first-visit.1.bq", COLUMNS)
    put(tmp_path, "shop-app/first-visit/first-visit.2.bq", COLUMNS)
    put(
        tmp_path,
        "shop-app/first-visit/first-visit.2.schema.json",
        {"mozPipelineMetadata": {"bq_table": "first_visit_v1"}},
    )
    put(tmp_path, "shop-app/sale/sale.3.bq", COLUMNS)
    put(tmp_path, "shop-app/sale/sale.3.schema.json", {"mozPipelineMetadata": {"bq_table": "sale_v3"}})
    put(tmp_path, "shop-app/broken/broken.1.bq", "[")
    put(tmp_path, "shop-app/odd/odd.1.bq", {"fields": []})
    return PipelineSchemas(tmp_path, "acme-data")


def ref(dataset: str, name: str, project: str = "acme-data") -> TableRef:
    return TableRef(project, dataset, name)


def test_a_stable_table_and_its_live_twin_have_the_columns_of_the_pipeline(pipeline: PipelineSchemas) -> None:
    for dataset in ("shop_app_stable", "shop_app_live"):
        known = pipeline.schema(ref(dataset, "first_visit_v1"))
        assert known is not None
        assert known.origin == "schemas/shop-app/first-visit/first-visit.1.bq"
        assert known.schema == (
            Field("document_id", "STRING", "NULLABLE", "The id."),
            Field("events", "RECORD", "REPEATED", None, (Field("n", "INTEGER"),)),
        )


@pytest.mark.parametrize(
    "table",
    [
        ref("shop_app_stable", "first_visit_v3"),
        ref("shop_app_stable", "nothing_v1"),
        ref("other_stable", "first_visit_v1"),
        ref("shop_app_stable", "first_visit"),
        ref("shop_app_derived", "first_visit_v1"),
        ref("shop_app_stable", "first_visit_v1", "other-project"),
        ref("shop_app_stable", "first_visit_v2"),
    ],
    ids=str,
)
def test_there_is_no_other_table(pipeline: PipelineSchemas, table: TableRef) -> None:
    """The last one is a draft that is loaded into the table of the first version."""
    assert pipeline.schema(table) is None
    assert pipeline.entries(table) is None


def test_tables_are_listed_without_drafts(pipeline: PipelineSchemas) -> None:
    assert [table.name for table in pipeline.tables()] == ["broken_v1", "first_visit_v1", "odd_v1", "sale_v3"]


@pytest.mark.parametrize(("name", "message"), [("broken_v1", "not JSON"), ("odd_v1", "not a list of columns")])
def test_a_file_that_is_no_schema_is_named(pipeline: PipelineSchemas, name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        pipeline.schema(ref("shop_app_stable", name))
    assert (caught.value.at or "").endswith(".1.bq")


def test_the_folder_of_schemas_itself_may_be_given(tmp_path: Path) -> None:
    put(tmp_path, "shop-app/sale/sale.1.bq", COLUMNS)
    known = PipelineSchemas(tmp_path / "schemas", "acme-data").schema(ref("shop_app_stable", "sale_v1"))
    assert known is not None
    assert known.origin == "shop-app/sale/sale.1.bq"


def test_a_dataset_says_by_its_name_that_it_is_ingested() -> None:
    assert [is_ingested(ref(dataset, "t")) for dataset in ("a_stable", "a_live", "a_derived", "stable")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_file_is_read_again_when_it_changed(pipeline: PipelineSchemas, tmp_path: Path) -> None:
    table = ref("shop_app_stable", "first_visit_v1")
    before = pipeline.schema(table)
    assert pipeline.schema(table) is before
    put(tmp_path, "shop-app/first-visit/first-visit.1.bq", [{"name": "only", "type": "DATE"}])
    after = pipeline.schema(table)
    assert after is not None
    assert [field.name for field in after.schema] == ["only"]


def test_of_many_tables_the_last_ones_are_kept(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path, f"shop-app/kind/kind.{number}.bq", COLUMNS)
        put(
            tmp_path,
            f"shop-app/kind/kind.{number}.schema.json",
            {"mozPipelineMetadata": {"bq_table": f"kind_v{number}"}},
        )
    schemas = PipelineSchemas(tmp_path, "acme-data")
    first = [schemas.schema(ref("shop_app_stable", f"kind_v{number}")) for number in range(20)]
    again = [schemas.schema(ref("shop_app_stable", f"kind_v{number}")) for number in reversed(range(20))]
    assert [one is other for one, other in zip(reversed(first), again, strict=True)] == [True] * 16 + [False] * 4
