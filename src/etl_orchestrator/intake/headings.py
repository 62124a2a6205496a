"""The headings of the Markdown form and of its tables, with everything people write instead of them."""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements
from etl_orchestrator.intake.markdown_text import heading_key

#: What a heading stands for, by its key (`markdown_text.heading_key`). "kept" is for people and for an author.
_SYNONYMS = {
    "table": "table; table name; output table; target table; destination table; destination; model; model name",
    "friendly_name": "friendly name; title",
    "description": "description; overview; summary; purpose; about",
    "grain": "grain; granularity; row grain; one row; what one row means; primary key; key; unique key",
    "sources": "source data; source; source table; data source; input; input table; upstream table",
    "schemas": "source schema; schema of source; schema of the source; inline schema",
    "keep": "row to keep; row filter; filter; row; row selection; which row to keep",
    "columns": "field summary; field; column; output column; output field; output; column summary; column list",
    "derived": "derived field; derived column",
    "logic": "key logic; logic; business logic; transformation; key transformation; step; query logic; sql logic",
    "parameters": "parameter; query parameter",
    "partitioning": "partitioning; partition; partitioning clustering; storage; refresh",
    "clustering": "clustering; cluster",
    "schedule": "schedule; scheduling; dag",
    "owners": "owner; ownership",
    "status": "owner status; status",
    "tier": "tier; impact tier",
    "consumers": "consumer; downstream; used by; audience; stakeholder",
    "labels": "label; tag",
    "monitoring": "monitoring; data monitoring; monitor",
    "examples": "example; worked example; sample; example row",
    "retention": "retention policy; retention",
    "query": "query; existing query",
    "python": "python; python script; query py",
    "refuse_when": "refuse when; refuse; run must fail when",
    "kept": "useful link prior work; useful link; link; prior work; reference; dependency; upstream; blocked by; blocker; "
    "question this model should answer; question; business question; open question; lineage diagram; lineage; "
    "data governance; governance; classification; pii sensitive flag; pii; validation qa; validation; qa; background; "
    "context; note; working note; working note for sql development; remark; comment; glossary; appendix; changelog; "
    "history; motivation; assumption; risk; definition; metric definition; version; requirement; out of scope; scope",
}
#: Columns of the table of sources, of fields, of parameters.
SOURCE_HEADERS = {
    "table": "table; source; source table; name; table name",
    "alias": "alias; as; short name",
    "join": "join; join type; kind of join; join kind; type of join",
    "on": "join key; key; on; join on; join condition; join column",
    "matches": "matches; rows per match; cardinality",
    "filter": "filter logic; filter; where; row filter; condition",
    "notes": "note; why; purpose; description; comment; remark; reason",
}
COLUMN_HEADERS = {
    "name": "field; column; name; field name; column name; output field; output column",
    "description": "description; meaning; definition",
    "type": "type; data type; column type",
    "mode": "mode",
    "expression": "business logic transform note; business logic; logic; expression; transform note; transform; "
    "transformation; transformation logic; sql; calculation; derivation; formula; source logic",
}
PARAMETER_HEADERS = {"name": "name; parameter", "type": "type; data type", "value": "value; default; airflow value"}


def singular(key: str) -> str:
    """Every word in the singular, so that both numbers are one heading."""
    return " ".join(_one(word) for word in key.split())


def _one(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and word not in ("status", "as") else word


def _index(synonyms: dict[str, str]) -> dict[str, str]:
    return {singular(name.strip()): kind for kind, names in synonyms.items() for name in names.split(";")}


_KINDS = _index(_SYNONYMS)


def kind_of(title: str) -> str | None:
    """What a heading stands for, None when it is not known."""
    return _KINDS.get(singular(heading_key(title)))


def unknown(title: str, at: str) -> InvalidInput:
    """The refusal of a heading, with the nearest known one."""
    shown = [names.split(";")[0] for kind, names in _SYNONYMS.items() if kind != "kept"]
    close = elements.nearest(singular(heading_key(title)), _KINDS)
    fix = f"did you mean `{close[0].capitalize()}`?" if close else f"known are {', '.join(shown)}, Notes"
    return InvalidInput(f"the heading `{title}` is not known", at=at, fix=fix)


def columns_of(header: tuple[str, ...], synonyms: dict[str, str]) -> list[str]:
    """What each column of a table stands for; the header as written for one that is not known."""
    known = _index(synonyms)
    return [known.get(singular(heading_key(cell)), cell) for cell in header]
