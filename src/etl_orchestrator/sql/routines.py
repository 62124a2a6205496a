"""Which routines a text calls and which a file defines, read from the words alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from etl_orchestrator.sql import script
from etl_orchestrator.sql.script_nodes import Statement

#: GoogleSQL's own names with a dot before a parenthesis; every other such name is a routine of somebody's dataset.
_OWN = frozenset(
    ["bq", "safe", "net", "keys", "aead", "hll_count", "kll_quantiles", "ml", "ai", "d3a_count", "st", "obj"]
)
#: After these words a name and a parenthesis are no call but a list of columns or a definition.
_NO_CALL = frozenset(["insert", "into", "table", "view", "function", "procedure", "exists", "model", "index", "as"])

_WORDS = re.compile(
    r"""
      (?P<skip>\s+|\#[^\n]*|--[^\n]*|/\*.*?\*/
        |(?:[rR][bB]?|[bB][rR]?)?(?:\"{3}(?:\\.|.)*?\"{3}|'{3}(?:\\.|.)*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<path>(?:`[^`\n]+`|[A-Za-z_]\w*(?:-\w+)*)(?:\s*\.\s*(?:`[^`\n]+`|\w+))*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFINING = frozenset(["CREATE FUNCTION", "CREATE TABLE FUNCTION", "CREATE AGGREGATE FUNCTION", "CREATE PROCEDURE"])


def calls(sql: str) -> tuple[str, ...]:
    """The dotted names that are called like functions, without backticks, in order, each once."""
    found: dict[str, None] = {}
    before, path = "", ""
    for match in _WORDS.finditer(sql):
        if match["skip"]:
            continue
        if match["path"]:
            before, path = path, re.sub(r"[`\s]", "", match["path"])
            continue
        called = match["other"] == "(" and "." in path and before.lower() not in _NO_CALL
        if called and path.split(".")[0].lower() not in _OWN:
            found[path] = None
        # The word before a name matters only where nothing stands between the two.
        before = path = ""
    return tuple(found)


def definitions(sql: str) -> Iterator[tuple[str, str]]:
    """The CREATE statements of persistent routines in a text: the dotted name, the statement.

    Raises InvalidInput where the text is no script."""
    for statement in script.parse(sql):
        if isinstance(statement, Statement) and not statement.temporary and statement.kind in _DEFINING:
            yield ".".join(statement.name), statement.span.of(sql)
