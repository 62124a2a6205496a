"""Jinja in SQL files, rendered as mozilla/bigquery-etl renders its queries.

A template knows `is_init()`, what it imports and includes, and `metrics` (metric-hub), which needs the network. A
variable nobody set is empty, as there. Templates are run in Jinja's sandbox: they cannot reach Python, files or network,
nor multiply a text beyond all memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from etl_orchestrator.errors import InvalidInput, Unavailable

Read = Callable[[str], str | None]

_MARK = re.compile(r"\{[{%#]")
_BRANCH = re.compile(r"\{%\s*(?:(?P<if>if\s+(?P<not>not\s+)?is_init\(\))|(?P<else>else)|endif)\s*%\}")
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


@dataclass(frozen=True, slots=True)
class Template:
    """A text to be rendered, by the path `at` that messages name.

    `read` gives the text of what the template includes or imports, by the name written there (relative to the folder of
    the file or to the repository: the reader tries both), and None for what is not there. `prelude` are texts that
    stand before it, by path; `variables` are what it may use besides `is_init` and `metrics`.
    """

    text: str
    read: Read
    at: str = ""
    is_init: bool = False
    prelude: tuple[tuple[str, str], ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    raw: bool = False  # no template, whatever it looks like

    def render(self, mark: Callable[[str, str], str] | None = None) -> str:
        """The SQL that a template stands for; `mark` may change each source, given its path and text, before.

        Raises InvalidInput for a template that cannot be rendered, Unavailable for one that needs metric-hub.
        """
        if self.raw or (not has_template(self.text) and not self.prelude):
            return self.text
        marked = mark or (lambda path, text: text)
        whole = "\n".join(marked(path, text) for path, text in (*self.prelude, (self.at, self.text)))
        chosen = _chosen(whole, self.is_init) if "is_init" not in self.variables else None
        return chosen if chosen is not None else self._rendered(whole, marked)

    def _rendered(self, whole: str, marked: Callable[[str, str], str]) -> str:
        from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

        try:
            template = _environment(self.read, marked).from_string(whole)
            rendered: str = template.render(
                {"is_init": lambda: self.is_init, "metrics": _MetricHub(), **self.variables}
            )
            return rendered
        except TemplateSyntaxError as error:
            message = error.message or "syntax error"
            raise _invalid(message, self._place(error.filename or _MAIN, error.lineno)) from error
        except TemplateNotFound as error:
            place = self._raised_at(error.__traceback__)
            raise InvalidInput(
                f"the template reads {error.name}, which is not there", at=place, fix="correct the name or add the file"
            ) from error
        except (TemplateError, *_FAULTS) as error:
            raise _invalid(str(error) or type(error).__name__, self._raised_at(error.__traceback__)) from error
        except Unavailable as error:
            raise Unavailable(error.message, at=self._raised_at(error.__traceback__), fix=error.fix) from error

    def _raised_at(self, traceback: TracebackType | None) -> str:
        """The innermost line of a template in a traceback: Jinja gives its templates frames of their own."""
        place = self.at
        while traceback is not None:
            code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_globals
            if "__jinja_exception__" in names or code.co_filename == _MAIN:
                place = self._place(code.co_filename, traceback.tb_lineno)
            traceback = traceback.tb_next
        return place

    def _place(self, file: str, line: int) -> str:
        if file != _MAIN:
            return f"{file}:{line}"
        for path, text in self.prelude:
            length = text.count("\n") + 1
            if line <= length:
                return f"{path}:{line}"
            line -= length
        return f"{self.at}:{line}" if self.at else f"line {line}"


def _chosen(text: str, is_init: bool) -> str | None:
    """A text whose only Jinja are branches on is_init(), as Jinja renders it, which takes a tenth of a start to import.
    None for any other."""
    tags = list(_BRANCH.finditer(text))
    if text.count("{%") > len(tags) or "{{" in text or "{#" in text or "\r" in text:
        return None
    parts, reached = [], 0
    branches: list[tuple[bool, bool]] = []  # of each open `if`: whether its text is in, and whether it has an `else`
    for tag in tags:
        if all(is_in for is_in, _ in branches):
            parts.append(text[reached : tag.start()])
        reached = tag.end()
        if tag["if"]:
            branches.append((is_init is not bool(tag["not"]), False))
        elif not branches or (tag["else"] and branches[-1][1]):
            return None  # Jinja tells what is wrong
        else:
            is_in, _ = branches.pop()
            branches += [(not is_in, True)] if tag["else"] else []
    return None if branches else "".join((*parts, text[reached:].removesuffix("\n")))


def render(text: str, read: Read, *, is_init: bool = False, at: str = "") -> str:
    """The SQL that a template stands for; see `Template`."""
    return Template(text, read, at, is_init).render()


def _environment(read: Read, marked: Callable[[str, str], str]) -> Any:
    from jinja2 import FunctionLoader
    from jinja2.sandbox import SandboxedEnvironment

    def source(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = None if _leaves(name) else read(name)
        return None if found is None else (marked(name, found), name, lambda: True)

    environment = SandboxedEnvironment(loader=FunctionLoader(source))
    environment.intercepted_binops = frozenset({"*", "**"})
    environment.binop_table |= {"*": _product, "**": _power}
    return environment


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
