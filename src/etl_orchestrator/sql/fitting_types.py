"""The types that the columns of a call of EXTERNAL_QUERY may have in a plain SELECT from it, one column an expression.

What the analyzer says of an expression for each type holds for all columns in its place, so that it is asked for the few
kinds of expressions that there are, not for columns, and that it may be kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl_orchestrator.sql.external_calls import TYPES, Call
from etl_orchestrator.sql.plain_select import select_of
from etl_orchestrator.sql.self_reading import shape
from etl_orchestrator.sql.tokens import RESERVED, Kind, Token, words
from etl_orchestrator.table import Field, Schema, TableRef, packed, unpacked
from etl_orchestrator.tools import Analysis

Ask = Callable[[str, Mapping[TableRef, Schema]], Analysis]
#: Gives the answer to a question, a value of JSON, from memory or by asking.
Remember = Callable[[str, Callable[[], Any]], Any]

_TABLE = TableRef("external-query", "types", "each")
_COLUMNS = {kind: f"of_type_{kind.lower()}" for kind in TYPES}
_SCHEMA = tuple(Field(name, kind) for kind, name in _COLUMNS.items())


def asked_anew(question: str, ask: Callable[[], Any]) -> Any:
    """Plays Remember without memory."""
    return ask()


@dataclass(frozen=True, slots=True)
class Use:
    """An expression of the list: `column` is the one of the call that is in it, "" for none, `parts` are what stands
    around it, `name` is that of the output."""

    column: str
    parts: tuple[str, ...]
    name: str

    @property
    def is_bare(self) -> bool:
        return self.parts == ("", "")


def uses_of(sql: str, call: Call) -> tuple[Use, ...] | None:
    """The expressions of a text that is a plain SELECT from the call; None for any other, or where their columns or names
    cannot be told."""
    tokens = words(sql)
    select = select_of(tokens)
    if select is None or not select.source or (select.source[0].start, select.source[-1].end) != (call.start, call.end):
        return None
    names = {name.lower() for name in call.columns}
    items = select.items if select.items[-1] else select.items[:-1]
    found = [_use(item, names) for item in items]
    uses = tuple(use for use in found if use is not None)
    distinct = {use.name.lower() for use in uses}
    return uses if len(uses) == len(distinct) == len(found) else None


def _use(item: Sequence[Token], columns: set[str]) -> Use | None:
    if len(item) == 1 and _column(item, 0, columns):
        return Use(_word(item[0]), ("", ""), item[0].text.strip("`"))
    if len(item) < 3 or item[-2].text.upper() != "AS" or item[0].text.upper() in ("ALL", "AS", "DISTINCT", "WITH"):
        return None
    expression, parts, named = item[:-2], [""], set[str]()
    for index, token in enumerate(expression):
        if index and token.start > expression[index - 1].end:
            parts[-1] += " "
        if "\n" in token.text:
            return None
        if _word(token) not in columns or token.kind not in (Kind.NAME, Kind.QUOTED_NAME) or _is_called(item, index):
            parts[-1] += token.text
        elif _column(expression, index, columns):
            named.add(_word(token))
            parts.append("")
        else:
            return None
    return Use("".join(named), tuple(parts), item[-1].text.strip("`")) if len(named) <= 1 else None


def _column(tokens: Sequence[Token], index: int, columns: set[str]) -> bool:
    """Whether a word that is the name of a column stands where a column may, by itself."""
    token = tokens[index]
    if token.kind is Kind.NAME and token.text.upper() in RESERVED:
        return False
    before, behind = tokens[index - 1 : index], tokens[index + 1 : index + 2]
    is_name = any(other.kind is Kind.DOT or other.text.upper() == "AS" for other in before)
    return _word(token) in columns and not is_name and all(other.kind is not Kind.DOT for other in behind)


def _is_called(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index + 1].text == "("


def _word(token: Token) -> str:
    return token.text.strip("`").lower()


class FittingTypes:
    """`declared` are the columns that the output is to have, by name in lower case; `first` gives the type that a column
    has at first."""

    def __init__(
        self,
        uses: Sequence[Use],
        declared: Mapping[str, Field],
        first: Callable[[str], Field],
        ask: Ask,
        remember: Remember,
    ) -> None:
        self._uses, self._declared, self._first = uses, declared, first
        self._ask, self._remember = ask, remember
        self._types: dict[tuple[str, ...], Mapping[str, Field]] = {}

    def of(self, call: Call) -> dict[str, list[Field]] | None:
        """The types that all uses of a column accept and that give the outputs declared, that which it has at first before
        the others. None where a column has no such type, or these give different outputs."""
        found = {}
        for name in call.columns:
            begin = self._first(name)
            others = [other for kind in TYPES if (other := Field(name, kind)) != begin]
            fitting = [(field, made) for field in (begin, *others) if (made := self._outputs(field)) is not None]
            if not fitting or any(made != fitting[0][1] for _, made in fitting):
                return None
            found[name] = [field for field, _ in fitting]
        return found

    def agrees(self, call: Call, found: Analysis) -> bool:
        """Whether the analyzer sees the same columns in the same expressions."""
        sources = [
            tuple(path.lower() for table, path in made.sources if call.is_table(table))
            for made in found.lineage.values()
            if made.kind != "unknown"
        ]
        return sources == [(use.column,) if use.column else () for use in self._uses]

    def _outputs(self, column: Field) -> Schema | None:
        """What is made of a column; None where one is refused or is not as declared."""
        made = [self._output(use, column) for use in self._uses if use.column == column.name.lower()]
        outputs = tuple(output for output in made if output is not None)
        return outputs if len(outputs) == len(made) and all(map(self._fits, outputs)) else None

    def _output(self, use: Use, column: Field) -> Field | None:
        if use.is_bare:
            return replace(column, name=use.name)
        made = self._types_of(use.parts).get(column.type) if column.mode != "REPEATED" else None
        return replace(made, name=use.name) if made is not None else None

    def _fits(self, output: Field) -> bool:
        declared = self._declared.get(output.name.lower())
        return declared is None or shape((output,)) == shape((replace(declared, name=output.name),))

    def _types_of(self, parts: tuple[str, ...]) -> Mapping[str, Field]:
        if parts not in self._types:
            kinds, outputs = self._remember(json.dumps(parts), lambda: self._asked(parts))
            self._types[parts] = dict(zip(kinds, unpacked(outputs), strict=True))
        return self._types[parts]

    def _asked(self, parts: tuple[str, ...]) -> tuple[list[str], list[Any]]:
        """The types that an expression accepts, and what it gives for them: of a list of all, one a line, those are left
        out in turn that the analyzer refuses. None where it names no line."""
        kinds = list(TYPES)
        while kinds:
            listed = ",\n".join(_COLUMNS[kind].join(parts) for kind in kinds)
            found = self._ask(f"SELECT\n{listed}\nFROM `{_TABLE}`", {_TABLE: _SCHEMA})
            if found.problem is None:
                return kinds, packed(found.columns)
            if not 2 <= found.problem.line < len(kinds) + 2:
                break
            del kinds[found.problem.line - 2]
        return [], []
