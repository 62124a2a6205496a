"""Which source a bare column name means: what the schemas say, and the equalities of the joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from etl_orchestrator.requirements import Body, Source
from etl_orchestrator.skills.query_writer.names import quoted
from etl_orchestrator.table import Field, Schema, TableRef

if TYPE_CHECKING:
    from sqlglot.expressions import Expr, Table

#: Column names in lower case, in order, each with its field where that is known; None when nothing is known.
Columns = dict[str, Field | None] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """The sources of one SELECT. `columns` is what each alias offers; `ambiguous` are names which the analyzer called
    ambiguous although the schemas could not tell; `tables` are the real tables of the model, for subqueries."""

    sources: tuple[Source, ...]
    columns: Mapping[str, Columns] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()
    tables: tuple[TableRef, ...] = ()

    def holder(self, name: str) -> str | None:
        """The alias to write before a bare name; None when it needs none or cannot be decided."""
        key = name.lower()
        if len(self.sources) < 2 or key in self._own_names():
            return None
        known = [source for source in self.sources if key in (self.columns.get(source.alias) or {})]
        unknown = any(self.columns.get(source.alias) is None for source in self.sources)
        if unknown and key in self.ambiguous:
            known = [
                source for source in self.sources if any(source.alias.lower() in pair for pair in self._equal(key))
            ]
        elif unknown:
            return None
        return self._one(key, known)

    def qualified(self, expression: str) -> str:
        """The expression with an alias before every bare column that needs one, in backticks where the formatter would
        take it for a word of its own, and with every table of a subquery written in full. Text that cannot be parsed is
        given back as it is."""
        from sqlglot import exp

        tree = parsed(expression)
        if tree is None:
            return expression
        edits: list[tuple[int, int, str]] = []
        for column in tree.find_all(exp.Column):
            first = column.parts[0]
            start, end = first.meta.get("start"), first.meta.get("end")
            if start is None or end is None:
                continue
            if column.find_ancestor(exp.Select) is None and (alias := self.holder(first.name)):
                edits.append((start, start, f"{quoted(alias)}."))
            elif expression[start : end + 1] == first.name != quoted(first.name):
                edits.append((start, end + 1, quoted(first.name)))
        for table in tree.find_all(exp.Table):
            if full := self._full_name(table):
                edits.append((table.parts[0].meta["start"], table.parts[-1].meta["end"] + 1, full))
        for start, end, text in sorted(edits, reverse=True):
            expression = expression[:start] + text + expression[end:]
        return expression

    def within_aggregates(self, expression: str, shadowed: frozenset[str]) -> str:
        """HAVING or QUALIFY with the source before every shadowed name inside an aggregate: there GoogleSQL takes the
        SELECT list's name first, and `SUM(amount) AS amount … HAVING SUM(amount) > 1` would be a sum of sums."""
        from sqlglot import exp

        tree = parsed(expression)
        if tree is None or not shadowed:
            return expression
        starts: dict[int, str] = {}
        for function in tree.find_all(exp.AggFunc):
            if isinstance(function.parent, exp.Window) or function.find_ancestor(exp.Select):
                continue
            for column in function.find_all(exp.Column):
                first = column.parts[0]
                alias = self._only(first.name) if len(self.sources) == 1 else self.holder(first.name)
                own = {source.alias.lower() for source in self.sources}
                if alias and first.name.lower() in shadowed - own and "start" in first.meta:
                    starts[int(first.meta["start"])] = alias
        for start in sorted(starts, reverse=True):
            expression = f"{expression[:start]}{quoted(starts[start])}.{expression[start:]}"
        return expression

    def _only(self, name: str) -> str | None:
        """The alias of the only source, unless it is known not to have the column."""
        columns = self.columns.get(self.sources[0].alias)
        return self.sources[0].alias if columns is None or name.lower() in columns else None

    def _own_names(self) -> set[str]:
        """Names that mean a source itself, never one of its columns."""
        names = {source.alias.lower() for source in self.sources}
        return names | {source.offset.lower() for source in self.sources if source.offset}

    def _one(self, key: str, holders: Sequence[Source]) -> str | None:
        """The only reading among the sources which have the column: equal by the join key, and never NULL where
        another one is not."""
        if not holders:
            return None
        chosen = holders[0]
        pairs = self._equal(key)
        for source in holders[1:]:
            together = {chosen.alias.lower(), source.alias.lower()}
            join = (source.join or "INNER").upper()
            if together not in pairs or join == "FULL":
                return None
            chosen = source if join == "RIGHT" else chosen
        return chosen.alias

    def _equal(self, key: str) -> list[set[str]]:
        """Pairs of aliases whose columns of this name a join sets equal."""
        from sqlglot import exp

        pairs: list[set[str]] = []
        for source in self.sources:
            tree = parsed(source.on) if source.on else None
            if tree is None:
                continue
            for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
                sides = [part.this, part.expression] if isinstance(part, exp.EQ) else []
                if sides and all(isinstance(side, exp.Column) and side.name.lower() == key for side in sides):
                    pairs.append({side.table.lower() for side in sides})
        return pairs

    def _full_name(self, table: Table) -> str | None:
        """The full name of a table which a subquery names without its project, or without backticks."""
        parts = [part.name for part in table.parts]
        if len(parts) < 2 or any("start" not in part.meta for part in (table.parts[0], table.parts[-1])):
            return None
        wanted = tuple(".".join(parts).split("."))[-3:]
        found = [ref for ref in self.tables if (ref.project, ref.dataset, ref.name)[-len(wanted) :] == wanted]
        return f"`{found[0]}`" if len(found) == 1 else None


