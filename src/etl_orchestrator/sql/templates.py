"""Jinja in SQL files, rendered as mozilla/bigquery-etl renders its queries.

A template knows `is_init()`, what it imports and includes, and `metrics` (metric-hub), which needs the network. A
variable nobody set is empty, as there. Templates are run in Jinja's sandbox: they cannot reach Python, files or network,
nor multiply a text beyond all memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from types import TracebackType
from typing import Any

from etl_orchestrator.errors import InvalidInput, Unavailable

Read = Callable[[str], str | None]

_MARK = re.compile(r"\{[{%#]")
_LARGEST = 1_000_000
_MAIN = "<template>"  # what Jinja calls a template that was given as a text
# What the expressions of a template may raise while they are computed.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def has_template(text: str) -> bool:
    """True when a text holds Jinja (in comments and strings too: Jinja does not know SQL)."""
    return _MARK.search(text) is not None


def render(text: str, read: Read, *, is_init: bool = False, at: str = "") -> str:
    """The SQL that a template stands for.

    `read` gives the text of what the template includes or imports, by the name written there (relative to the folder of
    the file or to the repository: the reader tries both), and None for what is not there.
    Raises InvalidInput for a template that cannot be rendered, Unavailable for one that needs metric-hub.
    """
    if not has_template(text):
        return text
    from jinja2 import FunctionLoader, TemplateError, TemplateNotFound, TemplateSyntaxError
    from jinja2.sandbox import SandboxedEnvironment

    def source(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = None if _leaves(name) else read(name)
        return None if found is None else (found, name, lambda: True)

    environment = SandboxedEnvironment(loader=FunctionLoader(source))
    environment.intercepted_binops = frozenset({"*", "**"})
    environment.binop_table |= {"*": _product, "**": _power}
    variables = {"is_init": lambda: is_init, "metrics": _MetricHub()}
    try:
        return environment.from_string(text).render(variables)
    except TemplateSyntaxError as error:
        raise _invalid(error.message or "syntax error", _place(error.filename or _MAIN, error.lineno, at)) from error
    except TemplateNotFound as error:
        place = _raised_at(error.__traceback__, at)
        raise InvalidInput(
            f"the template reads {error.name}, which is not there", at=place, fix="correct the name or add the file"
        ) from error
    except (TemplateError, *_FAULTS) as error:
        raise _invalid(str(error) or type(error).__name__, _raised_at(error.__traceback__, at)) from error
    except Unavailable as error:
        raise Unavailable(error.message, at=_raised_at(error.__traceback__, at), fix=error.fix) from error


class _MetricHub:
    """Stands for metric-hub: whatever a template asks of it cannot be known here."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)

        def ask(*_: object, **__: object) -> str:
            raise Unavailable(
                f"metrics.{name}() is answered by metric-hub, which needs the network",
                fix=f"write the SQL that metrics.{name}() stands for into the query",
            )

        return ask


def _product(left: Any, right: Any) -> Any:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, Sized) and isinstance(times, int) and len(many) * times > _LARGEST:
            raise ValueError(f"a repetition of more than {_LARGEST} is refused")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > _LARGEST:
        raise ValueError(f"a power of more than {_LARGEST} bits is refused")
    return left**right


def _leaves(name: str) -> bool:
    """True for a name that would leave the folders the reader looks in."""
    return name.startswith("/") or "\\" in name or ".." in name.split("/")


def _invalid(message: str, place: str) -> InvalidInput:
    return InvalidInput(f"the template cannot be rendered: {message}", at=place, fix="correct the Jinja at this line")


def _raised_at(traceback: TracebackType | None, at: str) -> str:
    """The innermost line of a template in a traceback: Jinja gives its templates frames of their own."""
    place = at
    while traceback is not None:
        code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_globals
        if "__jinja_exception__" in names or code.co_filename == _MAIN:
            place = _place(code.co_filename, traceback.tb_lineno, at)
        traceback = traceback.tb_next
    return place


def _place(file: str, line: int, at: str) -> str:
    named = at if file == _MAIN else file
    return f"{named}:{line}" if named else f"line {line}"
