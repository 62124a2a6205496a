"""How names and types are written in GoogleSQL: in backticks only where they must be."""

from __future__ import annotations

import re
from functools import lru_cache

from etl_orchestrator.requirements import Column
from etl_orchestrator.sql.formatter import format_sql
from etl_orchestrator.sql.tokens import RESERVED

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: GoogleSQL's spelling of the legacy type names of schema.yaml.
_STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


@lru_cache(maxsize=1024)
def quoted(name: str) -> str:
    """The name or dotted table name, in backticks when GoogleSQL would read it as something else, or the formatter
    would write it in capitals (`date`), which would rename a column."""
    plain = _PLAIN.match(name) and name.upper() not in RESERVED and format_sql(f"SELECT {name}").split()[1] == name
    return name if plain else f"`{name}`"


def standard_type(column: Column) -> str | None:
    """The declared type as GoogleSQL spells it (`ARRAY<STRUCT<a INT64>>`), None when it is not declared in full."""
    if column.type is None:
        return None
    name = _STANDARD.get(column.type.upper(), column.type.upper())
    if name == "STRUCT":
        parts = [(part.name, standard_type(part)) for part in column.fields]
        if not parts or any(kind is None for _, kind in parts):
            return None
        name = f"STRUCT<{', '.join(f'{quoted(part)} {kind}' for part, kind in parts)}>"
    return f"ARRAY<{name}>" if (column.mode or "").upper() == "REPEATED" else name
