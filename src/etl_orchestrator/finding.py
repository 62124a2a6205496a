"""What a gate answers: findings with a return address, inside a verdict that is never a bool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the user's model, where, who mends it and how.

    `owner` is the name of the phase which owns the repair (or "requirements": only a person can mend it);
    `at` is a path relative to the repository, with `:line` where known; `fix` is a command or an edit.
    """

    code: str
    name: str
    message: str
    at: str
    owner: str
    fix: str

    def __str__(self) -> str:
        return f"{self.code} {self.name}: {self.message}\n  at {self.at}\n  fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class Passed:
    """The gate looked and found nothing wrong; `evidence` says at what it looked."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The gate found something; never empty."""

    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        if not self.findings:
            raise ValueError("Failed without findings")


@dataclass(frozen=True, slots=True)
class Unchecked:
    """The gate was due and could not look: no engine, no credentials, an unknown schema. Never counts as passed."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotDue:
    """The gate does not apply to this model (no requirements behind a hand-made table, no query.py in a SQL model)."""

    reason: str


Verdict = Passed | Failed | Unchecked | NotDue


def verdict(findings: list[Finding] | tuple[Finding, ...], evidence: str) -> Verdict:
    """`Failed` when there is any finding, else `Passed` with the evidence."""
    return Failed(tuple(findings)) if findings else Passed(evidence)
