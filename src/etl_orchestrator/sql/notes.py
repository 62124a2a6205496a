"""The conditions that an analysis rests on, gathered from what it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from etl_orchestrator.tools import Analysis, KnownSchema


def notes_of(known: Iterable[KnownSchema]) -> tuple[str, ...]:
    """What the analyses said that the schemas come of."""
    return merged(*(found.notes for found in known))


def with_notes(analysis: Analysis, known: Iterable[KnownSchema]) -> Analysis:
    """An analysis with what those of its sources said."""
    notes = merged(analysis.notes, notes_of(known))
    return analysis if notes == analysis.notes else replace(analysis, notes=notes)


def merged(*notes: Sequence[str]) -> tuple[str, ...]:
    """Each once, in order."""
    return tuple(dict.fromkeys(note for part in notes for note in part))
