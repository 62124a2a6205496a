"""DuckDB as a second opinion: the query translated by sqlglot and run in a child process with limits."""

from etl_orchestrator.engines.duckdb.runner import DuckDb

__all__ = ["DuckDb"]
