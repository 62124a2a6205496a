"""The few words in which people say how a table is partitioned and scheduled: Markdown cells and answers.

Each reader takes the words it knows out of the text and gives the rest back, so that nothing is dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from etl_orchestrator.intake import elements
from etl_orchestrator.requirements import Partitioning, Schedule

#: Words that carry nothing when they are left over.
_EMPTY = re.compile(
    r"\b(?:partition(?:ed|ing|s)?|refresh|table|the|is|are|and|each|every|run|runs|once|a|an|by|per|in|of|at|with|it|this|to|"
    r"will|be|dag|schedule[ds]?|column|field|time|data|on|using|loaded)\b|[`.,;:()*_-]",
    re.IGNORECASE,
)
_GRANULARITY = {
    "hourly": "hour", "hour": "hour", "hours": "hour", "daily": "day", "day": "day", "days": "day", "date": "day",
    "monthly": "month", "month": "month", "yearly": "year", "year": "year", "annually": "year",
}  # fmt: skip
_FREQUENCY = {
    "hourly": "hourly", "hour": "hourly", "daily": "daily", "day": "daily", "nightly": "daily", "night": "daily",
    "weekly": "weekly", "week": "weekly", "monthly": "monthly", "month": "monthly",
}  # fmt: skip
_NAME = r"`?([A-Za-z_]\w*)`?"


@dataclass(slots=True)
class Words:
    """A text from which what was understood is taken out."""

    text: str

    def take(self, pattern: str) -> re.Match[str] | None:
        """The first match, taken out of the text."""
        found = re.search(pattern, self.text, re.IGNORECASE)
        if found:
            self.text = f"{self.text[: found.start()]} {self.text[found.end() :]}"
        return found

    @property
    def rest(self) -> str:
        """What is left and means something, empty otherwise."""
        bare = " ".join(self.text.split()).strip(" ,;.-")
        return bare if _EMPTY.sub(" ", bare).strip() else ""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a table is cut, as far as the words tell: `partitioning` None when they leave open whether it is incremental."""

    partitioning: Partitioning | None
    clustering: tuple[str, ...] = ()
    rest: str = ""


def partitioning(text: str) -> Cut:
    """`incremental, daily on submission_date, clustered by a and b, keep 90 days, filter required`, `full refresh`, …"""
    words = Words(re.sub(r"\s+", " ", text))
    clustering = _clustering(words)
    days = _expiration(words)
    required = _required(words)
    write = words.take(r"\bappend(?:s|ed|ing)?(?:[ -]only)?\b")
    ingestion = words.take(r"\b(?:by |on )?ingestion[ -]time\b")
    cut = words.take(r"\bnot[ -]partitioned\b|\bunpartitioned\b|\bno partition(?:s|ing)?\b|^\s*none\s*$")
    full = words.take(
        r"\bfull(?:y)?[ -]?(?:refresh(?:ed)?|reload|rebuild|rewrite)\b|\bnot incremental\b|\bnon-incremental\b"
    )
    incremental = words.take(r"\bincremental(?:ly)?\b")
    kind = "|".join(_GRANULARITY)
    told = words.take(
        rf"\b(?:partition(?:ed)? )?(?:by |per |one |each )?({kind}) (?:partitions? )?(?:on|of|by|from)(?: the)? {_NAME}"
    )
    column: str | None = told[2] if told else None
    type_: str | None = _GRANULARITY[told[1].lower()] if told else None
    if not told and (found := words.take(rf"\bpartition(?:ed)? (?:by|on)(?: the)?(?: field| column)? {_NAME}")):
        named = str(found[1])
        type_ = _GRANULARITY.get(named.lower())
        column = None if type_ else named
    if not told and (found := words.take(rf"\b({kind})\b")):
        type_ = type_ or _GRANULARITY[found[1].lower()]
    if not column and (found := words.take(rf"(?:^|\s)(?:on|by|field:?|column:?)(?: the)? {_NAME}")):
        column = found[1]
    if not (incremental or full or cut or write or column or type_ or ingestion):
        return Cut(None, clustering, words.rest)
    grows = bool(incremental) or (not full and not cut)
    made = Partitioning(
        grows, column, type_, days, required, "append" if write else None, ingestion_time=bool(ingestion)
    )
    return Cut(made, clustering, words.rest)


