"""The names most like one that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, among: Iterable[str], most: int = 3, least: float = 0.5) -> tuple[str, ...]:
    """The names most like this one, best first; of a table's name the last part decides, which is to be alike by `least`
    (1 is the same), then the whole."""
    import difflib  # where a name is missing only

    matcher = difflib.SequenceMatcher(None, "", _last(name))  # it keeps what it knows of the second text
    by_last: dict[str, list[str]] = {}
    for one in sorted(set(among)):
        by_last.setdefault(_last(one), []).append(one)
    scored: list[tuple[float, float, str]] = []
    for last, ones in by_last.items():
        matcher.set_seq1(last)
        if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least and matcher.ratio() >= least:
            ratio = matcher.ratio()
            scored += [(ratio, likeness(one, name) if ratio > 0.6 else 0.0, one) for one in ones]
    scored.sort(key=lambda entry: (-entry[0], -entry[1], entry[2]))
    return tuple(one for *_, one in scored[:most])


def likeness(one: str, other: str) -> float:
    """From 0 to 1, the case of letters left out."""
    import difflib

    return difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
