from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.pipeline_schemas import PipelineSchemas
from etl_orchestrator.errors import InvalidInput, Unavailable
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import BaseField, TableFacts

PROJECT = "acme-data"
FILES = {
    "bqetl_project.yaml": f"default: {{project: {PROJECT}}}\nschema: {{base_schemas_dir: bigquery_etl/schema}}\n",
    "dags.yaml": "bqetl_shop: {schedule_interval: daily, default_args: {owner: a@example.com}, tags: [impact/tier_1]}\n",
    "bigquery_etl/schema/global.yaml": "fields: [{name: day, type: DATE, description: The day. , aliases: [date]}]\n",
    "bigquery_etl/schema/shop.yaml": "fields: [{name: id, description: The id in the shop.}]\n",
    f"sql/{PROJECT}/shop/orders_v1/query.sql": "SELECT 1",
    f"sql/{PROJECT}/shop/orders_v1/metadata.yaml": """
friendly_name: Orders
description: All orders.
owners: [a@example.com]
labels: {incremental: true, schedule: daily, review_bugs: [1, 2]}
scheduling: {dag_name: bqetl_shop}
bigquery:
  time_partitioning: {type: day, field: day, require_partition_filter: true, expiration_days: 775.0}
  clustering: {fields: [id]}
monitoring: {enabled: true, collection: Shop}
""",
    f"sql/{PROJECT}/shop/orders_v1/schema.yaml": """
fields:
- {name: day, type: DATE, description: The day of the order.}
- {name: id, type: STRING, description: The id.}
- name: items
  type: RECORD
  fields: [{name: price, type: FLOAT, description: In euro.}]
""",
    f"sql/{PROJECT}/shop/visits_v1/query.py": "pass",
    f"sql/{PROJECT}/shop/visits_v1/schema.yaml": """
fields:
- name: day
  type: DATE
  description: !include-field-description {file: shared/days.yaml, field: day}
- !include-field {table: acme-data.shop.orders_v1, field: id}
""",
    f"sql/{PROJECT}/shop/visits_v2/query.sql": "SELECT 2",
    f"sql/{PROJECT}/shop/visits_v2/schema.yaml": """
fields:
- name: day
  type: DATE
  description: !include-field-description {file: /shared/days.yaml, field: day}
""",
    f"sql/{PROJECT}/shop/orders/view.sql": "SELECT 3",
    f"sql/{PROJECT}/shop/log_20250601/query.sql": "SELECT 4",
    f"sql/{PROJECT}/shop/log_20250601/schema.yaml": "fields: [{name: old, type: DATE}]",
    f"sql/{PROJECT}/shop/log_20250602/query.sql": "SELECT 4",
    f"sql/{PROJECT}/shop/log_20250602/schema.yaml": "fields: [{name: new, type: DATE}]",
    f"sql/{PROJECT}/udf/double/udf.sql": "SELECT 5",
    f"sql/{PROJECT}/udf/double/metadata.yaml": "friendly_name: Double",
    f"sql/{PROJECT}/shop/dataset_metadata.yaml": "friendly_name: Shop",
    "shared/days.yaml": "fields: [{name: day, type: DATE, description: The shared day.}]\n",
}
ORDERS = TableRef(PROJECT, "shop", "orders_v1")


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ETLO_PIPELINE_SCHEMAS", raising=False)
    monkeypatch.setenv("ETLO_CACHE_DIR", str(tmp_path / "cache"))
    for path, text in FILES.items():
        put(tmp_path / "root", path, text)
    return tmp_path / "root"


def ref(name: str, dataset: str = "shop") -> TableRef:
    return TableRef(PROJECT, dataset, name)


def test_the_facts_of_a_table_come_from_its_metadata(root: Path) -> None:
    facts = {fact.table: fact for fact in Checkout(root).tables()}
    assert facts[ORDERS] == TableFacts(
        table=ORDERS,
        kind="query.sql",
        owners=("a@example.com",),
        dag="bqetl_shop",
        partition_type="day",
        partition_field="day",
        require_partition_filter=True,
        expiration_days=775,
        clustering=("id",),
        labels={"incremental": "true", "schedule": "daily", "review_bugs": "1, 2"},
        monitored=True,
        collection="Shop",
        description="All orders.",
    )


