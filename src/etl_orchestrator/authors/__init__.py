"""Who proposes text: rules (no LLM) and a scripted double."""

from __future__ import annotations

from etl_orchestrator.authors.rules import RulesAuthor
from etl_orchestrator.authors.scripted import ScriptedAuthor

AUTHORS = (RulesAuthor, ScriptedAuthor)

__all__ = ["AUTHORS", "RulesAuthor", "ScriptedAuthor"]
