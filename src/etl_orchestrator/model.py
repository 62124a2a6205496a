"""The one value that flows through the rooms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from etl_orchestrator.finding import Finding
from etl_orchestrator.table import TableRef

if TYPE_CHECKING:  # a model that stands in a repository has neither
    from etl_orchestrator.plan import Plan
    from etl_orchestrator.requirements import Requirements


@dataclass(frozen=True, slots=True)
class Note:
    """Where something in a file came from: `at` a column, row or key; `source` one or two words; `text` the detail."""

    at: str
    source: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file not yet written: path relative to the repository (posix), text, the phase which made it."""

    path: str
    text: str
    made_by: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """Requirements, plan and files of one table. `requirements` is None for a model that already stands in a
    repository; `findings` are those with which the driver sent the model back, for the room that mends it."""

    table: TableRef
    requirements: Requirements | None = None
    plan: Plan | None = None
    artifacts: tuple[Artifact, ...] = ()  # sorted by path
    findings: tuple[Finding, ...] = ()

    def artifact(self, path: str) -> Artifact | None:
        return next((artifact for artifact in self.artifacts if artifact.path == path), None)

    def text(self, path: str) -> str | None:
        found = self.artifact(path)
        return found.text if found else None

    def with_artifacts(self, phase: str, made: tuple[Artifact, ...]) -> Model:
        """The model with everything `phase` made before replaced by `made`."""
        kept = [artifact for artifact in self.artifacts if artifact.made_by != phase]
        return replace(self, artifacts=tuple(sorted([*kept, *made], key=lambda artifact: artifact.path)))

    @property
    def digest(self) -> str:
        """sha256 over the paths and bytes of all files."""
        total = hashlib.sha256()
        for artifact in self.artifacts:
            for part in (artifact.path, artifact.text):
                data = part.encode()
                total.update(len(data).to_bytes(8, "big") + data)
        return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A model that passed every due gate, with the digest of the judged bytes. Only the driver makes one;
    `store.publish` takes nothing else."""

    model: Model
    digest: str
