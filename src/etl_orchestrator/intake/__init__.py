"""The door: a requirements file becomes a `Request`, its questions and answers, and in the end `Requirements`."""

from __future__ import annotations

from etl_orchestrator.intake.accept import accept
from etl_orchestrator.intake.answers import apply_answers
from etl_orchestrator.intake.asking import NeedsAnswers, RankDags
from etl_orchestrator.intake.check import questions
from etl_orchestrator.intake.file import read_request
from etl_orchestrator.intake.interview import ask, write_answers

__all__ = [
    "NeedsAnswers",
    "RankDags",
    "accept",
    "apply_answers",
    "ask",
    "questions",
    "read_request",
    "write_answers",
]