def test_tables_are_sorted_and_routines_are_none(root: Path) -> None:
    assert [(fact.table.name, fact.kind) for fact in Checkout(root).tables()] == [
        ("log_20250601", "query.sql"),
        ("log_20250602", "query.sql"),
        ("orders", "view.sql"),
        ("orders_v1", "query.sql"),
        ("visits_v1", "query.py"),
        ("visits_v2", "query.sql"),
    ]


def test_a_schema_is_read_with_what_it_borrows(root: Path) -> None:
    known = Checkout(root).schema(ref("visits_v1"))
    assert known is not None
    assert known.origin == f"sql/{PROJECT}/shop/visits_v1/schema.yaml"
    assert known.schema == (
        Field("day", "DATE", "NULLABLE", "The shared day."),
        Field("id", "STRING", "NULLABLE", "The id."),
    )


def test_no_table_has_no_schema_and_one_without_schema_yaml_cannot_be_known(root: Path) -> None:
    catalog = Checkout(root)
    assert catalog.schema(ref("nothing_v1")) is None
    assert catalog.schema(TableRef("other-project", "a_stable", "b_v1")) is None
    with pytest.raises(Unavailable, match=r"`acme-data\.shop\.orders` has no schema\.yaml"):
        catalog.schema(ref("orders"))


def test_a_wildcard_has_the_columns_of_its_last_table(root: Path) -> None:
    known = Checkout(root).schema(ref("log_*"))
    assert known is not None
    assert [field.name for field in known.schema] == ["new"]
    assert Checkout(root).schema(ref("nothing_*")) is None


def test_a_stable_table_needs_the_schemas_of_the_pipeline(root: Path, tmp_path: Path) -> None:
    stable = ref("sale_v1", "till_stable")
    with pytest.raises(Unavailable, match="ingestion pipeline") as caught:
        Checkout(root).schema(stable)
    assert "ETLO_PIPELINE_SCHEMAS" in (caught.value.fix or "")
    put(tmp_path / "pipeline", "schemas/till/sale/sale.1.bq", json.dumps([{"name": "id", "type": "STRING"}]))
    put(
        root,
        f"sql/{PROJECT}/shop/sales_v1/schema.yaml",
        f"fields: !include-fields {{table: {PROJECT}.till_stable.sale_v1}}",
    )
    catalog = Checkout(root, pipeline=PipelineSchemas(tmp_path / "pipeline", PROJECT))
    for table in (stable, ref("sales_v1")):
        known = catalog.schema(table)
        assert known is not None
        assert known.schema == (Field("id", "STRING"),)
    assert catalog.schema(ref("sale_v2", "till_stable")) is None


def test_the_pipeline_is_found_by_the_environment(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "pipeline", "schemas/till/sale/sale.1.bq", "[]")
    monkeypatch.setenv("ETLO_PIPELINE_SCHEMAS", str(tmp_path / "pipeline"))
    assert Checkout(root).schema(ref("sale_v1", "till_stable")) is not None


def test_base_fields_of_the_dataset_come_before_the_global_ones(root: Path) -> None:
    assert list(Checkout(root).base_fields("shop")) == [
        BaseField("id", "The id in the shop.", (), "", "bigquery_etl/schema/shop.yaml"),
        BaseField("day", "The day.", ("date",), "DATE", "bigquery_etl/schema/global.yaml"),
    ]
    assert [field.name for field in Checkout(root).base_fields("other")] == ["day"]


def test_the_most_frequent_description_wins_borrowed_ones_included(root: Path) -> None:
    catalog = Checkout(root)
    assert catalog.description("day") == ("The shared day.", 2)
    assert catalog.description("id") == ("The id.", 1)
    assert catalog.description("items.price") == ("In euro.", 1)
    assert catalog.description("price") is None


