"""Statements of a script that are no control structure: queries, changes of rows, what is created and dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from etl_orchestrator.engines.googlesql.evaluation import Evaluator, Failure, Surroundings
from etl_orchestrator.engines.googlesql.merge import merge_of
from etl_orchestrator.engines.googlesql.resolved import inherited, kind
from etl_orchestrator.engines.googlesql.routines import known_of
from etl_orchestrator.engines.googlesql.script_state import Frame, State, changed, coerced, failed
from etl_orchestrator.engines.googlesql.session import Session
from etl_orchestrator.engines.googlesql.types import field_of, type_name
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.script_nodes import Span, Statement
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token, tokenize
from etl_orchestrator.table import Field, TableRef
from etl_orchestrator.tools import Routine, Rows, TableData, Value, View

_QUERY_WORDS = frozenset({"SELECT", "WITH", "FROM", "("})


class Statements:
    """Runs them one by one; `state` is what they leave."""

    def __init__(self, session: Session, evaluator: Evaluator, state: State) -> None:
        self.state = state
        self._session = session
        self._evaluator = evaluator

    def run(self, node: Statement, frame: Frame) -> None:
        run = _STATEMENTS.get(node.kind)
        if run is None:
            raise Unsupported(f"the local engine lacks {node.kind}", fix="run this script in BigQuery")
        try:
            run(self, node, frame)
        except Failure as failure:
            line = frame.text.count("\n", 0, node.span.start)
            problem = failure.problem
            raise Failure(replace(problem, line=problem.line + line if problem.line else 0)) from None

    def _query(self, node: Statement, frame: Frame) -> None:
        self.state.rows = self.rows(node.span.of(frame.text), frame)

    def _change(self, node: Statement, frame: Frame) -> None:
        """INSERT, UPDATE and DELETE."""
        around = self._around(frame)
        resolved, runnable = self._evaluator.statement(self._session, self._text(node.span, frame), around)
        table = self.state.resolve(node.name)
        fill: dict[str, Value] = {}
        if kind(resolved) == "InsertStmt":
            named = {column.name.lower() for column in resolved.insert_column_list}
            fill = self._defaults(table, named, frame, node)
        identified = "" if kind(resolved) == "InsertStmt" else runnable.name_of(table)
        changes = self._evaluator.changes(self._session, runnable, around, identified)
        data, self.state.row_count = changed(self.state.data(table), changes, fill)
        self.state.put(table, data)

    def _defaults(self, table: TableRef | str, named: set[str], frame: Frame, node: Statement) -> dict[str, Value]:
        """The values of columns with a default that an INSERT does not name."""
        defaults = self.state.defaults.get(table, {})
        if defaults and re.search(r"\bDEFAULT\b", node.span.of(frame.text), re.IGNORECASE):
            raise Unsupported(f"the local engine lacks DEFAULT in an INSERT into `{table}`, which has defaults")
        columns = {column.name: column for column in self.state.data(table).schema}
        return {
            name: self.value(text, frame, columns[name])[1]
            for name, text in defaults.items()
            if name.lower() not in named
        }

    def _merge(self, node: Statement, frame: Frame) -> None:
        around = self._around(frame)
        _, runnable = self._evaluator.statement(self._session, self._text(node.span, frame), around)
        table = self.state.resolve(node.name)
        flat = runnable.name_of(table)
        merge = merge_of(runnable.text)
        runnable.text = merge.rows_matched_twice()
        if len(self._evaluator.rows(self._session, runnable, around, flat)):
            raise failed("MERGE must match at most one source row for each target row")
        changes: list[Any] = []
        for index, clause in enumerate(merge.clauses):
            runnable.text = merge.statement(index)
            identified = "" if clause.action == "INSERT" else flat
            changes.extend(self._evaluator.changes(self._session, runnable, around, identified))
            if clause.action == "INSERT" and self.state.defaults.get(table):
                raise Unsupported(f"the local engine lacks MERGE that inserts into `{table}`, which has defaults")
        data, self.state.row_count = changed(self.state.data(table), changes, {})
        self.state.put(table, data)

    def _truncate(self, node: Statement, frame: Frame) -> None:
        table = self.state.resolve(node.name)
        data = self.state.data(table)
        self.state.row_count = len(data.rows)
        self.state.put(table, replace(data, rows=()))

    def _create_table(self, node: Statement, frame: Frame) -> None:
        words = _words(self._text(node.span, frame))
        table = self.state.resolve(node.name)
        if isinstance(table, str) and not node.temporary:
            raise failed(f"Table `{table}` must be qualified with a dataset")
        if self.state.has(table) and "REPLACE" not in words[:3]:
            if "EXISTS" in words[:8]:
                return
            raise failed(f"Already Exists: Table {table}")
        data, defaults = self._made(node, frame)
        self.state.drop(table)
        self.state.put(table, data)
        self.state.defaults[table] = defaults

    def _made(self, node: Statement, frame: Frame) -> tuple[TableData, dict[str, str]]:
        """The contents of a table that is created, and the defaults of its columns."""
        text = self._text(node.span, frame)
        query = _query_part(text)
        if query:
            rows = self.rows(query, frame)
            unnamed = [column.name for column in rows.columns if re.fullmatch(r"f\d+_", column.name)]
            if unnamed:
                raise failed("CREATE TABLE columns must be named, but a column of the query has no name")
            return TableData(rows.columns, tuple(rows.dicts())), {}
        copied = _copied(text)
        if copied:
            data = self.state.data(self.state.resolve(copied[1]))
            return replace(data, rows=() if copied[0] == "LIKE" else data.rows), {}
        resolved, _ = self._evaluator.statement(self._session, text, self._around(frame))
        columns, defaults = [], {}
        for column in inherited(resolved, "column_definition_list"):
            made = field_of(column.name, column.type)
            required = column.annotations.not_null and made.mode != "REPEATED"
            columns.append(replace(made, mode="REQUIRED") if required else made)
            if column.HasField("default_value"):
                defaults[column.name] = column.default_value.sql
        return TableData(tuple(columns)), defaults

    def _create_view(self, node: Statement, frame: Frame) -> None:
        table = self.state.resolve(node.name)
        if isinstance(table, str):
            raise failed(f"View `{table}` must be qualified with a dataset")
        self.state.tables[table] = View(_query_part(self._text(node.span, frame)))

    def _create_function(self, node: Statement, frame: Frame) -> None:
        text = self._text(node.span, frame)
        if node.temporary:
            resolved, _ = self._evaluator.statement(self._session, text, self._around(frame))
            self.state.functions[node.name[0].lower()] = known_of(node.name, resolved)
            return
        ref = self.state.resolve(node.name)
        if isinstance(ref, str):
            raise failed(f"Function `{ref}` must be qualified with a dataset")
        self.state.routines = [routine for routine in self.state.routines if routine.ref != ref]
        self.state.routines.append(Routine(ref, text))

    def _drop(self, node: Statement, frame: Frame) -> None:
        if node.kind in ("DROP FUNCTION", "DROP PROCEDURE", "DROP TABLE FUNCTION"):
            self.state.functions.pop(node.name[-1].lower(), None)
            ref = self.state.resolve(node.name)
            self.state.routines = [routine for routine in self.state.routines if routine.ref != ref]
            return
        table = self.state.resolve(node.name)
        if not self.state.has(table) and "EXISTS" not in _words(node.span.of(frame.text))[:5]:
            raise failed(f"Not found: Table {table}")
        self.state.drop(table)

    def _assert(self, node: Statement, frame: Frame) -> None:
        text = node.span.of(frame.text)
        condition, message = _asserted(text)
        if not self.holds(condition, frame):
            raise failed(f"Assertion failed: {message or condition}")

    def _transaction(self, node: Statement, frame: Frame) -> None:
        state = self.state
        if node.kind == "BEGIN TRANSACTION":
            state.before = (dict(state.tables), dict(state.temporary))
        elif state.before is None:
            raise failed(f"{node.kind} without a transaction")
        elif node.kind == "ROLLBACK TRANSACTION":
            state.tables, state.temporary = state.before
            state.before = None
        else:
            state.before = None

    def _nothing(self, node: Statement, frame: Frame) -> None:
        """Changes nothing that a query could see."""

    # --- values

    def holds(self, condition: str, frame: Frame) -> bool:
        return self.value(condition, frame, Field("condition", "BOOLEAN"))[1] is True

    def value(self, expression: str, frame: Frame, wanted: Field | None = None) -> tuple[Field, Value]:
        """An expression and its type, which is the wanted one where that is what an assignment makes of it."""
        stated = f"({expression}\n)"
        if wanted is not None:
            stated = f"IF(TRUE, {stated}, CAST(NULL AS {type_name(wanted)}))"
        rows = self.rows(f"SELECT {stated} AS value", frame)
        given = rows.columns[0]
        if wanted is not None and type_name(given) != type_name(replace(wanted, name="value")):
            coerced(object(), given, wanted)
        return (wanted or given), rows.rows[0][0]

    def rows(self, sql: str, frame: Frame) -> Rows:
        return self._evaluator.query(self._session, self._system(sql), self._around(frame))

    def _around(self, frame: Frame) -> Surroundings:
        return self.state.around(frame.variables, frame.parameters)

    def _text(self, span: Span, frame: Frame) -> str:
        return self._system(span.of(frame.text))

    def _system(self, sql: str) -> str:
        """The text with system variables in words."""
        tokens = [token for token in tokenize(sql) if token.kind not in COMMENTS]
        for index in reversed(range(len(tokens))):
            token = tokens[index]
            if token.kind is not Kind.SYSTEM_VARIABLE:
                continue
            name, end = token.text.lower(), token.end
            if index + 2 < len(tokens) and tokens[index + 1].kind is Kind.DOT:
                name, end = f"{name}.{tokens[index + 2].text.lower()}", tokens[index + 2].end
            sql = sql[: token.start] + self._system_value(name) + sql[end:]
        return sql

    def _system_value(self, name: str) -> str:
        if name == "@@row_count":
            return f"CAST({'NULL' if self.state.row_count is None else self.state.row_count} AS INT64)"
        if name == "@@error.message":
            return "CAST(NULL AS STRING)" if self.state.error is None else _literal(self.state.error)
        if name == "@@time_zone":
            return "'UTC'"
        raise failed(f"Unrecognized system variable {name}, or none that is known here")


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _tokens(text: str) -> list[Token]:
    return [token for token in tokenize(text) if token.kind not in COMMENTS]


def _words(text: str) -> list[str]:
    return [token.text.upper() for token in _tokens(text)]


def _query_part(text: str) -> str:
    """The query of CREATE ... AS query; nothing without one."""
    tokens = _tokens(text)
    depth = 0
    for index, token in enumerate(tokens[:-1]):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0 and token.text.upper() == "AS" and tokens[index + 1].text.upper() in _QUERY_WORDS:
            return text[token.end :]
    return ""


def _copied(text: str) -> tuple[str, tuple[str, ...]] | None:
    """LIKE, COPY or CLONE and the table behind it."""
    tokens = _tokens(text)
    depth = 0
    for index, token in enumerate(tokens[:-1]):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0 and token.text.upper() in ("LIKE", "COPY", "CLONE"):
            name = text[tokens[index + 1].start :].split()[0]
            return token.text.upper(), tuple(name.replace("`", "").split("."))
    return None


def _asserted(text: str) -> tuple[str, str]:
    """The condition of ASSERT condition [AS 'message'], and the message as it is written."""
    tokens = _tokens(text)
    start = tokens[0].end
    if len(tokens) > 3 and tokens[-1].kind is Kind.STRING and tokens[-2].text.upper() == "AS":
        return text[start : tokens[-2].start], tokens[-1].text.strip("\"'")
    return text[start:], ""


_STATEMENTS: Mapping[str, Callable[[Statements, Statement, Frame], None]] = {
    "QUERY": Statements._query,
    "INSERT": Statements._change,
    "UPDATE": Statements._change,
    "DELETE": Statements._change,
    "MERGE": Statements._merge,
    "TRUNCATE TABLE": Statements._truncate,
    "CREATE TABLE": Statements._create_table,
    "CREATE VIEW": Statements._create_view,
    "CREATE FUNCTION": Statements._create_function,
    "CREATE TABLE FUNCTION": Statements._create_function,
    "CREATE PROCEDURE": Statements._create_function,
    "CREATE SCHEMA": Statements._nothing,
    "DROP TABLE": Statements._drop,
    "DROP VIEW": Statements._drop,
    "DROP FUNCTION": Statements._drop,
    "DROP TABLE FUNCTION": Statements._drop,
    "DROP PROCEDURE": Statements._drop,
    "ASSERT": Statements._assert,
    "BEGIN TRANSACTION": Statements._transaction,
    "COMMIT TRANSACTION": Statements._transaction,
    "ROLLBACK TRANSACTION": Statements._transaction,
}
