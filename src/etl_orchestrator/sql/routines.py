"""Which routines a text calls and which a file defines, read from the words alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: GoogleSQL's own names with a dot before a parenthesis; every other such name is a routine of somebody's dataset.
_OWN = frozenset(["safe", "net", "keys", "aead", "hll_count", "kll_quantiles", "ml", "ai", "d3a_count", "st", "obj"])
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
_DEFINED = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:(?:aggregate|table)\s+)?(?:function|procedure)\s+(?:if\s+not\s+exists\s+)?"
    r"(?P<path>(?:`[^`\n]+`|[A-Za-z_][\w-]*)(?:\s*\.\s*(?:`[^`\n]+`|\w+))*)",
    re.IGNORECASE,
)


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
    """The CREATE statements of persistent routines in a text: the name without backticks, the statement."""
    for statement in _statements(sql):
        head = _DEFINED.match(statement)
        if head and "." in head["path"]:
            yield re.sub(r"[`\s]", "", head["path"]), statement


def _statements(sql: str) -> Iterator[str]:
    """The statements of a text without what stands before them; a procedure ends with its body, not inside."""
    start: int | None = None
    depth = 0
    words: list[str] = []
    for match in _WORDS.finditer(sql):
        if match["skip"]:
            continue
        start = match.start() if start is None else start
        word = match.group().upper()
        if word == ";" and depth == 0:
            yield sql[start : match.start()]
            start, words = None, []
            continue
        if match["path"]:
            depth += _deeper(words, word)
            words.append(word)
        elif word != ";":
            words.append(word)
        else:
            words.append(";")
    if start is not None:
        yield sql[start:]


#: Words that open a block closed by END, and those whose own END word follows END.
_OPENING = frozenset(["BEGIN", "CASE"])
_NAMED_END = frozenset(["IF", "LOOP", "WHILE", "REPEAT", "FOR"])


def _deeper(before: list[str], word: str) -> int:
    """How a word of a script changes the depth of its blocks."""
    last = before[-1] if before else ""
    if word == "END":
        return -1
    if word == "BEGIN":
        return 1
    if word == "CASE":
        return 0 if last == "END" else 1
    # IF( is a function; a statement begins a text, follows `;` or one of the words that open a list of statements.
    opens = word in _NAMED_END and last in ("", ";", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT")
    return 1 if opens else 0