def test_an_edit_is_seen_by_the_next_run_and_by_refresh(root: Path) -> None:
    catalog = Checkout(root)
    assert catalog.description("day") == ("The shared day.", 2)
    assert catalog.dags()[0].tier == "tier_1"
    put(root, "shared/days.yaml", "fields: [{name: day, description: A new text.}]\n")
    put(root, "dags.yaml", "{}")
    put(root, f"sql/{PROJECT}/shop/orders_v1/metadata.yaml", "owners: [b@example.com]\n")
    shutil.rmtree(root / f"sql/{PROJECT}/shop/visits_v2")
    assert len(catalog.tables()) == 6
    assert len(Checkout(root).tables()) == 5
    catalog.refresh()
    for asked in (catalog, Checkout(root)):
        assert asked.description("day") == ("The day of the order.", 1)
        assert asked.dags() == ()
        assert [fact.owners for fact in asked.tables() if fact.table == ORDERS] == [("b@example.com",)]


def test_an_edit_of_the_same_size_is_seen_too(root: Path) -> None:
    path = root / f"sql/{PROJECT}/shop/orders_v1/metadata.yaml"
    Checkout(root).tables()
    path.write_text(path.read_text().replace("a@example.com", "z@example.com"))
    os.utime(path, ns=(1, 1))
    assert {owner for fact in Checkout(root).tables() for owner in fact.owners} == {"z@example.com"}


def test_a_second_run_reads_no_metadata(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Checkout(root).tables()
    for path in root.glob("sql/**/metadata.yaml"):
        stamp = path.stat()
        path.write_bytes(b"\xff" * stamp.st_size)  # whoever reads this gets another answer
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert Checkout(root).tables() == before
    assert Checkout(root).problems() == ()


def test_a_malformed_file_is_named_and_breaks_nothing_else(root: Path) -> None:
    put(root, f"sql/{PROJECT}/shop/visits_v2/metadata.yaml", "owners: [")
    put(root, f"sql/{PROJECT}/shop/visits_v2/schema.yaml", "fields: [a, {name: 1")
    (root / f"sql/{PROJECT}/shop/log_20250601/metadata.yaml").write_bytes(b"\xff")
    catalog = Checkout(root)
    assert len(catalog.tables()) == 6
    assert catalog.description("id") == ("The id.", 1)
    problems = catalog.problems()
    assert len(problems) == 3
    for path in ("shop/visits_v2/metadata.yaml", "shop/visits_v2/schema.yaml", "shop/log_20250601/metadata.yaml"):
        assert any(path in problem for problem in problems)
    with pytest.raises(InvalidInput, match="not YAML") as caught:
        catalog.schema(ref("visits_v2"))
    assert (caught.value.at or "").startswith(f"sql/{PROJECT}/shop/visits_v2/schema.yaml")


def test_schemas_that_include_each_other_are_refused(root: Path) -> None:
    for one, other in (("a_v1", "b_v1"), ("b_v1", "a_v1")):
        put(root, f"sql/{PROJECT}/shop/{one}/schema.yaml", f"fields: !include-fields {{table: {PROJECT}.shop.{other}}}")
    catalog = Checkout(root)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="includes itself"):
            catalog.schema(ref("a_v1"))
    assert catalog.schema(ORDERS) is not None


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside/schema.yaml", "fields: [{name: secret, type: STRING}]")
    put(tmp_path, "outside/query.sql", "SELECT 1")
    (root / f"sql/{PROJECT}/shop/linked_v1").symlink_to(tmp_path / "outside")
    catalog = Checkout(root)
    assert ref("linked_v1") not in [fact.table for fact in catalog.tables()]
    with pytest.raises(InvalidInput, match="leads out of the repository"):
        catalog.schema(ref("linked_v1"))
    put(root, f"sql/{PROJECT}/shop/thief_v1/schema.yaml", "fields: !include-fields {file: ../outside/schema.yaml}")
    with pytest.raises(InvalidInput, match="leads out of the repository"):
        catalog.schema(ref("thief_v1"))


def test_several_threads_may_ask_at_once(root: Path) -> None:
    catalog, answers = Checkout(root), list[object]()

    def ask() -> None:
        for _ in range(50):
            answers.append(catalog.schema(ref("visits_v1")) is not None and catalog.description("day"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [("The shared day.", 2)] * 200


def test_a_folder_without_anything_is_an_empty_catalog(tmp_path: Path) -> None:
    catalog = Checkout(tmp_path, tmp_path / "cache")
    assert (list(catalog.tables()), list(catalog.dags()), catalog.description("a")) == ([], [], None)
    assert catalog.settings.project
    with pytest.raises(InvalidInput, match="not a folder"):
        Checkout(tmp_path / "nothing")
