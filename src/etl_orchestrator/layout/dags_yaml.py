"""dags.yaml: the schedules a table can be put on."""

from __future__ import annotations

import re
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text
from etl_orchestrator.tools import Dag

_TIER = re.compile(r"impact/(tier_[123])\Z")


def read(text: str, at: str) -> tuple[Dag, ...]:
    """The DAGs in the order of the file; the tier comes from the tag `impact/tier_N`."""
    document = yaml_text.load(text, at)
    if document is None:
        return ()
    if not isinstance(document, dict):
        raise InvalidInput("not a mapping of DAG names", at=at)
    return tuple(_dag(name, entry, at) for name, entry in document.items())


def _dag(name: Any, entry: Any, at: str) -> Dag:
    if not isinstance(name, str) or not isinstance(entry, dict):
        raise InvalidInput(f"the DAG `{name}` is not a mapping", at=at)
    schedule = entry.get("schedule_interval")
    if schedule is None:
        raise InvalidInput(f"the DAG `{name}` has no `schedule_interval`", at=at)
    defaults, tags = entry.get("default_args") or {}, entry.get("tags") or []
    if not isinstance(defaults, dict) or not isinstance(tags, list):
        raise InvalidInput(f"`default_args` is a mapping and `tags` a list, not so in the DAG `{name}`", at=at)
    tiers = [match[1] for tag in tags if (match := _TIER.match(str(tag)))]
    return Dag(
        name=name,
        schedule=str(schedule),
        owner=str(defaults.get("owner") or ""),
        tier=tiers[0] if tiers else "",
        description=str(entry.get("description") or "").strip(),
        tags=tuple(map(str, tags)),
    )
