"""MERGE in terms of the statements that the evaluator runs, all of them on the rows as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etl_orchestrator.engines.googlesql.session import ROW_NUMBER
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token, tokenize


@dataclass(frozen=True, slots=True)
class Clause:
    """WHEN of one `kind` (MATCHED, TARGET for NOT MATCHED BY TARGET, SOURCE) with its condition, "TRUE" without one, and
    what is done: `action` UPDATE, INSERT or DELETE, `rest` what is said behind it."""

    kind: str
    condition: str
    action: str
    rest: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A MERGE statement in parts; `target` and `source` with their aliases, as they stand in a FROM clause."""

    table: str
    target: str
    source: str
    condition: str
    clauses: tuple[Clause, ...]

    def rows_matched_twice(self) -> str:
        """A query for the rows of the target that several rows of the source would change."""
        changed = [self._where(index) for index, clause in enumerate(self.clauses) if clause.kind == "MATCHED"]
        alias = self.target.split()[-1]
        return (
            f"SELECT {alias}.{ROW_NUMBER} FROM {self.target} INNER JOIN {self.source} ON {self.condition} "
            f"WHERE {' OR '.join(f'({where})' for where in changed) or 'FALSE'} GROUP BY 1 HAVING COUNT(*) > 1"
        )

    def statement(self, index: int) -> str:
        """The statement for a clause."""
        clause = self.clauses[index]
        where = self._where(index)
        if clause.kind == "MATCHED" and clause.action == "UPDATE":
            return f"UPDATE {self.target} {clause.rest} FROM {self.source} WHERE ({self.condition}) AND {where}"
        if clause.action == "INSERT":
            missing = f"NOT EXISTS (SELECT 1 FROM {self.target} WHERE {self.condition})"
            columns, values = _inserted(clause.rest)
            return f"INSERT INTO {self.table} {columns} SELECT {values} FROM {self.source} WHERE {missing} AND {where}"
        exists = f"EXISTS (SELECT 1 FROM {self.source} WHERE {self.condition})"
        if clause.kind == "MATCHED":
            exists = f"EXISTS (SELECT 1 FROM {self.source} WHERE ({self.condition}) AND {where})"
            return f"DELETE FROM {self.target} WHERE {exists}"
        return f"{clause.action} {self.target} {clause.rest} WHERE NOT {exists} AND {where}"

    def _where(self, index: int) -> str:
        """True where this clause is the first of its kind that fits."""
        clause = self.clauses[index]
        before = [other.condition for other in self.clauses[:index] if other.kind == clause.kind]
        parts = [f"IFNULL(({clause.condition}), FALSE)"]
        parts.extend(f"NOT IFNULL(({condition}), FALSE)" for condition in before)
        return " AND ".join(parts)


def merge_of(sql: str) -> Merge:
    """The parts of a MERGE statement that has been analyzed, in which every table has an alias."""
    tokens = [token for token in tokenize(sql) if token.kind not in COMMENTS and token.kind is not Kind.SEMICOLON]
    marks = _top_words(tokens)
    using = next(index for index, word in marks if word == "USING")
    whens = [index for index, word in marks if word == "WHEN"]
    on = [index for index, word in marks if word == "ON" and using < index < whens[0]][-1]
    start = 2 if tokens[1].text.upper() == "INTO" else 1

    def text(first: int, last: int) -> str:
        return sql[tokens[first].start : tokens[last - 1].end] if last > first else ""

    ends = [*whens[1:], len(tokens)]
    clauses = tuple(_clause(tokens, marks, text, first, last) for first, last in zip(whens, ends, strict=True))
    return Merge(
        table=tokens[start].text,
        target=text(start, using),
        source=text(using + 1, on),
        condition=text(on + 1, whens[0]),
        clauses=clauses,
    )


def _clause(tokens: Sequence[Token], marks: Sequence[tuple[int, str]], text: object, first: int, last: int) -> Clause:
    then = next(index for index, word in marks if word == "THEN" and first < index < last)
    words = [token.text.upper() for token in tokens[first:then]]
    kind, condition = "MATCHED", first + 2
    if words[1] == "NOT":
        kind, condition = "TARGET", first + 3
        if words[3:4] == ["BY"]:
            kind, condition = words[4], first + 5
    says = text(condition + 1, then) if condition < then else "TRUE"  # type: ignore[operator]
    action = tokens[then + 1].text.upper()
    return Clause(kind, says, action, text(then + 2, last))  # type: ignore[operator]


def _top_words(tokens: Sequence[Token]) -> list[tuple[int, str]]:
    """The words outside brackets and CASE, with their places."""
    found = []
    depth = cases = 0
    for index, token in enumerate(tokens):
        word = token.text.upper() if token.kind is Kind.NAME else ""
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif word == "CASE":
            cases += 1
        elif word == "END" and cases:
            cases -= 1
        elif word and not depth and not cases:
            found.append((index, word))
    return found


def _inserted(rest: str) -> tuple[str, str]:
    """The columns and the values of `[(columns)] VALUES (values)` or `[(columns)] ROW`; columns set to DEFAULT are left out."""
    tokens = [token for token in tokenize(rest) if token.kind not in COMMENTS]
    lists = _brackets(rest, tokens)
    if tokens[-1].text.upper() == "ROW":
        return (f"({', '.join(lists[0])})" if lists else ""), "*"
    if len(lists) == 1:
        if any(value.upper() == "DEFAULT" for value in lists[0]):
            raise Unsupported("the local engine lacks DEFAULT in a MERGE that does not name its columns")
        return "", ", ".join(lists[0])
    kept = [pair for pair in zip(*lists, strict=True) if pair[1].upper() != "DEFAULT"]
    return f"({', '.join(column for column, _ in kept)})", ", ".join(value for _, value in kept)


def _brackets(text: str, tokens: Sequence[Token]) -> list[list[str]]:
    """What stands in each pair of outer brackets, divided at its commas."""
    found: list[list[str]] = []
    depth, start = 0, 0
    for token in tokens:
        if token.kind is Kind.OPEN:
            depth += 1
            if depth == 1:
                found.append([])
                start = token.end
        elif depth == 1 and (token.kind is Kind.COMMA or token.kind is Kind.CLOSE):
            found[-1].append(text[start : token.start].strip())
            start = token.end
        if token.kind is Kind.CLOSE:
            depth -= 1
    return found
