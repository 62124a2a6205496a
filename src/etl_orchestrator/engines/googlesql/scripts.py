"""Running a script: its statements in order, on tables that it changes; nothing leaves the memory of this process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from etl_orchestrator.engines.googlesql.encoding import NullElement
from etl_orchestrator.engines.googlesql.evaluation import Evaluator, Failure
from etl_orchestrator.engines.googlesql.script_state import Frame, State, coerced, failed
from etl_orchestrator.engines.googlesql.session import Session
from etl_orchestrator.engines.googlesql.statements import Statements
from etl_orchestrator.engines.googlesql.text import positional, with_names
from etl_orchestrator.engines.googlesql.types import field_of, parse_type, type_name
from etl_orchestrator.errors import InvalidInput, TimedOut, Unsupported
from etl_orchestrator.sql import script
from etl_orchestrator.sql.script_nodes import (
    Assign,
    Block,
    Call,
    Declare,
    Execute,
    If,
    Jump,
    Loop,
    Node,
    Raise,
    Statement,
)
from etl_orchestrator.table import Field
from etl_orchestrator.tools import ParameterValue, Routine, SqlProblem, Value


class _Jumped(Exception):
    """Leaves the statements up to where the jump goes."""

    def __init__(self, kind: str, label: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.label = label.lower()


class ScriptRun:
    """One run; `state` is what it leaves."""

    def __init__(self, session: Session, evaluator: Evaluator, state: State, seconds: float) -> None:
        self.state = state
        self._session = session
        self._statements = Statements(session, evaluator, state)
        self._seconds = seconds
        self._began = time.thread_time()

    def run(self, frame: Frame) -> None:
        """Raises Failure where the script fails."""
        try:
            self._all(_parsed(frame.text), frame)
        except _Jumped as jumped:
            if jumped.kind != "RETURN":
                raise failed(f"{jumped.kind} outside a loop") from None

    def _all(self, nodes: Sequence[Node], frame: Frame) -> None:
        for node in nodes:
            if time.thread_time() - self._began > self._seconds:
                raise TimedOut(f"the script did not end within {self._seconds:g} s")
            try:
                _RUN[type(node)](self, node, frame)
            except NullElement as null:
                raise failed(null.message) from None

    # --- control

    def _declare(self, node: Declare, frame: Frame) -> None:
        wanted = parse_type(node.names[0], node.type.of(frame.text)) if node.type else None
        value: Value = None
        if node.default:
            wanted, value = self._statements.value(node.default.of(frame.text), frame, wanted)
        for name in node.names:
            if name.lower() in frame.scopes[-1]:
                raise failed(f"Variable `{name}` is declared twice")
            frame.scopes[-1][name.lower()] = (replace(wanted or Field(name, "INTEGER"), name=name), value)

    def _assign(self, node: Assign, frame: Frame) -> None:
        if node.names[0].startswith("@@"):
            if node.names[0].lower() not in ("@@query_label", "@@dataset_project_id", "@@dataset_id"):
                raise Unsupported(f"the local engine lacks SET {node.names[0]}")
            return
        if len(node.names) == 1:
            self._set(node.names[0], node.value.of(frame.text), frame)
            return
        given, value = self._statements.value(node.value.of(frame.text), frame)
        if given.type != "RECORD" or len(given.fields) != len(node.names):
            raise failed(f"SET of {len(node.names)} variables needs a struct of as many fields")
        for name, part in zip(node.names, given.fields, strict=True):
            self._store(name, part, None if value is None else value[part.name], frame)

    def _set(self, name: str, expression: str, frame: Frame) -> None:
        scope = frame.scope_of(name)
        wanted = scope[name.lower()][0]
        scope[name.lower()] = (wanted, self._statements.value(expression, frame, wanted)[1])

    def _store(self, name: str, given: Field, value: Value, frame: Frame) -> None:
        scope = frame.scope_of(name)
        wanted = scope[name.lower()][0]
        scope[name.lower()] = (wanted, coerced(value, given, wanted))

    def _branches(self, node: If, frame: Frame) -> None:
        for branch in node.branches:
            condition = branch.condition.of(frame.text) if branch.condition else "TRUE"
            if node.operand and branch.condition:
                condition = f"({node.operand.of(frame.text)}) = ({condition})"
            if self._statements.holds(condition, frame):
                self._all(branch.body, frame)
                return

    def _loop(self, node: Loop, frame: Frame) -> None:
        condition = node.condition.of(frame.text) if node.condition else "TRUE"
        if node.kind == "FOR":
            self._for(node, condition, frame)
            return
        while node.kind != "WHILE" or self._statements.holds(condition, frame):
            if not self._turn(node, frame):
                return
            if node.kind == "REPEAT" and self._statements.holds(condition, frame):
                return

    def _for(self, node: Loop, query: str, frame: Frame) -> None:
        rows = self._statements.rows(query.strip(), frame)
        record = Field(node.variable, "RECORD", fields=rows.columns)
        for row in rows.dicts():
            frame.scopes.append({node.variable.lower(): (record, row)})
            try:
                if not self._turn(node, frame):
                    return
            finally:
                frame.scopes.pop()

    def _turn(self, node: Loop, frame: Frame) -> bool:
        """Runs the body once; whether the loop goes on."""
        try:
            self._all(node.body, frame)
        except _Jumped as jumped:
            if jumped.kind == "RETURN" or (jumped.label and jumped.label != node.label.lower()):
                raise
            return jumped.kind == "CONTINUE"
        return True

    def _block(self, node: Block, frame: Frame) -> None:
        depth = len(frame.scopes)
        frame.scopes.append({})
        try:
            self._all(node.body, frame)
        except Failure as failure:
            if node.handler is None:
                raise
            del frame.scopes[depth:]
            outer, self.state.error = self.state.error, failure.problem.message
            self._all(node.handler, frame)
            self.state.error = outer
        except _Jumped as jumped:
            if not node.label or (jumped.kind, jumped.label) != ("BREAK", node.label.lower()):
                raise
        finally:
            del frame.scopes[depth:]

    def _jump(self, node: Jump, frame: Frame) -> None:
        raise _Jumped(node.kind, node.label)

    def _raise(self, node: Raise, frame: Frame) -> None:
        if node.message is None:
            raise failed(self.state.error or "RAISE outside an exception handler")
        raise failed(str(self._statements.value(node.message.of(frame.text), frame)[1]))

    def _call(self, node: Call, frame: Frame) -> None:
        routine = self._procedure(node.name)
        nodes = _parsed(routine.sql)
        body = nodes[0].body if nodes and isinstance(nodes[0], Statement) else None
        if body is None:
            raise Unsupported(f"the local engine lacks procedures like {routine.ref}")
        around = self.state.around({}, {})
        known = self._session.routines(f"CALL {'.'.join(node.name)}()", [routine], {})[-1] if around else None
        assert known is not None
        if len(node.arguments) != len(known.arguments):
            raise failed(f"{routine.ref} takes {len(known.arguments)} arguments, {len(node.arguments)} are given")
        inner = Frame(routine.sql)
        back: list[tuple[str, str]] = []
        for name, taken, span in zip(known.arguments, known.signature.argument, node.arguments, strict=True):
            self._pass(name, taken, span.of(frame.text), frame, inner, back)
        try:
            self._block(body, inner)
        except _Jumped as jumped:
            if jumped.kind != "RETURN":
                raise
        for outer, name in back:
            kept, value = inner.scopes[0][name.lower()]
            self._store(outer, kept, value, frame)

    def _pass(self, name: str, taken: Any, given: str, frame: Frame, inner: Frame, back: list[tuple[str, str]]) -> None:
        """An argument of a call becomes a variable of the procedure."""
        wanted = field_of(name, taken.type) if taken.HasField("type") else None
        mode = taken.options.DESCRIPTOR.fields_by_name["procedure_argument_mode"].enum_type.values_by_number[
            taken.options.procedure_argument_mode
        ].name  # fmt: skip
        value: Value = None
        if mode in ("OUT", "INOUT"):
            variable = given.strip().strip("`")
            scope = frame.scope_of(variable)
            back.append((variable, name))
            wanted = wanted or scope[variable.lower()][0]
        if mode != "OUT":
            found, value = self._statements.value(given, frame, wanted)
            wanted = wanted or found
        assert wanted is not None
        inner.scopes[0][name.lower()] = (replace(wanted, name=name), value)

    def _procedure(self, path: Sequence[str]) -> Routine:
        wanted = ".".join(path).lower()
        for routine in self.state.routines:
            if f".{routine.ref}".lower().endswith(f".{wanted}"):
                return routine
        raise failed(f"Procedure not found: {'.'.join(path)}")

    def _execute(self, node: Execute, frame: Frame) -> None:
        text = self._statements.value(node.text.of(frame.text), frame)[1]
        if text is None:
            raise failed("EXECUTE IMMEDIATE of NULL")
        parameters = dict(frame.parameters)
        for number, (span, name) in enumerate(node.using, start=1):
            given, value = self._statements.value(span.of(frame.text), frame)
            parameters[name or positional(number)] = ParameterValue(type_name(given), value)
        inner = Frame(with_names(str(text)), parameters, [*frame.scopes, {}])
        self.run(inner)
        if node.into:
            self._into(node.into, frame)

    def _into(self, names: Sequence[str], frame: Frame) -> None:
        rows = self.state.rows
        if len(rows.rows) > 1 or len(rows.columns) != len(names):
            raise failed(f"EXECUTE IMMEDIATE INTO needs one row of {len(names)} columns")
        values = rows.rows[0] if rows.rows else (None,) * len(names)
        for name, column, value in zip(names, rows.columns, values, strict=True):
            self._store(name, column, value, frame)

    def _statement(self, node: Statement, frame: Frame) -> None:
        self._statements.run(node, frame)


def _parsed(text: str) -> tuple[Node, ...]:
    try:
        return script.parse(text)
    except InvalidInput as error:
        raise Failure(SqlProblem(error.message, *_place(error.at))) from None


def _place(at: str | None) -> tuple[int, int]:
    found = re.search(r"line (\d+), column (\d+)", at or "")
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


_RUN: Mapping[type, Callable[[ScriptRun, Any, Frame], None]] = {
    Statement: ScriptRun._statement,
    Declare: ScriptRun._declare,
    Assign: ScriptRun._assign,
    If: ScriptRun._branches,
    Loop: ScriptRun._loop,
    Block: ScriptRun._block,
    Jump: ScriptRun._jump,
    Call: ScriptRun._call,
    Raise: ScriptRun._raise,
    Execute: ScriptRun._execute,
}
