"""The emitter of YAML, behind `yaml_text`: always that of Python, so that the bytes do not depend on the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.layout.yaml_reader import LOADER
from etl_orchestrator.layout.yaml_text import STANDARD

# Text that some reader of YAML (1.1 or 1.2, or of JSON) takes for a number, a truth value or nothing, beyond what
# PyYAML's own resolver already quotes.
_DOUBTFUL = re.compile(r"[-+]?(\d[\d_]*)?\.?[\d_]*([eE][-+]?\d+)?\Z|0[oxb][0-9a-fA-F_]+\Z|[yYnN]\Z")

# Line breaks of YAML 1.1 that PyYAML 6.0 loses in every style but double quotes, where it escapes them.
_EXOTIC_BREAK = re.compile("[\x85\u2028\u2029]")

#: yamllint of that repository allows 160; words that cannot be broken may be longer.
_WIDTH = 100
_LIMIT = 150


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if _EXOTIC_BREAK.search(text):
        style = '"'
    elif "\n" in text.rstrip("\n") and all(len(line) <= _LIMIT - 20 for line in text.split("\n")):
        style = "|"
    elif text and _DOUBTFUL.match(text):
        style = "'"
    return dumper.represent_scalar(f"{STANDARD}str", text, style=style)


def _represent_mapping(dumper: yaml.SafeDumper, value: Mapping[Any, Any]) -> yaml.Node:
    return dumper.represent_mapping(f"{STANDARD}map", value.items())


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(Mapping, _represent_mapping)  # type: ignore[type-abstract]


def dump(value: Any) -> str:
    """See `yaml_text.dump`."""
    try:
        text = str(
            yaml.dump(
                value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_WIDTH
            )
        )
    except yaml.YAMLError as error:
        raise InvalidInput(f"a {type(value).__name__} cannot be written as YAML: {error}") from error
    if all(len(line) <= _LIMIT for line in text.split("\n")):
        return text
    wrapped = "".join(f"{part}\n" for line in text.removesuffix("\n").split("\n") for part in _wrapped(line))
    return wrapped if yaml.load(wrapped, Loader=LOADER) == yaml.load(text, Loader=LOADER) else text


_FIRST_LINE = re.compile(r"\s*(- )*\S+:( |$)|\s*- ")


def _wrapped(line: str) -> list[str]:
    """PyYAML breaks only after its width is passed, so a long word (a link) sticks out: break before it as well.

    A single space between two words of a plain or quoted scalar may become a line break without a change of meaning.
    """
    indent = len(line) - len(line.lstrip())
    further = " " * (indent + 4 if _FIRST_LINE.match(line) else indent)
    parts: list[str] = []
    while len(line) > _LIMIT:
        cut = next((at for at in range(_LIMIT, len(further), -1) if _is_seam(line, at)), None)
        if cut is None:
            break
        parts.append(line[:cut])
        line = further + line[cut + 1 :]
    return [*parts, line]


def _is_seam(line: str, at: int) -> bool:
    return line[at] == " " and line[at - 1] not in " :-\\" and line[at + 1 : at + 2] not in ("", " ", "\\")
