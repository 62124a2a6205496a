"""explain and list: what the program consists of, read from its own tuples."""

from __future__ import annotations

import difflib
import inspect
import re
from pathlib import Path
from typing import Any

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.outcome import Outcome, of_error
from etl_orchestrator.phase import Gate


def gates() -> dict[str, tuple[str, Gate]]:
    """Every gate by code, with the phase at whose way out it stands."""
    from etl_orchestrator.phases.order import PHASES

    found: dict[str, tuple[str, Gate]] = {}
    for phase in PHASES:
        for gate in phase.gates:
            found.setdefault(gate.code, (phase.name, gate))
    return found


def explain(code: str) -> Outcome:
    """The page of a gate, by code or name."""
    known = gates()
    wanted = code.strip().upper()
    by_name = {gate.name.upper(): gate.code for _, gate in known.values()}
    found = known.get(wanted) or known.get(by_name.get(wanted.replace("-", "_"), ""))
    if found is None:
        near = difflib.get_close_matches(wanted, [*known, *by_name], 3)
        fix = f"did you mean {', '.join(near)}?" if near else "etl-orchestrator list gates"
        return of_error("explain", InvalidInput(f"there is no gate `{code}`", fix=fix))
    phase, gate = found
    data = {"code": gate.code, "name": gate.name, "phase": phase, "owner": gate.owner, "text": gate.page}
    return Outcome("explain", "delivered", data=data)


def listing(kind: str) -> Outcome:
    """The entries of one kind, each with a line about it."""
    makers = {"phases": _phases, "gates": _gates, "skills": _skills, "engines": _engines, "monitors": _monitors}
    if kind not in makers:
        return of_error("list", InvalidInput(f"there is no list of `{kind}`", fix=", ".join(makers)))
    return Outcome("list", "delivered", data=makers[kind]())


def _phases() -> list[dict[str, Any]]:
    from etl_orchestrator.phases.order import PHASES

    return [
        {"name": f"{number}. {phase.name}", "about": f"skill {phase.skill}, {len(phase.gates)} gates"}
        for number, phase in enumerate(PHASES, 1)
    ]


def _gates() -> list[dict[str, Any]]:
    return [
        {"name": f"{code} {gate.name}", "about": gate.page.splitlines()[0] if gate.page else "", "phase": phase}
        for code, (phase, gate) in gates().items()
    ]


def _skills() -> list[dict[str, Any]]:
    import etl_orchestrator.skills

    found = []
    for page in sorted(Path(etl_orchestrator.skills.__path__[0]).glob("*/SKILL.md")):
        about = re.search(r"^description:\s*(.+)$", page.read_text(), re.MULTILINE)
        found.append({"name": page.parent.name, "about": about.group(1) if about else "", "text": page.read_text()})
    return found


def _engines() -> list[dict[str, Any]]:
    from etl_orchestrator.engines import ENGINES, SECOND_OPINIONS

    return [
        {"name": name, "about": (inspect.getdoc(type(make(None))) or "").partition("\n")[0]}
        for name, make in (*ENGINES, *SECOND_OPINIONS)
    ]


def _monitors() -> list[dict[str, Any]]:
    from etl_orchestrator.monitors import MONITORS

    return [{"name": monitor.name, "about": monitor.about} for monitor in MONITORS]
