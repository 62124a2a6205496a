"""Which query parameters a statement names, and of which types those are that a table is run with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from etl_orchestrator.errors import InvalidInput

# Strings, quoted names and comments are passed over, as are system variables (@@name); raw strings need no care, since
# a backslash before the closing quote is not allowed in them either.
_TOKEN = re.compile(
    r"""'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`"""
    r"""|--[^\n]*|\#[^\n]*|/\*.*?\*/|@@\w+|@(?P<name>[A-Za-z_]\w*)""",
    re.S,
)


def used_parameters(sql: str) -> frozenset[str]:
    """Names of the parameters in a query's text, all branches of a template included; comments and strings are not."""
    return frozenset(first_uses(sql))


def first_uses(sql: str) -> dict[str, int]:
    """The same with the offset at which each stands first."""
    found: dict[str, int] = {}
    for match in _TOKEN.finditer(sql):
        if match["name"]:
            found.setdefault(match["name"], match.start())
    return found


#: A parameter as an argument of the bq command line, in a script or in metadata.yaml.
_ARGUMENT = re.compile(r"--parameter[= ][\"']?([A-Za-z_]\w*):(\w*):")

#: What bigquery-etl's `query initialize` gives besides, so that a first run can be done a sample at a time.
_OF_FIRST_RUN = {"sample_id": "INT64", "sampling_batch_size": "INT64"}


def typed(metadata: str | None, at: str, is_init: bool = False) -> dict[str, str]:
    """The parameters that a table's metadata.yaml says it is run with, by GoogleSQL type.

    Always there is `submission_date`, the day that a run is about. A file that cannot be read says nothing.
    """
    return {**(_OF_FIRST_RUN if is_init else {}), **dict(_typed(metadata or "", at))}


@lru_cache(maxsize=1024)
def _typed(metadata: str, at: str) -> tuple[tuple[str, str], ...]:
    from etl_orchestrator.layout import metadata_yaml  # what it says is mostly kept

    try:
        scheduling = metadata_yaml.read(metadata, at).scheduling if metadata else {}
    except InvalidInput:
        scheduling = {}
    found = {"submission_date": "DATE"}
    partition = scheduling.get("date_partition_parameter")
    if partition:
        found[str(partition)] = "DATE"
    for parameter in scheduling.get("parameters") or ():
        name, _, rest = str(parameter).strip().partition(":")
        found[name] = rest.partition(":")[0].upper() or "STRING"
    for argument in scheduling.get("arguments") or ():
        found.update(from_scripts([str(argument)]))
    return tuple(found.items())


def from_scripts(texts: Iterable[str]) -> dict[str, str]:
    """The parameters that scripts give to the queries they run, by type; those left out that they give in several
    types."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for name, kind in _ARGUMENT.findall(text):
            found.setdefault(name, set()).add(kind.upper() or "STRING")
    return {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1}
