"""The verbs as functions: tools are put together here, the driver is called, an `Outcome` comes back.

The doors (`cli`) print and exit; nothing here does. Everything is imported when it is first needed.
"""

from __future__ import annotations

from etl_orchestrator.api.building import BuildOptions, build, build_all, plan, resume, runs
from etl_orchestrator.api.checking import check
from etl_orchestrator.api.formatting import format_sql_files, format_text
from etl_orchestrator.api.lineage import lineage
from etl_orchestrator.api.listing import explain, listing
from etl_orchestrator.api.schemas import schema
from etl_orchestrator.api.testing import Selection, test
from etl_orchestrator.api.validation import validate
from etl_orchestrator.api.workplace import Workplace, init

__all__ = [
    "BuildOptions",
    "Selection",
    "Workplace",
    "build",
    "build_all",
    "check",
    "explain",
    "format_sql_files",
    "format_text",
    "init",
    "lineage",
    "listing",
    "plan",
    "resume",
    "runs",
    "schema",
    "test",
    "validate",
]
