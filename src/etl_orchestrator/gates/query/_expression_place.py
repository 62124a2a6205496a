"""Where in the requirements the expression stands that is at a place of the query."""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.requirements import Request
from etl_orchestrator.sql.tokens import COMMENTS, Kind, tokenize
from etl_orchestrator.tools import SqlProblem

#: A word as it is compared, with its start and end in the text.
_Word = tuple[str, int, int]


def place_of_expression(request: Request, query: str, problem: SqlProblem) -> tuple[str, str] | None:
    """The element of the requirements (`columns.revenue.expression`) and its `path:line`, for a problem of the query.

    The longest expression that stands there counts, of the same ones that of the column whose name follows. The writer may have put an alias before a name or taken one away.
    None when no expression does: the place is what a rule wrote, or another text than the requirements'.
    """
    words = _words(query)
    position = sum(len(one) + 1 for one in query.split("\n")[: problem.line - 1]) + max(problem.column - 1, 0)
    # Where the grammar stumbles over the first word, what stands before it is wrong.
    past = int(problem.message.startswith("Syntax error"))
    found: list[tuple[int, str]] = []
    for element, text in request.expressions():
        wanted = [word for word, _, _ in _words(text)]
        for start in range(len(words)) if wanted else ():
            end = _end(words, start, wanted)
            if end is not None and words[start][1] + past <= position < words[end][2]:
                after = [word for word, _, _ in words[end + 1 : end + 3]]
                found.append((start - end - (after == ["as", element.split(".")[-2:][0].casefold()]), element))
    if not found:
        return None
    element = min(found, key=lambda one: one[0])[1]
    return element, request.at(element)


def _words(text: str) -> list[_Word]:
    try:
        tokens = [token for token in tokenize(text) if token.kind not in COMMENTS]
    except InvalidInput:
        return []
    found: list[_Word] = []
    for token in tokens:
        if token.kind is not Kind.QUOTED_NAME:
            found.append((token.text.casefold(), token.start, token.end))
            continue
        for part in token.text.strip("`").casefold().split("."):
            found += [(".", token.start, token.end)] if found and found[-1][1] == token.start else []
            found.append((part, token.start, token.end))
    return found


def _end(words: list[_Word], start: int, wanted: list[str]) -> int | None:
    """The place of the last word when `wanted` begins at `start`, an alias before a name counting for nothing."""
    place = start - 1
    number = 0
    while number < len(wanted):
        here = place + 1
        if here < len(words) and words[here][0] == wanted[number]:
            place, number = here, number + 1
        elif [word for word, _, _ in words[here + 1 : here + 3]] == [".", wanted[number]]:
            place, number = here + 2, number + 1
        elif here < len(words) and wanted[number + 1 : number + 3] == [".", words[here][0]]:
            place, number = here, number + 3
        else:
            return None
    return place
