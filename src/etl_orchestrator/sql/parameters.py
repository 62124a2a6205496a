"""Which query parameters a statement names."""

from __future__ import annotations

import re

# Strings, quoted names and comments are passed over, as are system variables (@@name); raw strings need no care, since
# a backslash before the closing quote is not allowed in them either.
_TOKEN = re.compile(
    r"""'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`"""
    r"""|--[^\n]*|\#[^\n]*|/\*.*?\*/|@@\w+|@(?P<name>[A-Za-z_]\w*)""",
    re.S,
)


def used_parameters(sql: str) -> frozenset[str]:
    """Names of the parameters in a query's text, all branches of a template included; comments and strings are not."""
    return frozenset(match["name"] for match in _TOKEN.finditer(sql) if match["name"])
