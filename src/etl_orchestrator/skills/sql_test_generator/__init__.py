"""Writes the SQL tests of a model: examples of the person, cases from the requirements, expectations from the oracle."""

from __future__ import annotations

from etl_orchestrator.skills.sql_test_generator.generator import says, work

__all__ = ["says", "work"]