def _clustering(words: Words) -> tuple[str, ...]:
    item = _NAME.replace("(", "(?:")
    found = words.take(
        rf"\bcluster(?:ed|ing)?(?: by| on|:)* ({item}(?:(?:\s*,\s*(?:and )?|\s+and\s+|\s*/\s*)(?!{_NEXT}){item})*)"
    )
    return tuple(re.findall(_NAME, re.sub(r"\band\b", ",", found[1]))) if found else ()


#: What ends a list of clustering columns although it follows a comma.
_NEXT = (
    r"(?:keep|filter|require|not|incremental|full|daily|hourly|monthly|yearly|retain|retention|expire|append|partition)"
)


def _expiration(words: Words) -> int | None:
    found = words.take(
        r"\b(?:keep|kept|retain(?:ed)?|retention|expires?|expiration|delete|drop)\b[^,;.\d]{0,30}?(\d+) ?(day|month|year)s?\b"
    ) or words.take(r"\b(\d+) ?(day|month|year)s?(?:' | of )?(?: ?retention| expiration)\b")
    if not found:
        return None
    return int(found[1]) * {"day": 1, "month": 30, "year": 365}[found[2].lower()]


def _required(words: Words) -> bool | None:
    if words.take(
        r"\b(?:no (?:partition )?filter(?: is)?(?: required| needed)?|(?:partition )?filter(?: is)? (?:not|optional)(?: required| needed)?)\b"
    ):
        return False
    if words.take(
        r"\b(?:require(?:s|d)?(?: a| the)?(?: partition)? filter|(?:partition )?filter(?: is)? (?:required|needed|mandatory))\b"
    ):
        return True
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """When a table runs, as far as the words tell."""

    schedule: Schedule | None
    rest: str = ""


def schedule(text: str, options: Mapping[str, object] | None = None) -> Plan:
    """`DAG: bqetl_shop`, `daily, product: search`, `none: written by hand`."""
    bare = re.sub(r"\s+", " ", text).strip()
    unscheduled = re.match(
        r"(?:none|not scheduled|unscheduled|no schedule|no dag)\b[\s:,;(-]*(?:because )?(.*?)\)?\.?\Z",
        bare,
        re.IGNORECASE,
    )
    if unscheduled:
        reason = unscheduled[1].strip()
        return Plan(Schedule(none=reason, options=dict(options or {})) if reason else None, "" if reason else bare)
    words = Words(bare)
    dag = words.take(r"\b((?:private_)?bqetl_\w+)`?") or words.take(r"\bdag(?: is)? ?[:=]? ?`?([a-z]\w*_\w+)`?")
    product = words.take(r"\bproduct(?: area)? ?[:=]? ?`?([\w -]+?)`?(?=[,;.]|$)") or words.take(
        r"\barea ?[:=] ?`?([\w -]+?)`?(?=[,;.]|$)"
    )
    spoken = "|".join(_FREQUENCY)
    found = words.take(rf"\b(?:frequency ?[:=]? ?|once (?:a |per |every )|every |each |per )?\b({spoken})\b")
    frequency = _FREQUENCY[found[1].lower()] if found else None
    if not (dag or product or frequency or options):
        return Plan(None, words.rest)
    made = Schedule(dag and dag[1], frequency, product and product[1].strip(), None, dict(options or {}))
    return Plan(made, words.rest)


def listed(text: str) -> list[str]:
    """The items of a list written in one line: between commas, semicolons or "and", backticks taken off."""
    parts = re.split(r"[,;\n]|\band\b|·", text)
    return [part.strip().strip("`").strip() for part in parts if part.strip().strip("`").strip()]


def is_placeholder(text: str) -> bool:
    """Whether a text still is what the template put there: `<who reads it>`, alone or many, and empty words."""
    bare, before = text, ""
    while bare != before:
        bare, before = re.sub(r"`?<[^<>`]*[^<>`\s][^<>`]*>`?", " ", bare), bare
    return not re.sub(r"[\s`*_.,;:|/@–—-]|\bn/?a\b|\btbd\b", "", bare, flags=re.IGNORECASE)


def names(text: str, what: str, at: str) -> tuple[str, ...]:
    """A list of names of columns."""
    return tuple(elements.name(part, what, at) for part in listed(text))
