"""The gates behind phase 4: tests that stand, fit, run, and prove something."""

from __future__ import annotations

from etl_orchestrator.gates.tests import (
    empty_suite,
    failing_query,
    misfit_fixture,
    misshapen_expectation,
    missing_test,
    unexercised_column,
    unfixtured_source,
    unfounded_expectation,
    unlabelled_snapshot,
    unproved_example,
    unrefused_run,
    wrong_rows,
)
from etl_orchestrator.phase import Gate

GATES: tuple[Gate, ...] = (
    missing_test.GATE,
    unfixtured_source.GATE,
    misfit_fixture.GATE,
    failing_query.GATE,
    misshapen_expectation.GATE,
    wrong_rows.GATE,
    empty_suite.GATE,
    unexercised_column.GATE,
    unlabelled_snapshot.GATE,
    unproved_example.GATE,
    unfounded_expectation.GATE,
    unrefused_run.GATE,
)
