"""Writes the generated pages of docs/: gates.md, cli.md. A test fails when they are not current.

python docs/generate.py
"""

from __future__ import annotations

from pathlib import Path

import click

HERE = Path(__file__).parent


def gates_page() -> str:
    """Every gate's explain page, by room."""
    from etl_orchestrator.api.listing import gates

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
    """Every command's --help."""
    from etl_orchestrator.cli import cli

    parts = ["# Commands", "Generated from `--help` by `python docs/generate.py`. `etlo` is a short alias."]
    context = click.Context(cli, info_name="etl-orchestrator", terminal_width=100, help_option_names=["-h", "--help"])
    parts.append(f"```text\n{cli.get_help(context)}\n```")
    for name, command in sorted(cli.commands.items()):
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```")
    return "\n\n".join(parts) + "\n"


PAGES = {"gates.md": gates_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make())
