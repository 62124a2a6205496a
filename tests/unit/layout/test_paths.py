from __future__ import annotations

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import paths
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")


def test_every_file_of_a_table_lies_in_its_folder() -> None:
    assert paths.table_folder(TABLE) == "sql/acme-data/shop_derived/orders_v1"
    assert paths.query_sql(TABLE) == "sql/acme-data/shop_derived/orders_v1/query.sql"
    assert paths.query_py(TABLE) == "sql/acme-data/shop_derived/orders_v1/query.py"
    assert paths.schema_yaml(TABLE) == "sql/acme-data/shop_derived/orders_v1/schema.yaml"
    assert paths.metadata_yaml(TABLE) == "sql/acme-data/shop_derived/orders_v1/metadata.yaml"
    assert paths.bigconfig_yml(TABLE) == "sql/acme-data/shop_derived/orders_v1/bigconfig.yml"
    assert paths.tests_folder(TABLE) == "tests/sql/acme-data/shop_derived/orders_v1"
    assert paths.test_folder(TABLE, "test_a") == "tests/sql/acme-data/shop_derived/orders_v1/test_a"


@pytest.mark.parametrize("case", ["a", "test_", "test_a/b", "test_../x", "test_a\n", ""])
def test_a_name_that_is_no_name_of_a_test_makes_no_path(case: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a test"):
        paths.test_folder(TABLE, case)


def test_a_wildcard_has_no_folder() -> None:
    with pytest.raises(InvalidInput, match="wildcard"):
        paths.table_folder(TableRef("acme-data", "shop", "events_*"))


@pytest.mark.parametrize(
    "path",
    [
        "sql/acme-data/shop_derived/orders_v1",
        "sql/acme-data/shop_derived/orders_v1/",
        "./sql/acme-data/shop_derived/orders_v1/query.sql",
        "tests/sql/acme-data/shop_derived/orders_v1/test_a/expect.yaml",
    ],
)
def test_a_path_tells_its_table(path: str) -> None:
    assert paths.table_of(path) == TABLE


@pytest.mark.parametrize(
    "path",
    [
        "",
        "sql",
        "sql/acme-data/shop_derived",
        "dags.yaml",
        "sql/acme-data/shop_derived/dataset_metadata.yaml",
        "sql/acme-data/../orders_v1/query.sql",
        "sql/acme-data/shop_derived/events_*/x",
        "other/sql/acme-data/shop_derived/orders_v1",
    ],
)
def test_other_paths_belong_to_no_table(path: str) -> None:
    assert paths.table_of(path) is None
