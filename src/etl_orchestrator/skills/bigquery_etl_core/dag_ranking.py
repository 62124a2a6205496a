"""Which DAG a new table most likely belongs to, and why.

Every group of tables the new one stands near to votes with the share of its tables that run in a DAG; words of the
product in the name of a DAG vote too. The weights are measured by leaving one out over the 874 scheduled tables of
bigquery-etl (tests/unit/skills/test_dag_ranking.py repeats it on a checkout).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.requirements import Body, Request
from etl_orchestrator.skills.bigquery_etl_core.habits import Kin, kin
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Catalog, Dag, TableFacts

#: Weight of a group of tables by its kind, and of words in the name of a DAG.
_WEIGHTS = {"family": 8.0, "two words": 4.0, "one word": 2.0, "dataset": 1.5, "owners": 1.0, "sources": 1.0}
_PRODUCT, _DATASET_WORD = 4.0, 0.5
#: What a DAG of another frequency than the asked one keeps of its votes.
_OTHER_FREQUENCY = 0.1
#: Words which say nothing of a product.
_EMPTY_WORDS = frozenset({"bqetl", "private", "derived", "external", "v1", "the", "and", "for", "daily", "tables"})


@dataclass(frozen=True, slots=True)
class _Vote:
    dag: str
    weight: float
    evidence: str


def rank_dags(request: Request, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """The best three DAGs, best first, each with its evidence; empty when nothing speaks for any."""
    dags = {dag.name: dag for dag in catalog.dags()}
    asked = (request.schedule.frequency or "") if request.schedule else ""
    votes: dict[str, list[_Vote]] = defaultdict(list)
    for vote in _votes(request, catalog.tables(), list(dags.values())):
        if vote.dag in dags:
            votes[vote.dag].append(vote)

    def score(name: str) -> float:
        fits = not asked or frequency_of(dags[name].schedule) == asked.lower()
        return sum(vote.weight for vote in votes[name]) * (1.0 if fits else _OTHER_FREQUENCY)

    best = sorted(votes, key=lambda name: (-score(name), name))[:3]
    return tuple((name, _evidence(votes[name], dags[name], asked)) for name in best)


def frequency_of(schedule: str) -> str:
    """hourly, daily, weekly, monthly, once or "" of a `schedule_interval`: a word, an interval (3h) or a cron line."""
    text = schedule.strip().lower().lstrip("@")
    if text in {"once", "hourly", "daily", "weekly", "monthly"}:
        return text
    if interval := re.fullmatch(r"(\d+)\s*([mhdw])", text):
        days = int(interval[1]) * {"m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7}[interval[2]]
        return "hourly" if days < 1 else "daily" if days < 7 else "weekly" if days < 28 else "monthly"
    fields = text.split()
    if len(fields) != 5:
        return ""
    _, hour, day, month, weekday = fields
    if weekday not in {"*", "?"} and day in {"*", "?"}:
        return "weekly"
    if month != "*" or day not in {"*", "?"}:
        return "monthly"
    return "hourly" if re.search(r"[*,/-]", hour) else "daily"


def _votes(request: Request, tables: Sequence[TableFacts], dags: Sequence[Dag]) -> Iterator[_Vote]:
    if request.table is not None:
        for group in kin(request.table, tables):
            yield from _group_votes(group)
    if request.owners:
        yield from _group_votes(_owned(request, tables))
    yield from _group_votes(_upstream(request, tables))
    product = request.schedule.product if request.schedule else None
    if product:
        yield from _word_votes(_words(product), dags, _PRODUCT)
    if request.table is not None:
        yield from _word_votes(_words(request.table.dataset), dags, _DATASET_WORD)


def _group_votes(group: Kin) -> Iterator[_Vote]:
    """Each DAG gets the share of the group's scheduled tables that it runs."""
    counts = Counter(facts.dag for facts in group.tables if facts.dag)
    total = sum(counts.values())
    for dag, count in counts.items():
        run = "run" if count > 1 else "runs"
        yield _Vote(dag, _WEIGHTS[group.kind] * count / total, f"{count} of {total} {group.words} {run} there")


def _owned(request: Request, tables: Sequence[TableFacts]) -> Kin:
    """Tables with an owner in common, those of the same dataset where there are any."""
    owners = set(request.owners)
    owned = tuple(facts for facts in tables if owners & set(facts.owners) and facts.table != request.table)
    here = tuple(facts for facts in owned if request.table and facts.table.dataset == request.table.dataset)
    return Kin("owners", "tables of the same owners" + (" in the dataset" if here else ""), here or owned)


def _upstream(request: Request, tables: Sequence[TableFacts]) -> Kin:
    bodies: list[Body] = [request.body, *(step.body for step in request.steps)]
    names = {source.table for body in bodies for source in body.sources if source.table and not source.is_step}
    project = request.table.project if request.table else None
    sources = {reference for name in names if (reference := _reference(name, project)) and reference != request.table}
    return Kin("sources", "source tables", tuple(facts for facts in tables if facts.table in sources))


def _reference(name: str, project: str | None) -> TableRef | None:
    """None for a name that is no table name: ranking runs before the door has judged the request."""
    try:
        return TableRef.parse(name, project)
    except InvalidInput:
        return None


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]{2,}", text.lower().replace("_", " "))) - _EMPTY_WORDS


def _word_votes(words: frozenset[str], dags: Sequence[Dag], weight: float) -> Iterator[_Vote]:
    """A word counts in full in a DAG's name or tags and a third in its description."""
    if not words:
        return
    for dag in dags:
        named = words & _words(" ".join((dag.name, *dag.tags)))
        described = (words & _words(dag.description)) - named
        if named:
            said = " ".join(sorted(named))
            # Of two DAGs that carry the word, the one that carries little else is the closer one.
            closeness = len(named) / max(len(_words(dag.name)), 1)
            yield _Vote(dag.name, weight * (len(named) / len(words)) * (0.7 + 0.3 * closeness), f"named for `{said}`")
        if described:
            said = " ".join(sorted(described))
            yield _Vote(dag.name, weight / 3 * len(described) / len(words), f"its description speaks of `{said}`")


def _evidence(votes: Sequence[_Vote], dag: Dag, asked: str) -> str:
    """The two strongest reasons, and the frequency when it was asked for."""
    strongest = sorted(votes, key=lambda vote: (-vote.weight, vote.evidence))
    reasons = list(dict.fromkeys(vote.evidence for vote in strongest))[:2]
    runs = frequency_of(dag.schedule)
    if asked and runs:
        reasons.append(f"runs {runs}" if runs == asked.lower() else f"runs {runs}, not {asked.lower()}")
    return ", ".join(reasons)
