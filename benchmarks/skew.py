"""Refusals that come of checkouts which do not fit together, each with its proof.

A view that is generated names the fields of the stable tables as deployed; the checkout of the schemas is of another day,
and lists by name the fields that a deployed table has in the order in which it got them. (A clone with its history tells
that order, all but that of tables which were dropped and made again, or made days after their schema.) Three such refusals
can be proved from the files: a generated view names a field that the schema file of the table it reads does not have; the
parts of a UNION have the very same fields, in another order, in a column that comes from a stable table; the rows of two
tables, between which IF chooses, have the very same columns in another order. All else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from etl_orchestrator.catalogs.pipeline_schemas import is_ingested
from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.layout import paths
from etl_orchestrator.sql.resolution import Resolved, tables_of
from etl_orchestrator.table import Field, Schema, TableRef, walk
from etl_orchestrator.tools import Analyzer

_FIELD = re.compile(r"Field name (\w+) does not exist in STRUCT")
_COLUMN = re.compile(r"Column (\d+) in UNION ALL has incompatible types")
_FROM = re.compile(r"^\s*FROM\s+`?([\w.-]+)`?", re.MULTILINE)


class Skew:
    """`main` is the checkout of the branch that holds no generated files."""

    def __init__(self, catalog: Resolved, analyzer: Analyzer, main: Path) -> None:
        self._catalog, self._analyzer, self._main = catalog, analyzer, main

    def proof(self, path: str, line: int, message: str) -> str:
        """In words, naming the files that show it; "" when there is no proof."""
        field, column = _FIELD.search(message), _COLUMN.search(message)
        home = paths.table_of(path)
        if home is None:
            return ""
        try:
            if field and not (self._main / path).exists():
                return self._missing(path, home, line, field[1])
            if message.startswith("No matching signature for function IF"):
                return self._rows(path, home)
            return self._unlike(path, home, int(column[1])) if column else ""
        except (OrchestratorError, SqlglotError):
            return ""

    def _missing(self, path: str, home: TableRef, line: int, field: str) -> str:
        """The branch that names the field reads what its FROM says, the first one below."""
        text = self._catalog.text(path) or ""
        below = text.split("\n", line)[-1]
        read = _FROM.search(below)
        if read is None:
            return ""
        stable = self._stable(TableRef.parse(read[1], home.project))
        if not stable or any(field in {f.name for _, f in walk(schema)} for _, schema in stable.values()):
            return ""
        return f"`{field}` is not in {', '.join(sorted(file for file, _ in stable.values()))}"

    def _unlike(self, path: str, home: TableRef, number: int) -> str:
        query = self._query(path, home)
        for union in query.find_all(exp.Union):
            if isinstance(union.parent, exp.Union):
                continue
            texts = [f"{_common(query, union)} {part.sql('bigquery')}" for part in _parts(union)]
            found = [self._catalog.analyze(text, home).columns for text in texts]
            if any(len(columns) < number for columns in found):  # a part that is refused by itself
                continue
            columns = [columns[number - 1] for columns in found]
            stable = [self._files(text, home) for text in texts]
            for index, column in enumerate(columns[1:], start=1):
                difference = _order(columns[0], column)
                if difference and stable[0] + stable[index]:
                    return f"{difference}, with the fields by name in {', '.join(stable[0] + stable[index])}"
        return ""

    def _rows(self, path: str, home: TableRef) -> str:
        query = self._query(path, home)
        for choice in query.find_all(exp.If):
            names = [arm.name for arm in (choice.args.get("true"), choice.args.get("false")) if type(arm) is exp.Column]
            if len(names) < 2:
                continue
            text = f"{_common(query, choice)} SELECT {', '.join(names)} FROM {', '.join(names)}"
            rows = self._catalog.analyze(text, home).columns
            difference = _order(rows[0], replace(rows[1], name=rows[0].name)) if len(rows) == 2 else ""
            if difference:
                return f"{difference} of {names[1]}, in the order of the schema.yaml of the tables that they come from"
        return ""

    def _query(self, path: str, home: TableRef) -> Any:
        text = self._catalog.template(path, home, self._catalog.text(path) or "").render()
        tree = sqlglot.parse_one(text, "bigquery")
        return tree.expression if isinstance(tree, exp.Create) else tree

    def orders(self, given: Schema, written: Schema, tables: Iterable[TableRef]) -> list[str]:
        """For each record of a query that schema.yaml has with the same fields in another order: the schema file of a
        stable table, read through views and tables, that has this record as the query has it. Empty when one lacks."""
        other = {path: [field.name for field in record.fields] for path, record in walk(written)}
        stable = self._all_stable(tables)
        found: list[str] = []
        for path, record in walk(given):
            names = [field.name for field in record.fields]
            if other.get(path, names) == names or set(names) != set(other[path]):
                continue
            for file, schema in stable:
                alike = (f for _, f in walk(schema) if f.name == record.name)
                if any([field.name for field in one.fields] == names for one in alike):
                    found.append(
                        f"`{path}` is ({', '.join(names)[:60]}) in {file}, ({', '.join(other[path])[:60]}) here"
                    )
                    break
            else:
                return []
        return found

    def _all_stable(self, tables: Iterable[TableRef]) -> list[tuple[str, Schema]]:
        """Of tables and all they are made of, views and queries, each file once."""
        found: dict[str, Schema] = {}
        waiting, seen = list(tables), set()
        while waiting:
            table = waiting.pop()
            if table in seen or table.is_wildcard:
                continue
            seen.add(table)
            with suppress(OrchestratorError):
                known = self._catalog.schema(table) if is_ingested(table) else None
                if known is not None:
                    found[known.origin] = known.schema
            for name in (paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL, paths.QUERY_SQL):
                path = f"{paths.table_folder(table)}/{name}"
                text = self._catalog.text(path)
                with suppress(OrchestratorError):
                    sql = self._catalog.template(path, table, text).render() if text is not None else ""
                    waiting += tables_of(self._analyzer.references(sql), table) if sql else ()
        return list(found.items())

    def _files(self, sql: str, home: TableRef) -> list[str]:
        tables = tables_of(self._analyzer.references(sql), home)
        return sorted({file for one in tables if one != home for file, _ in self._stable(one).values()})

    def _stable(self, table: TableRef) -> dict[TableRef, tuple[str, Schema]]:
        """The stable tables that a table is made of, through views, with file and schema; none when another is among
        them."""
        for name in (paths.VIEW_SQL, paths.MATERIALIZED_VIEW_SQL):
            path = f"{paths.table_folder(table)}/{name}"
            text = self._catalog.text(path)
            if text is None:
                continue
            sql = self._catalog.template(path, table, text).render()
            parts = [
                self._stable(one) for one in tables_of(self._analyzer.references(sql), table) if one != table
            ]  # a view's statement names the view itself
            return {key: found for part in parts for key, found in part.items()} if all(parts) else {}
        known = self._catalog.schema(table) if is_ingested(table) else None
        return {} if known is None else {table: (known.origin, known.schema)}


def _common(query: Any, part: Any) -> str:
    """The CTEs that stand before a part of a query."""
    clause = query.args.get("with_") or query.args.get("with")
    inside = part.find_ancestor(exp.CTE)
    before: list[str] = []
    for cte in clause.expressions if clause else ():
        if cte is inside:
            break
        before.append(cte.sql("bigquery"))
    return f"WITH {', '.join(before)}" if before else ""


def _parts(union: Any) -> list[Any]:
    if isinstance(union, exp.Union):
        return [*_parts(union.left), *_parts(union.right)]
    return _parts(union.this) if isinstance(union, exp.Subquery) else [union]


def _order(one: Field, other: Field, at: str = "") -> str:
    """The first record in which two columns of the same fields have them in another order; "" when the fields are others."""
    at = f"{at}.{one.name}".lstrip(".")
    if (one.type, one.mode) != (other.type, other.mode) or {f.name for f in one.fields} != {
        f.name for f in other.fields
    }:
        return ""
    names = [[field.name for field in column.fields] for column in (one, other)]
    if names[0] != names[1]:
        place = next(index for index, pair in enumerate(zip(*names, strict=True)) if pair[0] != pair[1])
        return f"`{at}` has `{names[0][place]}` and `{names[1][place]}` as field {place + 1}"
    return next((found for pair in zip(one.fields, other.fields, strict=True) if (found := _order(*pair, at))), "")
