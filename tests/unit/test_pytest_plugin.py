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


#: What takes the place of that repository's own plugins, and its conftest.
OTHERS = {
    "bigquery_etl/__init__.py": "",
    "bigquery_etl/pytest_plugin/__init__.py": "",
    "bigquery_etl/pytest_plugin/sql.py": """
import pytest

def pytest_collect_file(parent, file_path):
    if file_path.name in ("expect.yaml", "udf.sql"):
        return Cloud.from_parent(parent, path=file_path)

class Cloud(pytest.File):
    def collect(self):
        raise RuntimeError("this asks the cloud")
""",
    "bigquery_etl/pytest_plugin/routine.py": """
from bigquery_etl.pytest_plugin.sql import pytest_collect_file
""",
    "bigquery_etl/pytest_plugin/lint.py": """
import pytest

def pytest_collect_file(parent, file_path):
    if file_path.name == "query.sql":
        return Lint.from_parent(parent, path=file_path)

class Lint(pytest.File):
    def collect(self):
        yield LintItem.from_parent(self, name="lint")

class LintItem(pytest.Item):
    def runtest(self):
        assert self.path.read_text().startswith("SELECT")
""",
    "conftest.py": """
pytest_plugins = [f"bigquery_etl.pytest_plugin.{name}" for name in ("sql", "routine", "lint")]

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "test_wrong" not in item.nodeid]
""",
}


def run(repository: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "-q", "tests/sql", "sql"]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120)


def test_sql_tests_and_assertions_are_collected_and_told_as_by_the_command(repository: Path) -> None:
    ran = run(repository, "-p", "etl_orchestrator.pytest_plugin")
    assert "1 failed, 3 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "  1    n       2         1\n" in ran.stdout
    assert ran.returncode == 1


def test_beside_the_plugins_of_the_repository_only_these_files_are_taken_over(repository: Path) -> None:
    """What else its conftest and plugins do goes on: one test is left out, one file is linted."""
    for name, text in OTHERS.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    assert "this asks the cloud" in run(repository).stdout
    ran = run(repository, "-p", "etl_orchestrator.pytest_plugin")
    assert "4 passed" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 0
