"""BigQuery scripts as a tree: which statements there are, in which blocks, branches and loops, and where they stand.

Only the structure is read. What a statement means is for an engine to say; every part is a `Span` of the text, to be
handed on. A text of one query is a script of one statement.
https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.sql.script_nodes import (
    Assign,
    Block,
    Branch,
    Call,
    Declare,
    Execute,
    If,
    Jump,
    Loop,
    Node,
    Raise,
    Span,
    Statement,
)
from etl_orchestrator.sql.tokens import Kind, Token, position, words

_QUERY = frozenset({"SELECT", "WITH", "FROM", "(", "GRAPH"})
_LOOPS = frozenset({"LOOP", "WHILE", "REPEAT", "FOR"})
_JUMPS = frozenset({"BREAK", "LEAVE", "CONTINUE", "ITERATE", "RETURN"})
_INNER = frozenset({"END", "ELSE", "ELSEIF", "WHEN", "THEN", "DO", "UNTIL", "EXCEPTION"})
#: Words between a first word and the thing that is created, dropped or altered.
_ADJECTIVES = frozenset(
    ["OR", "REPLACE", "TEMP", "TEMPORARY", "MATERIALIZED", "EXTERNAL", "SNAPSHOT", "AGGREGATE", "ROW", "ACCESS", "SEARCH",
     "VECTOR", "APPROX", "PROPERTY", "ALL"]
)  # fmt: skip
#: Words between the first word of a statement and the name of what it works on.
_BEFORE_NAME = frozenset({"INTO", "TABLE", "FROM", "IF", "NOT", "EXISTS", "OVERWRITE"})


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Node, ...]:
    """The statements of a text in order; raises InvalidInput with line and column where the structure is broken."""
    reader = _Reader(text)
    nodes = reader.body(frozenset())
    if reader.token is not None:
        raise reader.error(f"`{reader.token.text}` begins no statement")
    return nodes


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = words(text)
        self.index = 0

    # --- tokens

    @property
    def token(self) -> Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """The text of a token in capitals, "" behind the last one; quoted names keep their quotes."""
        index = self.index + ahead
        return self.tokens[index].text.upper() if index < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        """Passes these words when they come next."""
        if all(self.word(ahead) == word for ahead, word in enumerate(words)):
            self.index += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                found = f"`{self.token.text}`" if self.token else "the end of the text"
                raise self.error(f"expected {word}, found {found}")

    def error(self, message: str) -> InvalidInput:
        line, column = position(self.text, self.token.start if self.token else len(self.text.rstrip()))
        return InvalidInput(message, at=f"line {line}, column {column}", fix="mend the script")

    @property
    def start(self) -> int:
        if self.token is None:
            raise self.error("the script ends too early")
        return self.token.start

    def since(self, start: int) -> Span:
        """From `start` to the end of the last token passed."""
        return Span(start, self.tokens[self.index - 1].end)

    def name(self) -> str:
        token = self.token
        if token is None or token.kind not in (Kind.NAME, Kind.QUOTED_NAME, Kind.SYSTEM_VARIABLE):
            raise self.error("expected a name")
        self.index += 1
        return token.text.strip("`")

    def path(self) -> tuple[str, ...]:
        parts = self.name().split(".")
        while self.take("."):
            parts.extend(self.name().split("."))
        return tuple(parts)

    def names(self) -> tuple[str, ...]:
        found = [".".join(self.path())]
        while self.take(","):
            found.append(".".join(self.path()))
        return tuple(found)

    def until(self, *ends: str) -> Span:
        """An expression or query up to one of these words outside brackets and CASE, which is not passed."""
        start = self.start
        depth = cases = 0
        while (token := self.token) is not None:
            word = token.text.upper()
            if depth == cases == 0 and (word in ends or token.kind is Kind.SEMICOLON):
                break
            if token.kind is Kind.OPEN:
                depth += 1
            elif token.kind is Kind.CLOSE:
                depth -= 1
            elif token.kind is Kind.NAME and word == "CASE":
                cases += 1
            elif token.kind is Kind.NAME and word == "END" and cases:
                cases -= 1
            self.index += 1
        if self.index == 0 or self.tokens[self.index - 1].end <= start:
            raise self.error("expected an expression")
        return self.since(start)

    # --- statements

    def body(self, ends: frozenset[str]) -> tuple[Node, ...]:
        """Statements up to one of these words at the place of a statement."""
        found: list[Node] = []
        while self.token is not None and self.word() not in ends:
            if self.take(";"):
                continue
            found.append(self.node())
            if self.token is not None and not self.take(";"):
                raise self.error(f"expected the end of the statement, found `{self.token.text}`")
        return tuple(found)

    def node(self) -> Node:
        start, word = self.start, self.word()
        label = ""
        if self.word(1) == ":" and self.tokens[self.index].kind in (Kind.NAME, Kind.QUOTED_NAME):
            label = self.name()
            self.index += 1
            word = self.word()
        if word in _LOOPS and not (word == "REPEAT" and self.word(1) == "("):
            return self.loop(start, label)
        if word == "BEGIN" and self.word(1) not in (";", "TRANSACTION", ""):
            return self.block(start, label)
        if word in _JUMPS:
            self.index += 1
            target = "" if self.word() in (";", "") else self.name()
            return Jump(self.since(start), {"LEAVE": "BREAK", "ITERATE": "CONTINUE"}.get(word, word), target)
        reader = _READERS.get(word)
        return reader(self, start) if reader else self.statement(start)

    def loop(self, start: int, label: str) -> Loop:
        kind = self.word()
        self.index += 1
        condition, variable = None, ""
        if kind == "WHILE":
            condition = self.until("DO")
            self.expect("DO")
        elif kind == "FOR":
            variable = self.name()
            self.expect("IN")
            condition = self.until("DO")
            self.expect("DO")
        body = self.body(frozenset({"END", "UNTIL"}))
        if kind == "REPEAT":
            self.expect("UNTIL")
            condition = self.until("END")
        self.expect("END", kind)
        self._end_label(label)
        return Loop(self.since(start), kind, body, condition, variable, label)

    def block(self, start: int, label: str = "") -> Block:
        self.expect("BEGIN")
        body = self.body(frozenset({"END", "EXCEPTION"}))
        handler = None
        if self.take("EXCEPTION"):
            self.expect("WHEN", "ERROR", "THEN")
            handler = self.body(frozenset({"END"}))
        self.expect("END")
        self._end_label(label)
        return Block(self.since(start), body, handler, label)

    def _end_label(self, label: str) -> None:
        if label and self.word().strip("`") == label.upper():
            self.index += 1

    def branches(self, start: int) -> If:
        self.expect("IF")
        found: list[Branch] = []
        ends = frozenset({"ELSEIF", "ELSE", "END"})
        while not found or self.take("ELSEIF"):
            condition = self.until("THEN")
            self.expect("THEN")
            found.append(Branch(condition, self.body(ends)))
        if self.take("ELSE"):
            found.append(Branch(None, self.body(ends)))
        self.expect("END", "IF")
        return If(self.since(start), tuple(found))

    def cases(self, start: int) -> If:
        self.expect("CASE")
        operand = None if self.word() == "WHEN" else self.until("WHEN")
        found: list[Branch] = []
        ends = frozenset({"WHEN", "ELSE", "END"})
        while self.take("WHEN"):
            condition = self.until("THEN")
            self.expect("THEN")
            found.append(Branch(condition, self.body(ends)))
        if self.take("ELSE"):
            found.append(Branch(None, self.body(ends)))
        self.expect("END", "CASE")
        return If(self.since(start), tuple(found), operand)

    def declare(self, start: int) -> Declare:
        self.expect("DECLARE")
        names = self.names()
        kind = None if self.word() == "DEFAULT" else self.until("DEFAULT")
        default = self.until() if self.take("DEFAULT") else None
        return Declare(self.since(start), names, kind, default)

    def assign(self, start: int) -> Assign:
        self.expect("SET")
        if self.take("("):
            names = self.names()
            self.expect(")")
        else:
            names = (".".join(self.path()),)
        self.expect("=")
        value = self.until()
        return Assign(self.since(start), names, value)

    def call(self, start: int) -> Call:
        self.expect("CALL")
        name = self.path()
        self.expect("(")
        arguments = []
        while self.word() not in (")", ""):
            arguments.append(self._item(")"))
            self.take(",")
        self.expect(")")
        return Call(self.since(start), name, tuple(arguments))

    def _item(self, *ends: str) -> Span:
        return self.until(",", *ends)

    def raising(self, start: int) -> Raise:
        self.expect("RAISE")
        message = None
        if self.take("USING", "MESSAGE", "="):
            message = self.until()
        return Raise(self.since(start), message)

    def execute(self, start: int) -> Execute:
        self.expect("EXECUTE", "IMMEDIATE")
        text = self.until("INTO", "USING")
        into = self.names() if self.take("INTO") else ()
        using = []
        if self.take("USING"):
            while True:
                value = self._item("AS")
                using.append((value, self.name() if self.take("AS") else ""))
                if not self.take(","):
                    break
        return Execute(self.since(start), text, into, tuple(using))

    def statement(self, start: int) -> Statement:
        first = self.word()
        if first in _QUERY:
            self.until()
            return Statement("QUERY", self.since(start))
        if self.token is None or self.token.kind is not Kind.NAME or first in _INNER:
            raise self.error(f"`{first}` begins no statement")
        kind, temporary = self._kind()
        name = self._target(kind)
        body = None
        if kind == "CREATE PROCEDURE":
            self.until("BEGIN")
            body = self.block(self.start) if self.word() == "BEGIN" else None
        elif self.word() not in (";", ""):
            self.until()
        return Statement(kind, self.since(start), name, temporary, body)

    def _kind(self) -> tuple[str, bool]:
        kind = self.word()
        self.index += 1
        temporary = False
        if kind in ("CREATE", "DROP", "ALTER"):
            while self.word() in _ADJECTIVES:
                temporary = temporary or self.word().startswith("TEMP")
                self.index += 1
            kind = f"{kind} {self.word()}"
            self.index += 1
            if kind.endswith(" TABLE") and self.take("FUNCTION"):
                kind += " FUNCTION"
        elif kind in ("BEGIN", "COMMIT", "ROLLBACK"):
            self.take("TRANSACTION")
            kind += " TRANSACTION"
        elif kind in ("EXPORT", "LOAD", "TRUNCATE", "EXECUTE"):
            kind = f"{kind} {self.word()}"
            self.index += 1
        return kind, temporary

    def _target(self, kind: str) -> tuple[str, ...]:
        if kind.split()[0] not in (
            "CREATE",
            "DROP",
            "ALTER",
            "INSERT",
            "UPDATE",
            "DELETE",
            "MERGE",
            "TRUNCATE",
            "LOAD",
        ):
            return ()
        while self.word() in _BEFORE_NAME:
            self.index += 1
        is_name = self.token is not None and self.token.kind in (Kind.NAME, Kind.QUOTED_NAME)
        return self.path() if is_name else ()


_READERS: dict[str, Callable[[_Reader, int], Node]] = {
    "IF": _Reader.branches,
    "CASE": _Reader.cases,
    "DECLARE": _Reader.declare,
    "SET": _Reader.assign,
    "CALL": _Reader.call,
    "RAISE": _Reader.raising,
    "EXECUTE": _Reader.execute,
}
