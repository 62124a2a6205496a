"""GoogleSQL in this process: see `engine.GoogleSql`."""

from etl_orchestrator.engines.googlesql.engine import GoogleSql

__all__ = ["GoogleSql"]
