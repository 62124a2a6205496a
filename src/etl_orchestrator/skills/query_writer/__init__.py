"""Writes query.sql and query.py; the conventions in words stand in SKILL.md."""

from __future__ import annotations

from etl_orchestrator.skills.query_writer.python_query import write_python
from etl_orchestrator.skills.query_writer.select import Known, write_query
from etl_orchestrator.skills.query_writer.writer import says, work

__all__ = ["Known", "says", "work", "write_python", "write_query"]
