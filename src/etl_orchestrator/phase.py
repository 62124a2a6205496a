"""What a room is: a name, the skill that works in it, and the gates at its way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from etl_orchestrator.finding import Finding, Verdict
from etl_orchestrator.model import Model
from etl_orchestrator.tools import Tools


@dataclass(frozen=True, slots=True)
class Gate:
    """`check` answers and does nothing else. `owner` is the phase which owns the repair of most of its findings."""

    code: str
    name: str
    owner: str
    check: Callable[[Model, Tools], Verdict]

    @property
    def page(self) -> str:
        """The `explain` page: the docstring of the gate's module."""
        import inspect

        return inspect.getdoc(inspect.getmodule(self.check)) or ""


@dataclass(frozen=True, slots=True)
class Phase:
    """`work` makes a model from a model; `says` tells in a few words what was decided or made, for the progress line."""

    name: str
    skill: str
    work: Callable[[Model, Tools], Model]
    gates: tuple[Gate, ...]
    says: Callable[[Model], str]


def found(gate: Gate, message: str, at: str, fix: str, owner: str | None = None) -> Finding:
    """A finding of this gate."""
    return Finding(gate.code, gate.name, message, at, owner or gate.owner, fix)
