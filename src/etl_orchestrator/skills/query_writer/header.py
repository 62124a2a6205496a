"""The comment at the head of a query: what it makes, its grain and its sources."""

from __future__ import annotations

import re
import textwrap

from etl_orchestrator.requirements import Requirements

_WIDTH = 100


def header(requirements: Requirements) -> str:
    """Comment lines, already laid out: the formatter never touches a comment."""
    lines = [_harmless(requirements.description)]
    if grain := _grain(requirements):
        lines.append(f"Grain: {_harmless(grain)}")
    text = [line for part in lines for line in textwrap.wrap(part, _WIDTH - 3)]
    if requirements.sources:
        text += ["Sources:", *(f"  {source}" for source in requirements.sources)]
    return "".join(f"-- {line}\n" for line in text)


def _grain(requirements: Requirements) -> str:
    grain = requirements.request.grain
    if isinstance(grain, str):
        return grain
    keys = grain or requirements.keys
    if not keys:
        return ""
    *first, last = keys
    return f"one row per {', '.join(first)} and {last}" if first else f"one row per {last}"


def _harmless(text: str) -> str:
    """The words in one line, without what the formatter or Jinja would obey (`format: off`, braces)."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\bformat\s*:?\s*(on|off)\b", r"format-\1", text, flags=re.IGNORECASE)
    return re.sub(r"([{}%#])(?=[{}%#])", r"\1 ", text)
