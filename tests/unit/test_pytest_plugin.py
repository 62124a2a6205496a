"""The plugin in a pytest of its own, over a small repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "dags.yaml": "{}",
    "bqetl_project.yaml": "default: {project: acme-data}\n",
    "sql/acme-data/text/is_word/udf.sql": """CREATE OR REPLACE FUNCTION text.is_word(word STRING)
AS (REGEXP_CONTAINS(word, r'^[a-z]+$'));
SELECT IF(text.is_word('abc'), TRUE, ERROR('no word'));
#xfail
SELECT IF(text.is_word('1'), TRUE, ERROR('no word'));
""",
    "sql/acme-data/shop_derived/orders_v1/query.sql": "SELECT shop, n FROM `acme-data.shop.orders`",
    "tests/sql/acme-data/shop_derived/orders_v1/test_good/acme-data.shop.orders.yaml": "- {shop: a, n: 1}",
    "tests/sql/acme-data/shop_derived/orders_v1/test_good/expect.yaml": "- {shop: a, n: 1}",
    "tests/sql/acme-data/shop_derived/orders_v1/test_wrong/acme-data.shop.orders.yaml": "- {shop: a, n: 1}",
    "tests/sql/acme-data/shop_derived/orders_v1/test_wrong/expect.yaml": "- {shop: a, n: 2}",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sql_tests_and_assertions_are_collected_and_told_as_by_the_command(repository: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "etl_orchestrator.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    ran = subprocess.run([*command, "tests/sql", "sql"], cwd=repository, capture_output=True, text=True, timeout=120)
    assert "1 failed, 3 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "  1    n       2         1\n" in ran.stdout
    assert ran.returncode == 1
