"""The gates behind phase 2: the query is there, is accepted, reads what was named and gives what was asked for."""

from __future__ import annotations

from etl_orchestrator.gates.query import (
    broken_template,
    implicit_cross_join,
    incomplete_python,
    misplaced_output_column,
    missing_output_column,
    missing_partition_column,
    missing_partition_filter,
    missing_query,
    nondeterministic_query,
    production_write,
    refused_query,
    rewritten_query,
    select_star,
    uncompilable_python,
    unexpected_output_column,
    unformatted_query,
    unknown_parameter,
    unlisted_source,
    unqualified_table,
    unread_source,
    wrong_type,
)
from etl_orchestrator.phase import Gate

GATES: tuple[Gate, ...] = (
    missing_query.GATE,
    refused_query.GATE,
    unlisted_source.GATE,
    unread_source.GATE,
    unqualified_table.GATE,
    unformatted_query.GATE,
    missing_output_column.GATE,
    unexpected_output_column.GATE,
    misplaced_output_column.GATE,
    wrong_type.GATE,
    missing_partition_filter.GATE,
    unknown_parameter.GATE,
    missing_partition_column.GATE,
    nondeterministic_query.GATE,
    select_star.GATE,
    production_write.GATE,
    uncompilable_python.GATE,
    incomplete_python.GATE,
    rewritten_query.GATE,
    broken_template.GATE,
    implicit_cross_join.GATE,
)
