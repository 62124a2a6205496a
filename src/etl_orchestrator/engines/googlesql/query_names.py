"""What the names in a query tell without a grammar: which columns and fields it may mean, and which count unnamed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from etl_orchestrator.engines.googlesql.outline import groups
from etl_orchestrator.sql.tokens import RESERVED, Kind, Token
from etl_orchestrator.table import Field, TableRef

#: Words with which columns count that are not named.
_UNNAMED = frozenset(
    [
        "aggregation_threshold", "call", "clone", "copy", "delete", "differential_privacy", "execute", "insert", "merge",
        "natural", "pivot", "recursive", "table", "truncate", "unpivot", "update",
    ]
)  # fmt: skip
_BEFORE_A_STAR = frozenset(["all", "distinct", "select", "struct", "value"])
#: Beside a star they make its columns count.
_COUNTING = frozenset(["distinct", "except", "group", "intersect", "order", "union"])
_AFTER_FROM = frozenset(
    ["except", "group", "having", "intersect", "limit", "order", "qualify", "union", "where", "window"]
)
_NAMES = (Kind.NAME, Kind.QUOTED_NAME)


class QueryNames:
    """What the tokens of a query tell without a grammar. Words are in lower case, tokens named by their index."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._paths = list(self._found_paths())
        #: All identifiers and keywords, those within dotted names in backquotes too, each with the one before it.
        self._named = {pair for _, _, parts in self._paths for pair in self._pairs(parts)}
        #: Those that at least once stand for a value, not for the way to a field.
        self._values = {pair for start, end, parts in self._paths for pair in self._ends(start, end, parts)}
        #: Where each name without a dot stands.
        self._alone: dict[str, list[int]] = {}
        #: Where each path stands, and what longer paths begin with; tables are looked up in both.
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._begun: set[str] = set()
        for start, end, parts in self._paths:
            self._places.setdefault(".".join(parts), []).append((start, end))
            if len(parts) == 1:
                self._alone.setdefault(parts[0], []).append(start)
            self._begun.update(".".join(parts[:length]) for length in range(1, len(parts)))
        self._around = groups(tokens)
        self._counting = self._counting_words()
        self._ctes = {start + 2: parts[0] for start, _, parts in self._paths if self._is_definition(start, parts)}
        self._clauses = [(index, self._from_clause(index)) for index in range(len(tokens)) if self._is_star(index)]
        #: Nothing can be told.
        self.unclear = (
            any(token.kind is Kind.PIPE or (token.kind is Kind.QUOTED_NAME and "\\" in token.text) for token in tokens)
            or any(not clause for _, clause in self._clauses)
            or len(set(self._ctes.values())) < len(self._ctes)
            or not _UNNAMED.isdisjoint(self._alone)
        )

    @property
    def counts_stars(self) -> bool:
        """Whether anywhere the columns of a star are compared, be it by DISTINCT."""
        return any(self._beside(self._around[star]) - {"union"} for star, _ in self._clauses)

    def rows(self, tables: Iterable[TableRef]) -> set[TableRef]:
        """The tables that stand where a value stands, or nobody knows where."""
        spots = {table: self._spots(table) for table in tables}
        return {table for table, found in spots.items() if not found or self._is_value(table, found)}

    def whole(self, tables: Iterable[TableRef], rows: Collection[TableRef]) -> set[TableRef]:
        """The tables of which columns count that the text does not name: `rows` as above, and what stars lead out."""
        named: dict[TableRef | str, list[tuple[int, int]]] = {table: self._spots(table) for table in tables}
        named |= {name: self._cte_spots(name) for name in self._ctes.values()}
        found: set[TableRef | str] = {*rows}
        found.update(name for name in self._ctes.values() if self._is_value(name, named[name]))
        starts = {one: {start for start, _ in spots} for one, spots in named.items()}
        under = [(star, {one for one in named if not clause.isdisjoint(starts[one])}) for star, clause in self._clauses]
        while True:
            more = {one for star, ones in under if self._leads_out(star, found) for one in ones}
            if more <= found:
                return {one for one in found if isinstance(one, TableRef)}
            found |= more

    def _leads_out(self, star: int, whole: set[TableRef | str]) -> bool:
        """Whether the columns of a star count, be it through a CTE that is whole."""
        group = self._around[star]
        name = self._ctes.get(group)
        return name is None or name in whole or bool(self._beside(group))

    def _beside(self, group: int) -> set[str]:
        """What makes the columns of a star in a group count."""
        return self._counting.get(group, set())

    def _counting_words(self) -> dict[int, set[str]]:
        """The words of each group that make the columns of a star count."""
        found: dict[int, set[str]] = {}
        for index, group in enumerate(self._around):
            word = self._keyword(index)
            if word in _COUNTING and (word != "except" or self._keyword(index + 1) in ("all", "distinct")):
                found.setdefault(group, set()).add(word)
        return found

    def _spots(self, table: TableRef) -> list[tuple[int, int]]:
        """Where a table stands: first token and the one after the last. Empty also where a longer path begins so."""
        names = (f"{table.dataset}.{table.name}".lower(), str(table).lower())
        if not self._begun.isdisjoint(names):
            return []
        return sorted(spot for name in names for spot in self._places.get(name, ()))

    def _cte_spots(self, name: str) -> list[tuple[int, int]]:
        return [(start, start + 1) for start in self._alone[name] if self._keyword(start - 1) in ("from", "join")]

    def _is_value(self, one: TableRef | str, spots: Sequence[tuple[int, int]]) -> bool:
        """Whether a table or CTE, or an alias of it, stands where a value stands."""
        own = one.name.rstrip("*").lower() if isinstance(one, TableRef) else one
        names = {own, *(self._alias(end) for _, end in spots)}
        tables = {start for start, _ in spots}
        aliases = {end for _, end in spots}
        return any(
            start not in tables
            and start not in aliases
            and self._keyword(start - 1) != "as"
            and start + 2 not in self._ctes
            for name in names
            for start in self._alone.get(name, ())
        )

    def _alias(self, index: int) -> str:
        """The alias after a table, "" where there is none."""
        if self._keyword(index) == "as":
            index += 1
        if self._kind(index) not in _NAMES or self._keyword(index).upper() in RESERVED:
            return ""
        return self._parts(index)[0]

    def _found_paths(self) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Names with dots between them: first token, the one after the last, and their parts."""
        index = 0
        while index < len(self._tokens):
            if self._tokens[index].kind not in _NAMES:
                index += 1
                continue
            start, parts = index, self._parts(index)
            while self._kind(index + 1) is Kind.DOT and self._kind(index + 2) in _NAMES:
                index += 2
                parts += self._parts(index)
            index += 1
            yield start, index, parts

    def _parts(self, index: int) -> tuple[str, ...]:
        token = self._tokens[index]
        if token.kind is Kind.QUOTED_NAME:
            return tuple(token.text.strip("`").lower().split("."))
        return (token.text.lower(),)

    def names(self, field: Field, parent: str) -> bool:
        """Whether the text may mean a field. One of a struct that is never a value is only reached by the struct's name."""
        return (parent, field.name.lower()) in self._named

    def is_value(self, field: Field, parent: str) -> bool:
        """Whether a field of which this is the struct stands for a value, as far as `names` can tell."""
        return (parent, field.name.lower()) in self._values

    @staticmethod
    def _pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each part with the one before it, and alone, for it may be a column."""
        for before, part in zip(("", *parts), parts, strict=False):
            yield before, part
            yield "", part

    def _ends(self, start: int, end: int, parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The parts of a path that may stand for a value: the last; every one where some stand in one pair of backquotes
        or a star follows; none of a name that is given, or of an array, for no struct is unnested."""
        if self._keyword(start - 1) == "as" or (self._keyword(start - 2) == "unnest" and self._closes(end)):
            return
        dotted = any(token.kind is Kind.QUOTED_NAME and "." in token.text for token in self._tokens[start:end])
        pairs = list(self._pairs(parts))
        yield from pairs if dotted or self._kind(end) is Kind.DOT else pairs[-2:]

    def _closes(self, index: int) -> bool:
        return self._kind(index) is Kind.CLOSE

    def _is_definition(self, start: int, parts: tuple[str, ...]) -> bool:
        """Whether a CTE begins: `name AS (SELECT`."""
        return (
            len(parts) == 1
            and self._keyword(start + 1) == "as"
            and self._kind(start + 2) is Kind.OPEN
            and self._keyword(start + 3) in ("select", "with")
            and (self._keyword(start - 1) == "with" or self._kind(start - 1) is Kind.COMMA)
        )

    def _is_star(self, index: int) -> bool:
        """Whether a token is the star of a select list that stands for columns of tables: no product, COUNT(*) or
        `(…).*`."""
        if (
            self._tokens[index].text != "*"
            or index == 0
            or (self._kind(index - 1) is Kind.DOT and self._closes(index - 2))
        ):
            return False
        before = self._kind(index - 1)
        return before in (Kind.DOT, Kind.COMMA) or self._keyword(index - 1) in _BEFORE_A_STAR

    def _from_clause(self, star: int) -> set[int]:
        """The tokens of the FROM clause that a star is about, subqueries left out; empty when it has none."""
        group, index = self._around[star], star + 1
        while self._around_of(index) != group or self._keyword(index) != "from":
            if index >= len(self._tokens) or self._ends_group(index, group):
                return set()
            index += 1
        found: set[int] = set()
        skipped: set[int] = set()
        while index < len(self._tokens) and not self._ends_group(index, group):
            around = self._around[index]
            if around == group and self._keyword(index) in _AFTER_FROM:
                break
            if around in skipped or (around != group and self._keyword(around + 1) in ("select", "with")):
                if self._kind(index) is Kind.OPEN:
                    skipped.add(index)
                skipped.add(around)
            else:
                found.add(index)
            index += 1
        return found

    def _ends_group(self, index: int, group: int) -> bool:
        """Whether a token closes the group, or ends the statement."""
        kind = self._kind(index)
        closes = kind is Kind.CLOSE and group >= 0 and self._around[index] == self._around[group]
        return kind is Kind.SEMICOLON or (closes and index > group)

    def _around_of(self, index: int) -> int | None:
        return self._around[index] if index < len(self._around) else None

    def _keyword(self, index: int) -> str:
        """The word at an index that is no part of a path, "" for every other token."""
        if self._kind(index) is not Kind.NAME or self._kind(index - 1) is Kind.DOT:
            return ""
        return self._tokens[index].text.lower()

    def _kind(self, index: int) -> Kind | None:
        return self._tokens[index].kind if 0 <= index < len(self._tokens) else None
