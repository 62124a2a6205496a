"""Whether a text leaves the order of elements in its arrays to the engine."""

from __future__ import annotations

from itertools import pairwise

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.scan import Token, tokens

_AGGREGATES = frozenset({"ARRAY_AGG", "ARRAY_CONCAT_AGG"})


def leaves_order_open(sql: str) -> bool:
    """Whether an ARRAY_AGG, ARRAY_CONCAT_AGG or ARRAY(subquery) in it has no ORDER BY of its own.

    BigQuery promises no order of elements there. False for a text that cannot be cut into tokens.
    """
    try:
        found = tokens(sql)
    except InvalidInput:
        return False
    return any(_collects(found, index) and not _is_sorted(found, index + 1) for index in range(len(found) - 1))


def _collects(found: tuple[Token, ...], index: int) -> bool:
    word, bracket = found[index].upper, found[index + 1]
    if bracket.text != "(":
        return False
    return word in _AGGREGATES or (word == "ARRAY" and found[index + 2].upper in ("SELECT", "WITH"))


def _is_sorted(found: tuple[Token, ...], opening: int) -> bool:
    inside = found[opening + 1 : found[opening].mate]
    depth = found[opening].depth + 1
    own = [token for token in inside if token.depth == depth]
    return any(one.upper == "ORDER" and other.upper == "BY" for one, other in pairwise(own))
