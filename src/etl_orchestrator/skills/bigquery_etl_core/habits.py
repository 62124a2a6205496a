"""What the tables nearest to a new one have in common: the evidence for everything a person need not say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import TableFacts

V = TypeVar("V", bound=Hashable)

_VERSION = re.compile(r"_v\d+\Z")


@dataclass(frozen=True, slots=True)
class Kin:
    """A group of tables that stand near to another one. `kind` is family, two words, one word, dataset, owners or
    sources; `words` end a sentence: "3 of 4 " + words."""

    kind: str
    words: str
    tables: tuple[TableFacts, ...]


@dataclass(frozen=True, slots=True)
class Habit(Generic[V]):
    """What most tables of a group do; `share` is between 0 and 1, `reason` tells the count and the group."""

    value: V
    reason: str
    share: float
    count: int


def family(name: str) -> str:
    """A table's name without its version."""
    return _VERSION.sub("", name)


def kin(table: TableRef, tables: Sequence[TableFacts]) -> tuple[Kin, ...]:
    """The groups a table belongs to, the nearest first: same family (another version or dataset), same first two words
    and same first word of the name within the dataset, the dataset. Empty groups are left out."""
    others = [facts for facts in tables if facts.table != table]
    own = family(table.name)
    words = own.split("_")
    here = [facts for facts in others if (facts.table.project, facts.table.dataset) == (table.project, table.dataset)]
    same = tuple(facts for facts in others if family(facts.table.name) == own)
    groups = [Kin("family", f"tables named `{own}`", same)]
    for kind, length in (("two words", 2), ("one word", 1)):
        prefix = words[:length]
        if len(words) > length:
            same = tuple(facts for facts in here if family(facts.table.name).split("_")[:length] == prefix)
            groups.append(Kin(kind, f"tables named `{'_'.join(prefix)}_…` in {table.dataset}", same))
    groups.append(Kin("dataset", f"tables of {table.dataset}", tuple(here)))
    return tuple(group for group in groups if group.tables)


def habit(groups: Sequence[Kin], value_of: Callable[[TableFacts], V | None]) -> Habit[V] | None:
    """The most frequent value in the nearest group where any table has one; ties go to the first in order of name.
    `value_of` gives None for a table that says nothing."""
    for group in groups:
        values = [value for value in map(value_of, group.tables) if value is not None]
        if values:
            value, count = Counter(values).most_common(1)[0]
            return Habit(value, f"{count} of {len(values)} {group.words}", count / len(values), count)
    return None
