"""Joins that would count a row several times in an aggregate: `SUM(orders.amount)` over orders joined with their parcels.

What one row means is then as the grain says, and yet the numbers are wrong. Whether a source has at most one row for
those that are aggregated is known as for a join that is not grouped (`uniqueness`); else it is a question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from etl_orchestrator.intake.asking import ask
from etl_orchestrator.intake.grain import group_keys, is_grouped
from etl_orchestrator.intake.reading import Place, Reading, subquery_only
from etl_orchestrator.intake.uniqueness import Match, match_of
from etl_orchestrator.requirements import Question, Request, Source
from etl_orchestrator.sql import expressions

#: Aggregates to which the same row twice is the same row.
_INDIFFERENT = expressions.words(
    """
    ANY_VALUE APPROX_COUNT_DISTINCT BIT_AND BIT_OR GROUPING HLL_COUNT.INIT HLL_COUNT.MERGE HLL_COUNT.MERGE_PARTIAL
    LOGICAL_AND LOGICAL_OR MAX MAX_BY MIN MIN_BY ST_EXTENT ST_UNION_AGG
    """
)
#: Aggregates that count rows, whatever they read of them: `COUNTIF(cities.region = 'north')` counts what comes first.
_COUNTS = expressions.words("COUNT COUNTIF")


@dataclass(frozen=True, slots=True)
class _Aggregate:
    """A call to which it matters how often a row is there, with the aliases (lower case) whose columns it reads."""

    column: str
    counts: bool
    text: str
    reads: frozenset[str]


def multiplied_questions(request: Request, reading: Reading) -> list[Question]:
    """A question for each source that may multiply the rows of another one which is aggregated."""
    asked = []
    for place in reading.places:
        for match, harmed in _multiplied(request, reading, place):
            if match.reason:
                continue
            source = match.source
            by = f"is joined by `{', '.join(match.fixed)}`" if match.fixed else "is joined by nothing of its own"
            how = (
                f"`{source.alias}`{place.words} is an array" if source.unnest else f"`{source.alias}`{place.words} {by}"
            )
            text = (
                f"{how}: can several of its rows match one row of the others? one: at most one does. many: they do, and "
                f"`{harmed.column}` = `{harmed.text}` is meant to count that row for each. (Otherwise aggregate it in a step.)"
            )
            element = place.element(f"sources.{match.number}.matches")
            asked.append(ask(request, element, text, ("one", "many")))
    return asked


def sure_matches(request: Request, reading: Reading) -> Iterator[Match]:
    """The joins under an aggregate that are known to multiply nothing."""
    for place in reading.places:
        yield from (match for match, _ in _multiplied(request, reading, place) if match.reason)


def _multiplied(request: Request, reading: Reading, place: Place) -> Iterator[tuple[Match, _Aggregate]]:
    """The sources that would multiply what an aggregate reads if several of their rows matched, with the first such one."""
    body = place.body
    if request.query or request.python or body.union or not is_grouped(body) or len(body.sources) < 2:
        return
    offers = reading.offers(place)
    if any(offer is None for alias, offer in offers.items() if not _array(body.sources, alias)):
        return  # asked about already
    aggregates = _aggregates(reading, place)
    read = frozenset(alias for one in aggregates for alias in one.reads)
    grain = frozenset(group_keys(body))
    skipped = subquery_only(request, place)
    for number, source in enumerate(body.sources):
        if number in skipped or source.matches is not None or (source.join == "CROSS" and source.table):
            continue
        harmed = next((one for one in aggregates if _harms(source, number, one, read)), None)
        if harmed is None or (number and source.table and (source.on is None or source.join is None)):
            continue
        match = match_of(reading, place, number, grain)
        if not (source.unnest and (match.fixed or _names_element(source, place))):
            yield match, harmed


def _array(sources: tuple[Source, ...], alias: str) -> bool:
    return any(source.unnest and source.alias.lower() == alias for source in sources)


def _harms(source: Source, number: int, one: _Aggregate, read: frozenset[str]) -> bool:
    """Whether the aggregate is about rows of others. COUNT(*) reads none: it counts the rows of what is aggregated or
    comes first, and of arrays."""
    if one.counts and not number:
        return False
    if one.reads:
        return source.alias.lower() not in one.reads
    return number > 0 and source.unnest is None and source.alias.lower() not in read


def _names_element(source: Source, place: Place) -> bool:
    """Whether the rows are grouped by the element of an array, its parts or its place, or one element is chosen."""
    names = {source.alias.lower(), (source.offset or source.alias).lower()}
    keys = [column.sql for column in place.body.columns if not expressions.is_aggregate(column.sql)]
    texts = [*keys, place.body.where or "", source.on or "", source.filter or ""]
    found = {(qualifier or name).lower() for text in texts if text for qualifier, name in expressions.columns(text)}
    return bool(found & names)


def _aggregates(reading: Reading, place: Place) -> list[_Aggregate]:
    offers = reading.offers(place)
    found = []
    for column in place.body.columns:
        for name, argument in expressions.aggregates(column.sql) if not column.is_star else ():
            if name in _INDIFFERENT or argument.split()[:1] == ["DISTINCT"]:
                continue
            bare = argument.strip()
            names = expressions.columns(bare) if bare not in ("*", "") else ()
            reads = {alias for qualifier, part in names for alias in _aliases(reading, place, qualifier, part)}
            reads |= {alias for one in tuple(reads) for alias in _origins(reading, place, one)}
            found.append(_Aggregate(column.name, name in _COUNTS, f"{name}({bare})", frozenset(reads & offers.keys())))
    return found


def _origins(reading: Reading, place: Place, alias: str) -> set[str]:
    """The sources whose row an element of an array settles: that which holds the array, and so on."""
    array = next((one.unnest for one in place.body.sources if one.alias.lower() == alias and one.unnest), None)
    if array is None:
        return set()
    names = expressions.columns(array)
    holders = {one for qualifier, name in names for one in _aliases(reading, place, qualifier, name)} - {alias}
    if names and not holders:
        return set(reading.offers(place))  # of an array that nobody knows, nothing is said
    return holders | {further for one in holders for further in _origins(reading, place, one)}


def _aliases(reading: Reading, place: Place, qualifier: str | None, name: str) -> list[str]:
    """The sources that a name may be of: by its alias, by the offset of an array, or as a bare column."""
    first = (qualifier or name).lower()
    for source in place.body.sources:
        if first in (source.alias.lower(), (source.offset or "").lower()):
            return [source.alias.lower()]
    return reading.holders(place, first)
