"""YAML in and out: one reader that refuses what is doubtful, one emitter for every file we make.

Both are imported when they are first used: PyYAML takes a tenth of a start, and what files say is mostly kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

#: A tag handler gets the value of the tagged node and its `path:line`.
Handler = Callable[[Any, str], Any]
#: Begins the tags that are YAML's own.
STANDARD = "tag:yaml.org,2002:"


def load(text: str, at: str, tags: Mapping[str, Handler] | None = None) -> Any:
    """The one document of a text as plain Python values, dates as `date` and `datetime`.

    `at` names the text in errors. Raises InvalidInput with `path:line` for anything that is not YAML, a key given
    twice, an alias bomb, nesting beyond 100 levels, a second document, and every tag without a handler in `tags`.
    """
    node = compose(text, at)
    return None if node is None else value_of(node, at, tags)


def value_of(node: yaml.Node, at: str, tags: Mapping[str, Handler] | None = None) -> Any:
    """The value of a node of `compose`; raises as `load` does."""
    from etl_orchestrator.layout import yaml_reader

    return yaml_reader.value_of(node, at, tags or {})


def compose(text: str, at: str) -> yaml.Node | None:
    """The node tree of a text, for a reader who needs lines; None for an empty text."""
    from etl_orchestrator.layout import yaml_reader

    return yaml_reader.compose(text, at)


def dump(value: Any) -> str:
    """Block-style YAML, keys in the order given, sequences at the column of their key, ending in one line break.

    Takes str, int, float, bool, None, date, datetime, lists, tuples and mappings; anything else is InvalidInput.
    """
    from etl_orchestrator.layout import yaml_writer

    return yaml_writer.dump(value)
