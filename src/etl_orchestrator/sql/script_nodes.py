"""The parts of a BigQuery script, as `script.parse` finds them: each a `Span` of the text, to be handed on to an engine.

Tuples with names and no dataclasses: a start makes these classes whether there is a script or not.
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A part of the text, from `start` up to `end`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


class Statement(NamedTuple):
    """A statement that is no control structure, without its semicolon.

    `kind` is its words in capitals: QUERY, INSERT, CREATE TABLE, DROP VIEW, BEGIN TRANSACTION ...; `name` are the parts
    of the name of what it creates or changes, none where there is none; `body` is the block of a CREATE PROCEDURE.
    """

    kind: str
    span: Span
    name: tuple[str, ...] = ()
    temporary: bool = False
    body: Block | None = None


class Declare(NamedTuple):
    """DECLARE names [type] [DEFAULT default]; one of type and default is there."""

    span: Span
    names: tuple[str, ...]
    type: Span | None
    default: Span | None


class Assign(NamedTuple):
    """SET name = value, or SET (names) = value of a struct; a name of a system variable begins with @@."""

    span: Span
    names: tuple[str, ...]
    value: Span


class Branch(NamedTuple):
    """`condition` is none for ELSE."""

    condition: Span | None
    body: tuple[Node, ...]


class If(NamedTuple):
    """IF and ELSEIF in order, or the WHENs of a CASE statement, whose `operand` is compared with each condition."""

    span: Span
    branches: tuple[Branch, ...]
    operand: Span | None = None


class Loop(NamedTuple):
    """`kind` is LOOP, WHILE, REPEAT (until the condition holds, at least once) or FOR (`variable` in the rows of `condition`)."""

    span: Span
    kind: str
    body: tuple[Node, ...]
    condition: Span | None = None
    variable: str = ""
    label: str = ""


class Block(NamedTuple):
    """BEGIN ... [EXCEPTION WHEN ERROR THEN handler] END."""

    span: Span
    body: tuple[Node, ...]
    handler: tuple[Node, ...] | None = None
    label: str = ""


class Jump(NamedTuple):
    """`kind` is BREAK (also for LEAVE), CONTINUE (also for ITERATE) or RETURN."""

    span: Span
    kind: str
    label: str = ""


class Call(NamedTuple):
    """CALL name(arguments)."""

    span: Span
    name: tuple[str, ...]
    arguments: tuple[Span, ...]


class Raise(NamedTuple):
    """RAISE, or RAISE USING MESSAGE = message."""

    span: Span
    message: Span | None


class Execute(NamedTuple):
    """EXECUTE IMMEDIATE text [INTO names] [USING values], each value with its name, "" where it has none."""

    span: Span
    text: Span
    into: tuple[str, ...] = ()
    using: tuple[tuple[Span, str], ...] = ()


Node = Statement | Declare | Assign | If | Loop | Block | Jump | Call | Raise | Execute
