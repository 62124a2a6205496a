"""bqetl_project.yaml: what a repository says of itself."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import lru_cache
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text
from etl_orchestrator.tools import Answers, Settings


@lru_cache(maxsize=4)
def read(text: str, at: str) -> Settings:
    """The default project, the formatter's skip list (`format.skip`), and the whole document as `extra`, not to be changed."""
    document = yaml_text.load(text, at)
    if document is None:
        return Settings()
    if not isinstance(document, dict):
        raise InvalidInput("not a mapping", at=at)
    project = _section(document, "default", at).get("project", Settings().project)
    skip = _section(document, "format", at).get("skip") or []
    if not isinstance(project, str) or not isinstance(skip, list):
        raise InvalidInput("`default.project` is a name and `format.skip` a list", at=at)
    return Settings(project=project, skip_format=tuple(map(str, skip)), extra=document)


def remembered(text: str, at: str, answers: Answers) -> Settings:
    """The same, as an earlier process read it: the file is long, and asked for at each start."""
    key = f"settings {hashlib.sha256(text.encode()).hexdigest()}"
    kept = answers.recall(key)
    if kept is not None:
        project, skip, document = json.loads(kept, object_hook=_mapping)
        return Settings(project, tuple(skip), document)
    found = read(text, at)
    with suppress(TypeError):  # of a date, which JSON has not
        answers.keep(key, json.dumps(_paired([found.project, found.skip_format, found.extra])))
    return found


def _paired(value: Any) -> Any:
    """Mappings as pairs, for in JSON all keys are text."""
    if isinstance(value, dict):
        return {"pairs": [(key, _paired(item)) for key, item in value.items()]}
    return [_paired(item) for item in value] if isinstance(value, list | tuple) else value


def _mapping(paired: dict[str, Any]) -> dict[Any, Any]:
    return dict(paired["pairs"])


def _section(document: dict[str, Any], name: str, at: str) -> dict[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise InvalidInput(f"`{name}` is not a mapping", at=at)
    return section
