"""The FROM clause of one SELECT, with the filter of each source applied before its join."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from etl_orchestrator.requirements import Body, Source
from etl_orchestrator.skills.query_writer.names import quoted
from etl_orchestrator.skills.query_writer.scope import Scope, parsed


@dataclass(slots=True)
class Ctes:
    """The WITH clause as it grows: names with their text, in order. `names` are all that may not be used again."""

    names: set[str]
    entries: list[tuple[str, str]] = field(default_factory=list)

    def free(self, *wishes: str) -> str | None:
        """The first of the wishes that is not taken yet."""
        return next((wish for wish in wishes if wish.lower() not in self.names), None)

    def add(self, name: str, text: str) -> None:
        self.names.add(name.lower())
        self.entries.append((name, text))

    @property
    def clause(self) -> str:
        if not self.entries:
            return ""
        return "WITH " + ",\n".join(f"{quoted(name)} AS (\n{text}\n)" for name, text in self.entries) + "\n"


@dataclass(frozen=True, slots=True)
class Placed:
    """A FROM clause and the filters which have to stand in WHERE."""

    text: str
    conjuncts: tuple[str, ...] = ()


def place(body: Body, scope: Scope, ctes: Ctes | None, above: tuple[str, ...] = ()) -> Placed:
    """FROM with its joins. A filtered source becomes a CTE of its own when there are joins (a subquery where `ctes` is
    None, because it stands inside a Jinja branch), so that an outer join stays one. `above` are texts of the SELECT that
    the body does not hold."""
    lines: list[str] = []
    conjuncts: list[str] = []
    named = len(body.sources) > 1 or any(_mentions(body, source.alias, above) for source in body.sources)
    in_where = _may_stand_in_where(body.sources)
    for number, source in enumerate(body.sources):
        filter_ = _legible(source.filter, source, scope)
        condition = scope.qualified(source.on) if source.on else None
        if filter_ and source.unnest:
            own = _own(filter_, source) or filter_
            if number and (source.join or "CROSS").upper() == "LEFT":
                condition = f"{_bracketed(condition)} AND {_bracketed(own)}" if condition else own
            else:
                conjuncts.append(own)
            filter_ = None
        elif filter_ and in_where:
            alone = filter_ if len(body.sources) == 1 else _own(filter_, source)
            if alone:
                conjuncts.append(alone)
                filter_ = None
        item = _item(source, named, filter_, ctes)
        lines.append(item if not number else f"{_join(source, condition)}\n{item}")
        if condition and number:
            lines.append(f"ON {condition}")
    return Placed("FROM\n" + "\n".join(lines) if lines else "", tuple(conjuncts))


def _legible(filter_: str | None, source: Source, scope: Scope) -> str | None:
    """The filter as it can stand in a SELECT of its source alone."""
    return Scope((source,), {}, frozenset(), scope.tables).qualified(filter_) if filter_ else None


def _may_stand_in_where(sources: tuple[Source, ...]) -> bool:
    """Whether a filter on the first source means the same after all joins: one table, and at most arrays of its rows."""
    return all(s.unnest and (s.join or "CROSS").upper() in {"CROSS", "INNER", "LEFT"} for s in sources[1:])


def _join(source: Source, condition: str | None) -> str:
    kind = (source.join or "CROSS").upper()
    if kind == "INNER" and not condition:
        kind = "CROSS"
    return f"{kind} JOIN"


def _item(source: Source, named: bool, filter_: str | None, ctes: Ctes | None) -> str:
    alias = quoted(source.alias)
    if source.unnest:
        offset = f" WITH OFFSET AS {quoted(source.offset)}" if source.offset else ""
        return f"UNNEST({source.unnest}) AS {alias}{offset}"
    table = quoted(source.table or "")
    if filter_ is None:
        return f"{table} AS {alias}" if named and table != alias else table
    inner = f"{table} AS {alias}" if _word(source.alias, filter_) and table != alias else table
    text = f"SELECT\n*\nFROM\n{inner}\nWHERE\n{filter_}"
    name = ctes.free(source.alias, f"filtered_{source.alias}") if ctes else None
    if ctes is None or name is None:
        return f"(\n{text}\n) AS {alias}"
    ctes.add(name, text)
    return alias if name == source.alias else f"{quoted(name)} AS {alias}"


def _own(filter_: str, source: Source) -> str | None:
    """The filter with its own alias before every bare column; None when that cannot be done safely."""
    from sqlglot import exp

    tree = parsed(filter_)
    if tree is None or tree.find(exp.Select):
        return None
    own = {name.lower() for name in (source.alias, source.offset) if name}
    firsts = [column.parts[0] for column in tree.find_all(exp.Column)]
    foreign = [first for first in firsts if first.name.lower() not in own]
    if any("start" not in first.meta for first in foreign):
        return None
    for start in sorted((int(first.meta["start"]) for first in foreign), reverse=True):
        filter_ = f"{filter_[:start]}{quoted(source.alias)}.{filter_[start:]}"
    return filter_


def _mentions(body: Body, alias: str, above: tuple[str, ...]) -> bool:
    """Whether any text of the body uses the alias of its only source."""
    texts: list[str | None] = [*above]
    texts += [body.where, body.having, body.qualify, *(source.filter for source in body.sources)]
    texts += [column.expression for column in body.columns]
    return any(_word(alias, text) for text in texts if text)


def _word(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}`?\s*\.", text, re.IGNORECASE)) or bool(
        re.search(rf"(?<![\w.]){re.escape(name)}(?![\w(])", text, re.IGNORECASE)
    )


def _bracketed(text: str) -> str:
    return f"({text})"


def conjunction(conjuncts: tuple[str, ...]) -> str:
    """All of them joined by AND; one with an OR at its top in brackets."""
    from sqlglot import exp

    if len(conjuncts) < 2:
        return "".join(conjuncts)
    plain = [(text, parsed(text)) for text in conjuncts]
    return "\nAND ".join(
        text if tree is not None and not isinstance(tree, exp.Or) else _bracketed(text) for text, tree in plain
    )
