from __future__ import annotations

from pathlib import Path

import pytest

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import dags_yaml, repository, schema_yaml, settings


def test_it_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / "bqetl_project.yaml").touch()
    deep = tmp_path / "sql" / "p" / "d"
    deep.mkdir(parents=True)
    assert repository.find(deep) == tmp_path
    assert repository.find(tmp_path) == tmp_path


def test_dags_beside_sql_are_enough(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "dags.yaml").touch()
    assert repository.find(tmp_path / "sql") == tmp_path


def test_elsewhere_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "dags.yaml").touch()
    with pytest.raises(InvalidInput, match="no repository") as caught:
        repository.find(tmp_path)
    assert "init DIR" in (caught.value.fix or "")


def test_a_new_one_can_be_read_by_our_own_readers() -> None:
    files = repository.new_files("acme-data")
    assert settings.read(files["bqetl_project.yaml"], "x").project == "acme-data"
    assert [dag.tier for dag in dags_yaml.read(files["dags.yaml"], "x")] == ["tier_1", "tier_2", "tier_3"]
    base = schema_yaml.read(files["bigquery_etl/schema/global.yaml"], "x")
    assert [field.name for field in base] == ["submission_date", "submission_timestamp"]
    assert {"sql/acme-data/.gitkeep", "tests/sql/acme-data/.gitkeep", ".yamllint.yaml", "README.md"} < files.keys()


def test_what_is_no_project_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a project name"):
        repository.new_files("../x")
