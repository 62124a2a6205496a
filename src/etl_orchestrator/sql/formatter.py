"""GoogleSQL with Jinja in the style of mozilla/bigquery-etl, whose CI accepts nothing else.

`format_sql` moves white space and writes keywords in capitals; it never adds, drops or reorders a token, and formatting
twice changes nothing. Comments stay as they are, `-- format: off` … `-- format: on` keeps everything between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from etl_orchestrator.sql.formatter_layout import Layout, fold
from etl_orchestrator.sql.formatter_pieces import Reader
from etl_orchestrator.sql.tokens import tokenize

# Characters that are not GoogleSQL stick to what they touch, and touch more after a first pass.
_PASSES = 5


def format_sql(text: str, at: str = "") -> str:
    """The text in the house style, ending in one line break.

    Raises InvalidInput (`at` with line and column) for a string, comment, name or Jinja tag that is never closed,
    and for brackets without end.
    """
    for _ in range(_PASSES):
        reader = Reader(tokenize(text, at))
        layout = Layout(text, at)
        layout.run(reader.pieces())
        formatted = "".join(fold(layout.lines))
        if layout.formatting or not formatted.endswith("\n"):
            formatted += "\n"
        if not reader.unsure or formatted == text:
            return formatted
        text = formatted
    return text


def skipped(path: str, globs: Sequence[str]) -> bool:
    """True when a path, or its end from one of its folders on, is matched by one of the patterns.

    A `*` stays within one folder, `**` goes through any number of them, as in `format.skip` of the settings.
    """
    return any(_pattern(glob).search(path) for glob in globs)


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", glob.removeprefix("./"))
    inner = "".join(
        parts.get(piece, piece if piece[:1] == "[" and piece[-1:] == "]" else re.escape(piece)) for piece in pieces
    )
    return re.compile(rf"(?:^|/){inner}\Z")
