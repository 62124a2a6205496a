from __future__ import annotations

from etl_orchestrator.catalogs.memory import Memory
from etl_orchestrator.layout import model_files
from etl_orchestrator.table import TableRef

TABLE = TableRef("acme-data", "shop_derived", "orders_v1")
FOLDER = "sql/acme-data/shop_derived/orders_v1"
FILES = {
    f"{FOLDER}/query.sql": "SELECT 1",
    f"{FOLDER}/metadata.yaml": "friendly_name: A",
    f"{FOLDER}/bigconfig.yml": "type: BIGCONFIG_FILE",
    f"{FOLDER}/notes.txt": "mine",
    f"{FOLDER}/old/query.sql": "SELECT 0",
    "sql/acme-data/shop_derived/orders_v10/query.sql": "SELECT 10",
    f"tests/{FOLDER}/acme-data.shop.a.schema.yaml": "fields: []",
    f"tests/{FOLDER}/test_b/expect.yaml": "[]",
    f"tests/{FOLDER}/test_a/expect.yaml": "- a: 1",
    f"tests/{FOLDER}/test_a/acme-data.shop.a.yaml": "[]",
    f"tests/{FOLDER}/test_program.py": "pass",
}
CATALOG = Memory(files=FILES)


def test_each_file_belongs_to_the_phase_that_makes_it() -> None:
    model = model_files.read_model(CATALOG.text, CATALOG.paths, TABLE)
    assert (model.requirements, model.plan) == (None, None)
    assert [(artifact.path.removeprefix(FOLDER), artifact.made_by) for artifact in model.artifacts] == [
        ("/bigconfig.yml", "monitoring"),
        ("/metadata.yaml", "metadata"),
        ("/query.sql", "query"),
        (f"tests/{FOLDER}/acme-data.shop.a.schema.yaml", "tests"),
        (f"tests/{FOLDER}/test_a/acme-data.shop.a.yaml", "tests"),
        (f"tests/{FOLDER}/test_a/expect.yaml", "tests"),
        (f"tests/{FOLDER}/test_b/expect.yaml", "tests"),
    ]


def test_a_table_that_is_not_there_has_no_artifacts() -> None:
    other = TableRef("acme-data", "shop_derived", "nothing_v1")
    assert model_files.read_model(CATALOG.text, CATALOG.paths, other).artifacts == ()


def test_each_test_has_its_files_and_the_schemas_beside_the_tests() -> None:
    model = model_files.read_model(CATALOG.text, CATALOG.paths, TABLE)
    assert model_files.cases(model) == {
        "test_a": {
            "acme-data.shop.a.schema.yaml": "fields: []",
            "acme-data.shop.a.yaml": "[]",
            "expect.yaml": "- a: 1",
        },
        "test_b": {"acme-data.shop.a.schema.yaml": "fields: []", "expect.yaml": "[]"},
    }
