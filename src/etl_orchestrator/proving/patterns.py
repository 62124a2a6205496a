"""LIKE and regular expressions: RE2 patterns for which Python's `re` gives the same answer, all others refused."""

from __future__ import annotations

import functools
import re
import warnings

from etl_orchestrator.proving.doubt import CannotTell, QueryFails

# What only one of the two engines knows, or what they read differently.
_DIFFERENT = re.compile(
    r"\(\?[=!<#(>P]|\(\?[^:)]*[^:)ims][^:)]*[:)]|\\[1-9zZpPCQEGKRXhHvV]|\[\[|\[:|\{,|[*+?}]\+|--|&&|\|\||~~|\(\?[ims-]*U"
)
_WORDLIKE = re.compile(r"\\[bBwWdDsS]|\(\?[a-z]*i")


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    if _DIFFERENT.search(pattern):
        raise CannotTell(f"the pattern {pattern!r} may mean something else in RE2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(pattern, re.ASCII)
        except (re.error, Warning, OverflowError, RecursionError):
            raise CannotTell(f"the pattern {pattern!r} is not understood") from None


def _subject(text: str, pattern: str) -> str:
    if "\n" in text or "\v" in text or (not text.isascii() and _WORDLIKE.search(pattern)):
        raise CannotTell(f"the pattern {pattern!r} on this text may mean something else in RE2")
    return text


def contains(text: str, pattern: str) -> bool:
    return compiled(pattern).search(_subject(text, pattern)) is not None


def extract(text: str, pattern: str) -> str | None:
    """REGEXP_EXTRACT: the one group, or the whole match when there is none."""
    found = compiled(pattern).search(_subject(text, pattern))
    if compiled(pattern).groups > 1:
        raise QueryFails("REGEXP_EXTRACT with more than one group")
    if found is None:
        return None
    result = found.group(compiled(pattern).groups)
    if result is None:
        raise CannotTell("a group that took no part in the match")
    return str(result)


def extract_all(text: str, pattern: str) -> list[str]:
    groups = compiled(pattern).groups
    if groups > 1:
        raise QueryFails("REGEXP_EXTRACT_ALL with more than one group")
    found = [match.group(groups) for match in _matches(text, pattern)]
    if None in found:
        raise CannotTell("a group that took no part in the match")
    return found


def replace(text: str, pattern: str, replacement: str) -> str:
    """REGEXP_REPLACE; groups as \\1 in the replacement."""
    _matches(text, pattern)
    if re.search(r"\\(?![0-9\\])|\\$", replacement):
        raise CannotTell("a backslash in the replacement")

    def put(match: re.Match[str]) -> str:
        def piece(reference: re.Match[str]) -> str:
            if reference[1] == "\\":
                return "\\"
            if int(reference[1]) > match.re.groups:
                raise QueryFails("REGEXP_REPLACE names a group that is not there")
            return match.group(int(reference[1])) or ""

        return re.sub(r"\\([0-9\\])", piece, replacement)

    return compiled(pattern).sub(put, text)


def _matches(text: str, pattern: str) -> list[re.Match[str]]:
    """All matches; RE2 and Python go on differently after an empty one."""
    found = list(compiled(pattern).finditer(_subject(text, pattern)))
    if any(match.start() == match.end() for match in found):
        raise CannotTell(f"the pattern {pattern!r} matches nothing, too")
    return found


@functools.lru_cache(maxsize=512)
def _like(pattern: str) -> re.Pattern[str]:
    pieces: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                raise QueryFails("LIKE pattern ends with a backslash")
            pieces.append(re.escape(escaped))
        else:
            pieces.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(pieces), re.DOTALL)


def like(text: str, pattern: str) -> bool:
    return _like(pattern).fullmatch(text) is not None
