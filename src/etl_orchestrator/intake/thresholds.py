"""Large numbers of rows in `refuse_when`, made query parameters: `COUNT(*) < 10000` becomes `COUNT(*) < @min_count`.

No test that people read has ten thousand rows. With the number in a parameter the scheduled query compares with the same
number as before, and the tests, which set a small one and say so, see the guard pass and fail.
"""

from __future__ import annotations

import re
from dataclasses import replace

from etl_orchestrator.intake.reading import parameters_used
from etl_orchestrator.requirements import Parameter, Request
from etl_orchestrator.sql.scan import Token, text_at, tokens

#: More rows than this are no readable test.
_MOST = 40
_COUNTS = ("COUNT", "COUNTIF", "APPROX_COUNT_DISTINCT")
_NAMES = {"<": "min_count", "<=": "min_count", ">": "max_count", ">=": "max_count"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def lifted(request: Request) -> tuple[Request, tuple[str, ...]]:
    """The request with a parameter for each large number that a count is compared with, and what is to be said of it.

    A table without a schedule keeps its numbers: nobody would supply the parameter."""
    if request.schedule is not None and request.schedule.none:
        return request, ()
    taken = {parameter.name.lower() for parameter in request.parameters} | {
        name.lower() for name in parameters_used(request)
    }
    refusals, parameters, said = [], list(request.parameters), []
    for refusal in request.refuse_when:
        condition = refusal.condition
        for token, kind in reversed(_large(condition)):
            name = _free(kind, taken)
            condition = f"{condition[: token.start]}@{name}{condition[token.end :]}"
            parameters.append(Parameter(name, "INT64", token.text))
            said.append(
                f"`{refusal.condition}`: {token.text} is the query parameter @{name}, so that tests can be small"
            )
        refusals.append(replace(refusal, condition=condition))
    return replace(request, refuse_when=tuple(refusals), parameters=tuple(parameters)), tuple(said)


def _free(name: str, taken: set[str]) -> str:
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def _large(condition: str) -> list[tuple[Token, str]]:
    """The numbers, each with the name of its parameter."""
    found = tokens(condition)
    large = []
    for place, token in enumerate(found):
        if token.kind != "number" or not re.fullmatch(r"\d+", token.text) or int(token.text) <= _MOST:
            continue
        before, after = text_at(found, place - 1) if place else "", text_at(found, place + 1)
        if before in _NAMES and _alone(after) and _counts_before(found, place - 2):
            large.append((token, _NAMES[before]))
        elif after in _NAMES and _alone(before) and _counts_after(found, place + 2):
            large.append((token, _NAMES[_MIRRORED[after]]))
    return large


def _alone(neighbour: str) -> bool:
    """Whether the number is a whole side of the comparison."""
    return neighbour in ("", "(", ")", ",") or neighbour.upper() in (
        "AND", "OR", "NOT", "THEN", "ELSE", "END", "WHEN", "WHERE",
    )  # fmt: skip


def _counts_before(found: tuple[Token, ...], close: int) -> bool:
    """Whether the bracket that closes here is that of a count, or of a subquery that is one."""
    opened = next((place for place, token in enumerate(found) if token.mate == close), -1)
    if opened < 0 or close < 0:
        return False
    alone = opened < 2 or found[opened - 2].kind != "mark"
    return (opened > 0 and alone and found[opened - 1].upper in _COUNTS) or _is_count(found, opened)


def _counts_after(found: tuple[Token, ...], first: int) -> bool:
    """Whether a count, or a subquery that is one, begins here and is the whole side of the comparison."""
    if first >= len(found):
        return False
    opened = first + 1 if found[first].upper in _COUNTS else first
    known = text_at(found, opened) == "(" and (opened > first or _is_count(found, opened))
    return known and _alone(text_at(found, found[opened].mate + 1))


def _is_count(found: tuple[Token, ...], opened: int) -> bool:
    return text_at(found, opened + 1).upper() == "SELECT" and text_at(found, opened + 2).upper() in _COUNTS
