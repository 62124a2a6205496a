"""What a rule can safely mend when the query comes back with findings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from etl_orchestrator.finding import Finding
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.table import Schema, walk

# The analyzer's words (GoogleSQL), as they stand in the message of a finding.
_AMBIGUOUS = re.compile(r"[Cc]olumn name `?(\w+)`? is ambiguous")
_LINE = re.compile(r":(\d+)(?::\d+)?\Z")
_TIMESTAMP_DATE = re.compile(r"argument types: (?:TIMESTAMP, DATE|DATE, TIMESTAMP)\b")
# `ts = @day`, `ts >= @day` and `ts < @day` have one reading each; `>`, `<=` and BETWEEN have two (is the day included?).
_COMPARED = re.compile(r"(?<![\w.`(])((?:\w+\.)*(\w+)) (=|>=|<) (@\w+|DATE '[^']*')(?!\w)")


def ambiguous_names(findings: Sequence[Finding]) -> frozenset[str]:
    """Column names which the analyzer called ambiguous; the writer may know by the join which one is meant."""
    return frozenset(name.lower() for finding in findings for name in _AMBIGUOUS.findall(finding.message))


def mended(text: str, findings: Sequence[Finding], requirements: Requirements, schemas: dict[str, Schema]) -> str:
    """The query with every TIMESTAMP that is compared with a day turned into its day, in the lines found fault with."""
    dates = {parameter.name.lower() for parameter in requirements.parameters if parameter.type.upper() == "DATE"}
    types: dict[str, set[str]] = {}
    for schema in schemas.values():
        for path, field in walk(schema):
            types.setdefault(path.rpartition(".")[2].lower(), set()).add(field.type)

    def day(match: re.Match[str]) -> str:
        path, name, operator, value = match.groups()
        is_day = not value.startswith("@") or value[1:].lower() in dates
        if types.get(name.lower()) != {"TIMESTAMP"} or not is_day:
            return match.group(0)
        return f"DATE({path}) {operator} {value}"

    lines = text.split("\n")
    for finding in findings:
        place = _LINE.search(finding.at)
        number = int(place[1]) if place else 0
        if _TIMESTAMP_DATE.search(finding.message) and 0 < number <= len(lines):
            lines[number - 1] = _COMPARED.sub(day, lines[number - 1])
    return "\n".join(lines)
