"""The gates behind phase 1: what was decided can be carried out, and has its reasons."""

from __future__ import annotations

from etl_orchestrator.gates.plan import (
    contradicted_requirement,
    misnamed_table,
    undecided,
    undeclared_dag,
    unknown_source_schema,
    unowned_table,
    unreasoned_python,
)
from etl_orchestrator.phase import Gate

GATES: tuple[Gate, ...] = (
    undeclared_dag.GATE,
    misnamed_table.GATE,
    undecided.GATE,
    unknown_source_schema.GATE,
    unreasoned_python.GATE,
    contradicted_requirement.GATE,
    unowned_table.GATE,
)
