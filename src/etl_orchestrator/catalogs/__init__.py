"""Who plays Catalog: a bigquery-etl tree, or what a test gives."""

from __future__ import annotations

from etl_orchestrator.catalogs.checkout import Checkout
from etl_orchestrator.catalogs.memory import Memory

#: Every catalog; the conformance suite asks each of them the same questions.
CATALOGS = (Checkout, Memory)

__all__ = ["CATALOGS", "Checkout", "Memory"]
