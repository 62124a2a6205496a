"""The verbs as functions: tools are put together here, the driver is called, an `Outcome` comes back.

The doors (`cli`) print and exit; nothing here does. Everything is imported when it is first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl_orchestrator.api.building import BuildOptions, build, build_all, plan, resume, runs
    from etl_orchestrator.api.checking import check
    from etl_orchestrator.api.formatting import format_sql_files, format_text
    from etl_orchestrator.api.inventory import explain, listing
    from etl_orchestrator.api.schemas import schema
    from etl_orchestrator.api.testing import Selection, test
    from etl_orchestrator.api.tracing import lineage
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

_MODULES = {
    "BuildOptions": "building",
    "Selection": "testing",
    "Workplace": "workplace",
    "build": "building",
    "build_all": "building",
    "check": "checking",
    "explain": "inventory",
    "format_sql_files": "formatting",
    "format_text": "formatting",
    "init": "workplace",
    "lineage": "tracing",
    "listing": "inventory",
    "plan": "building",
    "resume": "building",
    "runs": "building",
    "schema": "schemas",
    "test": "testing",
    "validate": "validation",
}


def __getattr__(name: str) -> Any:
    """A verb brings only its own module: a start that validates one file does not read how models are built."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
