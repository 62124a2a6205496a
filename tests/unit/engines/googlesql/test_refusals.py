"""Every operator of the benchmark of false accepts, on a query of ours: the engine refuses each of its mutants."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from etl_orchestrator.engines.googlesql import GoogleSql
from etl_orchestrator.table import Field, TableRef

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"

ORDERS = TableRef("acme-data", "shop", "orders")
SCHEMA = (
    Field("day", "DATE"),
    Field("country", "STRING"),
    Field("amount", "INTEGER"),
    Field("id", "STRING"),
)
QUERY = """\
WITH base AS (
  SELECT o.day, o.country, o.amount, id
  FROM `acme-data.shop.orders` AS o
  WHERE o.day = @submission_date AND o.country = 'DE' AND o.amount > 3 AND o.country IN ('DE', 'AT')
),
joined AS (
  SELECT * EXCEPT (amount), IFNULL(amount, 0) AS amount FROM base LEFT JOIN (SELECT id FROM base) USING (id)
)
SELECT
  day,
  country,
  CASE WHEN country = 'DE' THEN 'a' ELSE 'b' END AS part,
  SUM(amount) AS total,
  CAST(COUNT(*) AS STRING) AS n
FROM joined
GROUP BY day, country
ORDER BY day
LIMIT 5
"""
UNION = "SELECT 'a' AS kind FROM `acme-data.shop.orders` UNION ALL SELECT 'b' AS kind FROM `acme-data.shop.orders`"


def _operators() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refused_mutants", BENCHMARKS / "refused_mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["refused_mutants"] = module
    spec.loader.exec_module(module)
    return module


MUTANTS = _operators()


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    return GoogleSql()


@pytest.mark.parametrize("sql", [QUERY, UNION])
def test_the_query_itself_is_accepted(engine: GoogleSql, sql: str) -> None:
    assert engine.analyze(sql, {ORDERS: SCHEMA}, {"submission_date": "DATE"}).problem is None


@pytest.mark.parametrize("operator", sorted(MUTANTS.OPERATORS))
def test_every_mutant_is_refused_with_its_place(engine: GoogleSql, operator: str) -> None:
    texts = [MUTANTS.Text(QUERY, "day"), MUTANTS.Text(UNION, "kind")]
    edits = [(text.sql, edit) for text in texts for edit in MUTANTS.OPERATORS[operator](text)]
    assert edits
    for sql, edit in edits:
        mutant = sql[: edit.start] + edit.new + sql[edit.end :]
        problem = engine.analyze(mutant, {ORDERS: SCHEMA}, {"submission_date": "DATE"}).problem
        assert problem is not None, mutant
        assert problem.line > 0 or operator == "output column twice", problem


def test_the_benchmark_says_what_it_needs() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETLO_")}
    command = [sys.executable, str(BENCHMARKS / "false_accepts.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "ETLO_GENERATED_SQL" in run.stderr