def scope_of(
    body: Body,
    known: Mapping[str, Columns],
    tables: tuple[TableRef, ...] = (),
    ambiguous: frozenset[str] = frozenset(),
) -> Scope:
    """The scope of a body; `known` are the columns of tables (by full name) and of earlier steps (by name)."""
    columns: dict[str, Columns] = {}
    for source in body.sources:
        columns[source.alias] = _parts(source, columns) if source.unnest else known.get(source.table or "")
    return Scope(body.sources, columns, ambiguous, tables)


def columns_of(schema: Schema) -> dict[str, Field | None]:
    return {field.name.lower(): field for field in schema}


def outputs(body: Body, scope: Scope, known: Mapping[str, Columns]) -> Columns:
    """What a step offers to later steps, None when a star of it reaches an unknown table."""
    if body.union:
        return known.get(body.union[0])
    found: dict[str, Field | None] = {}
    for column in body.columns:
        if not column.is_star:
            found[column.name.lower()] = None
            continue
        star = _star(column.sql, scope)
        if star is None:
            return None
        found.update(star)
    return found


def _star(expression: str, scope: Scope) -> Columns:
    """The columns of `alias.*` or `*`, with EXCEPT; REPLACE keeps the names."""
    from sqlglot import exp

    tree = parsed(f"SELECT {expression}")
    star = tree.find(exp.Star) if tree else None
    if tree is None or star is None:
        return None
    column = star.parent
    alias = column.table if isinstance(column, exp.Column) else ""
    found: dict[str, Field | None] = {}
    for source in scope.sources:
        if alias and source.alias.lower() != alias.lower():
            continue
        offered = scope.columns.get(source.alias)
        if offered is None:
            return None
        found.update(offered)
    for dropped in star.args.get("except_") or star.args.get("except") or ():
        found.pop(dropped.name.lower(), None)
    return found


def _parts(source: Source, columns: Mapping[str, Columns]) -> Columns:
    """The columns of an UNNEST: the parts of its records; None when the array is no plain path to a known column."""
    path = (source.unnest or "").replace("`", "").lower().split(".")
    if path[0] in columns and len(path) > 1:
        offered = columns[path[0]]
        path = path[1:]
    else:
        holders = [offer for offer in columns.values() if offer and path[0] in offer]
        offered = holders[0] if len(holders) == 1 else None
    found = offered.get(path[0]) if offered else None
    for part in path[1:]:
        found = next((child for child in found.fields if child.name.lower() == part), None) if found else None
    return columns_of(found.fields) if found else None


def parsed(expression: str) -> Expr | None:
    """The syntax tree of an expression, None when sqlglot does not know the construct (GoogleSQL is wider)."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.parse_one(expression, dialect="bigquery")
    except SqlglotError:
        return None
