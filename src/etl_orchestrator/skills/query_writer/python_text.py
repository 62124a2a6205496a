"""Python source the way black lays it out: lines of 88, an exploded bracket ends in a comma."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from etl_orchestrator.requirements import Column

_WIDTH = 88


def string(value: str) -> str:
    """A literal in double quotes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")


def docstring(summary: str, body: str) -> str:
    """A module docstring: the summary on its own line, then the body; raw when it holds a backslash."""
    body = body.replace('"""', "'''")
    prefix = "r" if "\\" in body else ""
    lines = "\n".join(line.rstrip() for line in body.splitlines())
    return f'{prefix}"""{summary}\n\n{lines}\n"""'


def imports(wanted: Iterable[str]) -> str:
    """The imports sorted as isort's black profile does: standard library, then third parties; plain before from."""
    lines = {*wanted, "from argparse import ArgumentParser", "from google.cloud import bigquery"}
    third = {line for line in lines if line.split()[1].split(".")[0] in {"requests", "google"}}
    groups = [sorted(lines - third, key=_order), sorted(third, key=_order)]
    return "\n\n".join("\n".join(group) for group in groups)


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.split()[1]


def raw_block(value: str) -> str:
    """A triple-quoted literal of SQL text."""
    escaped = value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\n{escaped.rstrip()}\n"""'


def entry(name: str, value: str) -> str:
    """An entry of the dictionary of a row, broken where black breaks it."""
    line = f"        {string(name)}: {value},"
    if len(line) <= _WIDTH or "(" not in value:
        return line
    if " or " in value:
        first, last = value.split(" or ", 1)
        return f"        {string(name)}: (\n            {first}\n            or {last}\n        ),"
    call, arguments = value[:-1].split("(", 1)
    inner = f"            {arguments}"
    if len(inner) > _WIDTH:
        inner = "\n".join(f"            {part}," for part in arguments.split(", "))
    return f"        {string(name)}: {call}(\n{inner}\n        ),"


def schema_field(column: Column, depth: int) -> str:
    """A bigquery.SchemaField with its parts."""
    pad = "    " * depth
    arguments = [string(column.name), string((column.type or "STRING").upper())]
    if (column.mode or "NULLABLE").upper() != "NULLABLE":
        arguments.append(f"mode={string((column.mode or '').upper())}")
    if column.fields:
        parts = "\n".join(schema_field(part, depth + 2) for part in column.fields)
        lines = "".join(f"{pad}    {argument},\n" for argument in arguments)
        return f"{pad}bigquery.SchemaField(\n{lines}{pad}    fields=[\n{parts}\n{pad}    ],\n{pad}),"
    line = f"{pad}bigquery.SchemaField({', '.join(arguments)}),"
    if len(line) <= _WIDTH:
        return line
    inner = f"{pad}    {', '.join(arguments)}"
    if len(inner) > _WIDTH:
        inner = ",\n".join(f"{pad}    {argument}" for argument in arguments) + ","
    return f"{pad}bigquery.SchemaField(\n{inner}\n{pad}),"


def listing(prefix: str, values: Sequence[str], indent: int) -> str:
    """A list of strings, one a line when it does not fit."""
    line = f"{prefix}[{', '.join(map(string, values))}]"
    if indent + len(line) + 1 <= _WIDTH:
        return line
    pad = " " * (indent + 4)
    return f"{prefix}[\n" + "".join(f"{pad}{string(value)},\n" for value in values) + " " * indent + "]"


def argument(flag: str, rest: str) -> str:
    """A call of add_argument."""
    line = f"    parser.add_argument({string(flag)}{rest})"
    if len(line) <= _WIDTH:
        return line
    inner = f"        {string(flag)}{rest}"
    if len(inner) > _WIDTH:
        parts = [string(flag), *rest.removeprefix(", ").split(", ", 2)]
        inner = ",\n".join(f"        {part}" for part in parts) + ","
    return f"    parser.add_argument(\n{inner}\n    )"
