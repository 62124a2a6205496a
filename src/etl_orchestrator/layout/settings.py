"""bqetl_project.yaml: what a repository says of itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout import yaml_text
from etl_orchestrator.tools import Settings


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


def _section(document: dict[str, Any], name: str, at: str) -> dict[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise InvalidInput(f"`{name}` is not a mapping", at=at)
    return section
