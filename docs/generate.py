"""Writes the generated pages of docs/: gates.md, cli.md, requirements.schema.json. A test fails when they are not current.

python docs/generate.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def gates_page() -> str:
    """Every gate's explain page, by room."""
    from etl_orchestrator.api.inventory import gates

    parts = ["# Gates", "Generated from `src/etl_orchestrator/gates/` by `python docs/generate.py`."]
    room = ""
    for code, (phase, gate) in sorted(gates().items(), key=lambda item: (item[1][0], item[0])):
        if phase != room:
            room = phase
            parts.append(f"## {phase}")
        parts.append(f"### {code} {gate.name}")
        parts.append(f"Mended in: {gate.owner}.")
        parts.append(f"```text\n{gate.page}\n```")
    return "\n\n".join(parts) + "\n"


def cli_page() -> str:
    """Every command's --help, as a process of its own prints it."""
    from etl_orchestrator.cli import cli

    parts = ["# Commands", "Generated from `--help` by `python docs/generate.py`. `etlo` is a short alias."]
    parts.append(f"```text\n{_help()}```")
    parts += [f"## {name}\n\n```text\n{_help(name)}```" for name in sorted(cli.commands)]
    return "\n\n".join(parts) + "\n"


def requirements_schema() -> str:
    """The JSON Schema of the YAML form of requirements."""
    from etl_orchestrator.intake.yaml_keys import json_schema_text

    return json_schema_text()


def _help(*command: str) -> str:
    words = [sys.executable, "-m", "etl_orchestrator", *command, "--help"]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout


PAGES = {"gates.md": gates_page, "cli.md": cli_page, "requirements.schema.json": requirements_schema}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make())
