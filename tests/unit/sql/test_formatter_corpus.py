"""The formatter on every SQL file of mozilla/bigquery-etl: what `benchmarks/formatter.py` prints, asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "formatter.py"


@pytest.mark.skipif("ETLO_BIGQUERY_ETL" not in os.environ, reason="ETLO_BIGQUERY_ETL names no checkout")
def test_every_file_is_a_fixed_point_and_is_restored() -> None:
    run = subprocess.run([sys.executable, str(BENCHMARK), "--json"], capture_output=True, text=True, check=True)
    for table in json.loads(run.stdout).values():
        due = table["files"] - table["skipped"]
        assert table["others"] == []
        assert table["fixed"] == table["idempotent"] == table["same_tokens"] == due > 2000
        assert table["query_restored"] == table["query"] > 800
        assert table["view_restored"] == table["view"] > 800


def test_the_benchmark_says_what_it_needs() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETLO_")}
    run = subprocess.run([sys.executable, str(BENCHMARK)], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 2
    assert "ETLO_BIGQUERY_ETL" in run.stderr
