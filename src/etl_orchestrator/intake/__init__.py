"""The door: requirements files in both forms, the questions, the answers, the interview."""

from __future__ import annotations

from etl_orchestrator.intake.accept import NeedsAnswers, accept
from etl_orchestrator.intake.check import questions

__all__ = ["NeedsAnswers", "accept", "questions"]


def read_request(origin: str, data: bytes, project: str):  # type: ignore[no-untyped-def]
    import hashlib
    from pathlib import Path

    from etl_orchestrator.intake import yaml_form
    from etl_orchestrator.requirements import Query

    return yaml_form.read_yaml(
        data.decode(),
        origin,
        hashlib.sha256(data).hexdigest(),
        project,
        lambda p, at: Query((Path(origin).parent / p).read_text(), p),
    )


def apply_answers(request, answers):  # type: ignore[no-untyped-def]
    return request
