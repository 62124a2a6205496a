"""What the oracle says when it does not know: never a guess."""

from __future__ import annotations

from etl_orchestrator.errors import OrchestratorError


class CannotTell(OrchestratorError):
    """Raised when the value of an expression is not covered, not determined, or depends on the order of tied rows."""


class QueryFails(CannotTell):
    """Raised when GoogleSQL itself would end with an error here (division by zero, overflow, a bad cast).

    A kind of CannotTell, because there are no expected rows then; `SAFE.` functions and SAFE_CAST turn it into NULL.
    """
