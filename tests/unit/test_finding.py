"""A verdict is never a bool, and a failure is never empty."""

from __future__ import annotations

import pytest

from etl_orchestrator.finding import Failed, Finding, Passed, verdict

FINDING = Finding("QRY003", "unlisted_source", "reads `p.d.t`", "query.sql:14", "query", "add it under `sources`")


def test_a_finding_says_what_where_and_what_to_do() -> None:
    assert str(FINDING) == "QRY003 unlisted_source: reads `p.d.t`\n  at query.sql:14\n  fix: add it under `sources`"


def test_a_failure_without_findings_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="Failed without findings"):
        Failed(())


def test_findings_fail_and_their_absence_passes_with_evidence() -> None:
    assert verdict([FINDING], "looked at 3") == Failed((FINDING,))
    assert verdict((), "looked at 3") == Passed("looked at 3")
