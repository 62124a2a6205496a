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
from etl_orchestrator.sql.tokens import RESERVED, Kind, Token, words
from etl_orchestrator.table import Field, Schema, TableRef, packed, unpacked, walk
from etl_orchestrator.tools import Analysis

Ask = Callable[[str, Mapping[TableRef, Schema]], Analysis]
#: Gives the answer to a question, a value of JSON, from memory or by asking.
Remember = Callable[[str, Callable[[], Any]], Any]

_TABLE = TableRef("external-query", "types", "each")
#: Begins the names that stand for a column.
_OF_TYPE = "of_type_"
_COLUMNS = {kind: f"{_OF_TYPE}{kind.lower()}" for kind in TYPES}
_SCHEMA = tuple(Field(name, kind) for kind, name in _COLUMNS.items())


def is_of_syntax(message: str) -> bool:
    """Whether this is the analyzer's word for what no types make right."""
    return message.startswith("Syntax error")


def is_as_declared(field: Field, declared: Field) -> bool:
    """Whether types and names of parts agree, whatever may be NULL."""
    if (field.type, field.mode == "REPEATED") != (declared.type, declared.mode == "REPEATED"):
        return False
    names = [[part.name.lower() for part in one.fields] for one in (field, declared)]
    return names[0] == names[1] and all(map(is_as_declared, field.fields, declared.fields))


def asked_anew(question: str, ask: Callable[[], Any]) -> Any:
    """Plays Remember without memory."""
    return ask()


@dataclass(frozen=True, slots=True)
class Use:
    """An expression of the list: `column` is the one of the call that is in it, "" for none, `parts` are what stands
    around it, `name` is that of the output; `start` and `end` are where the item stands in the text."""

    column: str
    parts: tuple[str, ...]
    name: str
    start: int
    end: int

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
    if len(item) == 1 and item[0].kind in (Kind.NAME, Kind.QUOTED_NAME):
        word, name = _word(item[0]), item[0].text.strip("`")
        is_column = word in columns
        return Use(
            word if is_column else "", ("", "") if is_column else (item[0].text,), name, item[0].start, item[0].end
        )
    if len(item) < 3 or item[-2].text.upper() != "AS" or item[0].text.upper() in ("ALL", "AS", "DISTINCT", "WITH"):
        return None
    expression, around, named = item[:-2], [""], set[str]()
    for index, token in enumerate(expression):
        if index and token.start > expression[index - 1].end:
            around[-1] += " "
        if "\n" in token.text:
            return None
        if _word(token) not in columns or token.kind not in (Kind.NAME, Kind.QUOTED_NAME) or _is_called(item, index):
            around[-1] += token.text
        elif _column(expression, index, columns):
            named.add(_word(token))
            around.append("")
        else:
            return None
    if len(named) > 1:
        return None
    return Use("".join(named), tuple(around), item[-1].text.strip("`"), item[0].start, item[-1].end)


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


@dataclass(frozen=True, slots=True)
class Fitting:
    """The types that fit a column, that which it has at first before the others; where none does, the one that comes
    nearest is its `type`. `loose` is an output that is not declared and for which the types give different ones."""

    type: Field
    types: tuple[Field, ...]
    loose: str = ""


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
        self._untold = False
        #: Outputs of another type than declared, whatever the database gives.
        self.fixed = {use.name for use in uses if self._is_fixed(use)}

    def of(self, call: Call) -> dict[str, Fitting] | None:
        """The types that all uses of a column accept and that give the outputs declared; None where that is not told, as
        of an array."""
        found = {}
        for name in call.columns:
            uses = [use for use in self._uses if use.column == name.lower()]
            begin = self._first(name)
            if begin.mode == "REPEATED" and not all(use.is_bare for use in uses):
                return None
            others = (other for kind in TYPES if (other := Field(name, kind)) != begin)
            made = {field: [self._output(use, field) for use in uses] for field in (begin, *others)}
            right = [field for field, outputs in made.items() if all(map(self._is_right, outputs))]
            nearest = max(
                made, key=lambda field: [self._rank(output) for output in made[field]]
            )  # the first of equal ones
            loose = [
                use.name
                for index, use in enumerate(uses)
                if any(made[field][index] != made[right[0]][index] for field in right)
            ]
            found[name] = Fitting(right[0] if right else nearest, tuple(right), loose[0] if loose else "")
        return None if self._untold else found

    def use_at(self, offset: int) -> Use | None:
        """The expression that stands at a place of the text."""
        return next((use for use in self._uses if use.start <= offset < use.end), None)

    def use_for(self, output: str) -> Use | None:
        return next((use for use in self._uses if use.name == output), None)

    def agrees(self, call: Call, found: Analysis) -> bool:
        """Whether the analyzer sees the same columns in the same expressions."""
        sources = [
            tuple(path.lower() for table, path in made.sources if call.is_table(table))
            for made in found.lineage.values()
            if made.kind != "unknown"
        ]
        return sources == [(use.column,) if use.column else () for use in self._uses]

    def _output(self, use: Use, column: Field) -> Field | None:
        """What is made of a column of this type; None where that is refused."""
        if use.is_bare:
            return replace(column, name=use.name)
        made = self._types_of(use.parts).get(column.type) if column.mode != "REPEATED" else None
        return replace(made, name=use.name) if made is not None else None

    def _is_fixed(self, use: Use) -> bool:
        if use.is_bare or use.name.lower() not in self._declared:
            return False
        if not use.column:
            return True  # right or not, no type changes it
        outputs = [self._output(use, Field(use.column, kind)) for kind in self._types_of(use.parts)]
        return bool(outputs) and all(output == outputs[0] for output in outputs) and not self._is_declared(outputs[0])

    def _is_right(self, output: Field | None) -> bool:
        return output is not None and (output.name in self.fixed or self._is_declared(output))

    def _is_declared(self, output: Field | None) -> bool:
        if output is None:
            return False
        declared = self._declared.get(output.name.lower())
        return declared is None or is_as_declared(output, declared)

    def _rank(self, output: Field | None) -> int:
        return 0 if output is None else 2 if self._is_right(output) else 1

    def _types_of(self, parts: tuple[str, ...]) -> Mapping[str, Field]:
        if parts not in self._types:
            kinds, outputs = self._remember(json.dumps(parts), lambda: self._asked(parts))
            self._untold = self._untold or kinds is None
            self._types[parts] = dict(zip(kinds or (), unpacked(outputs), strict=True))
        return self._types[parts]

    def _asked(self, parts: tuple[str, ...]) -> tuple[list[str] | None, list[Any]]:
        """The types that an expression accepts, and what it gives for them: of a list of all, one a line, those are left
        out in turn that the analyzer refuses. No list where that names no line of it, or what no types change, nor where
        the answer holds for one name only: a part of the output has it, or the word is no column there but a date part."""
        kinds = list(TYPES)
        while kinds:
            listed = ",\n".join(_COLUMNS[kind].join(parts) for kind in kinds)
            found = self._ask(f"SELECT\n{listed}\nFROM `{_TABLE}`", {_TABLE: _SCHEMA})
            if found.problem is None:
                is_named = any(_OF_TYPE in path for field in found.columns for path, _ in walk(field.fields))
                return (None, []) if is_named else (kinds, packed(found.columns))
            message = found.problem.message
            if is_of_syntax(message) or _OF_TYPE in message or not 2 <= found.problem.line < len(kinds) + 2:
                return None, []
            del kinds[found.problem.line - 2]
        return [], []
