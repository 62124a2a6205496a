"""GoogleSQL expressions cut into tokens with their brackets paired, for judging what a text can do where it is pasted.

Unlike the formatter's tokens, comments and white space are no tokens here, Jinja is not read at all, and what cannot be
balanced is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from etl_orchestrator.errors import InvalidInput

#: Longest text and deepest nesting of brackets that a person writes.
MAX_LENGTH, MAX_DEPTH = 50_000, 60

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<line_comment>(?:--|\#)[^\n]*)
  | (?P<comment>/\*.*?\*/)
  | (?P<string>(?:[rR][bB]?|[bB][rR]?)?(?:'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}
        |'(?:\\.|[^\\'\n])*'|"(?:\\.|[^\\"\n])*"))
  | (?P<quoted>`(?:\\.|[^`\\\n])+`)
  | (?P<parameter>@@?(?:[A-Za-z_][\w.]*|`[^`\n]+`))
  | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
  | (?P<word>[A-Za-z_]\w*)
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<mark>\|\||\|>|=>|->|<=|>=|<>|!=|<<|>>|[-+*/%=<>,.;:&|^~!?])
  | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text that is neither white space nor comment. `depth` counts the brackets around it; `query` tells
    that it stands inside a subquery; `mate` is the index of the bracket that closes this one."""

    kind: str
    text: str
    start: int
    depth: int = 0
    query: bool = False
    mate: int = -1

    @property
    def upper(self) -> str:
        """The word in capitals; empty for anything that is no bare word."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a GoogleSQL text. Raises InvalidInput for what cannot be cut into tokens or balanced."""
    raw: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "bad"
        if kind == "bad":
            raise InvalidInput(_bad(match.group(), text, match.start()))
        if kind not in ("space", "line_comment", "comment"):
            raw.append(Token(kind, match.group(), match.start()))
    return _nested(raw)


def _bad(character: str, text: str, start: int) -> str:
    if character in "'\"`":
        return f"a string or quoted name is not closed: {shown(text[start:])}"
    if text.startswith("/*", start):
        return "a comment /* is not closed"
    visible = character if character.isprintable() else f"U+{ord(character):04X}"
    return f"the character `{visible}` has no meaning in GoogleSQL"


def _nested(raw: list[Token]) -> tuple[Token, ...]:
    """The tokens with depth, subquery and partner bracket filled in; the `<` of `ARRAY<…>` is a bracket too."""
    found: list[Token] = []
    stack: list[tuple[int, bool]] = []
    pending = list(reversed(raw))
    while pending:
        token = pending.pop()
        following = pending[-1].text if pending else ""
        if token.text == "/" and following == "*":
            raise InvalidInput("a comment /* is not closed")
        in_type = bool(stack) and found[stack[-1][0]].text == "<"
        if in_type and token.text == ">>":
            pending.append(Token("mark", ">", token.start + 1))
            token = Token("mark", ">", token.start)
        kind = token.kind
        if token.text == "<" and found and _begins_type(found):
            kind = "open"
        if kind == "close" or (in_type and token.text == ">"):
            kind = "close"
            _close(found, stack, token)
        inside = bool(stack) and stack[-1][1]
        found.append(Token(kind, token.text, token.start, len(stack), inside))
        if kind == "open":
            if len(stack) >= MAX_DEPTH:
                raise InvalidInput(f"brackets are nested more than {MAX_DEPTH} deep")
            stack.append((len(found) - 1, inside or _begins_query(token, pending)))
    if stack:
        raise InvalidInput(f"an opening `{found[stack[-1][0]].text}` is not closed")
    return tuple(found)


def _begins_type(found: list[Token]) -> bool:
    return found[-1].upper in ("ARRAY", "STRUCT", "RANGE") and (len(found) < 2 or found[-2].text != ".")


def _close(found: list[Token], stack: list[tuple[int, bool]], token: Token) -> None:
    """Pair the closing bracket, which will stand next, with its opening one."""
    if not stack or {"(": ")", "[": "]", "<": ">"}[found[stack[-1][0]].text] != token.text:
        raise InvalidInput(f"a closing `{token.text}` without its opening one")
    opened = stack.pop()[0]
    first = found[opened]
    found[opened] = Token(first.kind, first.text, first.start, first.depth, first.query, len(found))


def _begins_query(token: Token, pending: list[Token]) -> bool:
    """Whether the bracket holds a subquery; `pending` are the tokens behind it, last first."""
    if token.text != "(" or not pending:
        return False
    first, after = pending[-1].upper, pending[-2].text if len(pending) > 1 else ""
    return first in ("SELECT", "FROM") or (first == "WITH" and after != "(")


def dotted_path(found: tuple[Token, ...], index: int, dashes: bool = False) -> tuple[list[str], int]:
    """The dotted name that begins at `index`, and the index behind it; a table's project may hold dashes."""
    parts: list[str] = []
    while index < len(found) and found[index].kind in ("word", "quoted"):
        text = found[index].text.strip("`")
        index += 1
        while (
            dashes
            and text_at(found, index) == "-"
            and index + 1 < len(found)
            and found[index].start == found[index - 1].end
        ):
            text += "-" + found[index + 1].text
            index += 2
        parts.extend(text.split("."))
        if text_at(found, index) != ".":
            break
        index += 1
        if index < len(found) and found[index].text == "*":
            break
    if dashes and text_at(found, index) == "*" and parts and found[index].start == found[index - 1].end:
        parts[-1] += "*"
        index += 1
    return parts, index


def text_at(found: tuple[Token, ...], index: int) -> str:
    """The text of a token, empty behind the last one."""
    return found[index].text if index < len(found) else ""


def split(text: str, separator: str = ",") -> list[str]:
    """The parts of a text between separators outside brackets and strings, stripped."""
    parts, start = [], 0
    for token in tokens(text):
        if token.text == separator and not token.depth:
            parts.append(text[start : token.start].strip())
            start = token.end
    return [*parts, text[start:].strip()]


def shown(text: str) -> str:
    """The text on one line and in backticks, cut where it is long."""
    flat = " ".join(text.split())
    return f"`{flat[:60]}…`" if len(flat) > 60 else f"`{flat}`"
