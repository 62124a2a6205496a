"""What the engine understood of a text of one or many statements, each read in the scope that the ones before it left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from etl_orchestrator.engines.googlesql.answers import is_doubtful
from etl_orchestrator.engines.googlesql.catalog import PARTITION_COLUMNS, SUFFIX_COLUMN, Scope, own_columns
from etl_orchestrator.engines.googlesql.instance import Refusal
from etl_orchestrator.engines.googlesql.lineage import Origin
from etl_orchestrator.engines.googlesql.models import model_functions
from etl_orchestrator.engines.googlesql.problems import problem_of
from etl_orchestrator.engines.googlesql.protocol import ResolvedCreateStatementEnums
from etl_orchestrator.engines.googlesql.reading import LazyLineage, Reading, literal, read
from etl_orchestrator.engines.googlesql.resolved import concrete, inherited, kind, walk
from etl_orchestrator.engines.googlesql.routines import known_of
from etl_orchestrator.engines.googlesql.session import SYSTEM_VARIABLES, Session
from etl_orchestrator.engines.googlesql.text import Spelled, positional, spell, with_names
from etl_orchestrator.engines.googlesql.types import field_of, parse_type, spelling
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.sql import script
from etl_orchestrator.sql import script_nodes as nodes
from etl_orchestrator.sql.tokens import position
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import SqlProblem

_IF_NOT_EXISTS = ResolvedCreateStatementEnums.CREATE_IF_NOT_EXISTS
_BOOLEAN = Field("condition", "BOOLEAN")
_TEXT = Field("text", "STRING")
_QUERIES = ("QUERY", "EXPORT DATA")
_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE TABLE")
_TABLES = ("TABLE", "VIEW")
#: The engine counts the pseudo columns of a table among those of one that is made LIKE it.
_PSEUDO = frozenset(column.name for column in (*PARTITION_COLUMNS, SUFFIX_COLUMN))
_UNLIKE = "number of columns in the LIKE table does not match"
_TRANSACTIONS = ("BEGIN TRANSACTION", "COMMIT TRANSACTION", "ROLLBACK TRANSACTION")
#: Procedures of BigQuery itself, whose arguments nobody describes to the engine.
_SYSTEM_PROCEDURES = "BQ."


class Wrong(Exception):
    """Raised when the text is refused."""

    def __init__(self, problem: SqlProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class ScriptReading:
    """What is known of the whole text: `last` is the reading of the last statement that gives rows, `unknown` what
    cannot be known before the script runs."""

    last: Reading = field(default_factory=Reading)
    tables: set[TableRef] = field(default_factory=set)
    written: dict[TableRef | str, None] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


class ScriptReader:
    """Reads the statements of one text in order; loops and branches once each, for what they do does not change types."""

    def __init__(self, session: Session, sql: Spelled, scope: Scope, parameters: Mapping[str, str]) -> None:
        self._session = session
        self._sql = sql
        self._scope = scope
        self._parameters = parameters
        self._origins: dict[tuple[str, str], Origin] = {}
        self.found = ScriptReading()

    def read(self, body: Sequence[nodes.Node]) -> ScriptReading:
        """Raises Wrong when a statement is refused, EngineError when the engine cannot judge it."""
        for node in body:
            _READERS[type(node)](self, node)
        return self.found

    # --- parts of statements

    def _read(self, span: nodes.Span, before: str = "", targets: Sequence[Field] = ()) -> Reading:
        part = self._sql.part(span.start, span.end, before)

        def reading_in(scope: Scope) -> Reading:
            catalog = self._session.catalog(scope)
            return read(self._session, part, catalog, self._parameters, targets, self._origins)

        routines = self._scope.routines
        quick = self._session.answers.quick(routines)
        reading = reading_in(replace(self._scope, routines=quick)) if quick else Reading()
        if not quick or reading.problem or is_doubtful(walk(reading.statement)):
            reading = reading_in(self._scope)
            if reading.problem and _UNLIKE in reading.problem.message:
                reading = reading_in(replace(self._scope, plain=True))
            if not reading.problem and any(routine.is_templated for routine in routines):
                self._session.answers.learn(walk(reading.statement), routines)
        if reading.problem:
            raise Wrong(reading.problem)
        self.found.tables.update(reading.tables)
        return reading

    def _expression(self, span: nodes.Span, target: Field | None = None) -> Reading:
        return self._read(span, "SELECT ", (target,) if target else ())

    def _wrong(self, message: str, span: nodes.Span) -> Wrong:
        return Wrong(SqlProblem(message, *position(self._sql.given, span.start)))

    def _variable(self, name: str, span: nodes.Span) -> Field:
        known = {known.lower(): variable for known, variable in self._scope.variables.items()}
        if name.startswith("@@"):
            known = {f"@@{variable.name}": variable for variable in SYSTEM_VARIABLES}
        if name.lower() not in known:
            raise self._wrong(f"Undeclared variable: {name}", span)
        return known[name.lower()]

    @contextmanager
    def _block(self) -> Iterator[None]:
        """Variables end with their block."""
        outside = self._scope.variables
        try:
            yield
        finally:
            self._scope = replace(self._scope, variables=outside)

    def _declared(self, variables: Mapping[str, Field]) -> None:
        self._scope = replace(self._scope, variables={**self._scope.variables, **variables})

    # --- control

    def _declare(self, node: nodes.Declare) -> None:
        if node.type:
            try:
                kind_ = parse_type(node.names[0], node.type.of(self._sql.given))
            except InvalidInput as error:
                raise self._wrong(error.message, node.type) from None
            if node.default:
                self._expression(node.default, kind_)
        else:
            assert node.default  # one of the two is there
            kind_ = self._expression(node.default).columns[0]
        for name in node.names:
            if name.lower() in (known.lower() for known in self._scope.variables):
                raise self._wrong(f"Variable '{name}' redeclaration is not allowed", node.span)
        self._declared({name: replace(kind_, name=name) for name in node.names})

    def _assign(self, node: nodes.Assign) -> None:
        if node.names[0] in ("@@dataset_id", "@@dataset_project_id"):
            raise Unsupported(f"the local engine does not follow SET {node.names[0]}, which changes what names mean")
        targets = [self._variable(name, node.span) for name in node.names]
        if len(targets) == 1:
            self._expression(node.value, targets[0])
        else:
            self._expression(node.value, Field("values", "RECORD", fields=tuple(targets)))

    def _if(self, node: nodes.If) -> None:
        if node.operand:
            self._expression(node.operand)
        for branch in node.branches:
            if branch.condition:
                self._expression(branch.condition, None if node.operand else _BOOLEAN)
            self.read(branch.body)

    def _loop(self, node: nodes.Loop) -> None:
        with self._block():
            if node.kind == "FOR":
                assert node.condition
                row = self._read(node.condition)
                self._declared({node.variable: Field(node.variable, "RECORD", fields=row.columns)})
            elif node.condition and node.kind != "REPEAT":
                self._expression(node.condition, _BOOLEAN)
            self.read(node.body)
            if node.condition and node.kind == "REPEAT":
                self._expression(node.condition, _BOOLEAN)

    def _begin(self, node: nodes.Block) -> None:
        with self._block():
            self.read(node.body)
        if node.handler is not None:
            with self._block():
                self.read(node.handler)

    def _jump(self, node: nodes.Jump) -> None:
        """Nothing to read."""

    def _raise(self, node: nodes.Raise) -> None:
        if node.message:
            self._expression(node.message, _TEXT)

    def _call(self, node: nodes.Call) -> None:
        if ".".join(node.name).upper().startswith(_SYSTEM_PROCEDURES):
            for argument in node.arguments:
                self._expression(argument)
            return
        outside = self._scope
        self._scope = replace(outside, calling=True)
        self._read(nodes.Span(node.span.start + len("CALL"), node.span.end), "SELECT")
        self._scope = outside

    def _execute(self, node: nodes.Execute) -> None:
        text = literal(self._expression(node.text, _TEXT).statement)
        values = [(self._expression(value).columns[0], name) for value, name in node.using]
        targets = [self._variable(name, node.span) for name in node.into]
        if text is None:
            line, column = position(self._sql.given, node.span.start)
            self.found.unknown.append(
                f"the text of EXECUTE IMMEDIATE in line {line}, column {column} is known only when the script runs"
            )
            return
        try:
            text = with_names(text)
            inner = ScriptReader(self._session, Spelled(text, text, ()), self._scope, {})
            inner.found, inner._origins = self.found, self._origins
            inner._parameters = {
                name or positional(number): spelling(field_) for number, (field_, name) in enumerate(values, start=1)
            }
            (statement,) = script.parse(text)
            if targets:
                inner._read(statement.span, targets=targets)
            else:
                inner.read((statement,))
        except (Wrong, InvalidInput, ValueError) as error:
            message = error.problem.message if isinstance(error, Wrong) else str(error).splitlines()[0]
            raise self._wrong(f"in the text of EXECUTE IMMEDIATE: {message}", node.span) from None
        self._scope = inner._scope

    # --- statements

    def _statement(self, node: nodes.Statement) -> None:
        if node.kind in _TRANSACTIONS:
            return
        verb, _, thing = node.kind.partition(" ")
        if verb == "LOAD":
            raise Unsupported("the local engine does not read LOAD DATA: what it loads is not here")
        reading = self._read(node.span)
        if node.kind in _CHANGES or (verb in ("CREATE", "DROP", "ALTER") and thing in _TABLES):
            self._written(node)
        if thing in ("FUNCTION", "TABLE FUNCTION", "PROCEDURE") and verb == "CREATE":
            self._routine(node, reading)
        elif verb in ("CREATE", "DROP", "ALTER") and thing in _TABLES:
            self._table(node, verb, reading)
        if node.kind in _QUERIES or reading.columns:
            self.found.last = reading
        elif node.kind in _CHANGES:
            self.found.last = Reading()

    def _written(self, node: nodes.Statement) -> None:
        name = ".".join(node.name)
        if node.temporary or (len(node.name) == 1):
            return
        try:
            self.found.written[TableRef.parse(name)] = None
        except InvalidInput:
            found = [table for table in self._scope.schemas if str(table).endswith(f".{name}")]
            self.found.written[found[0] if len(found) == 1 else name] = None

    def _routine(self, node: nodes.Statement, reading: Reading) -> None:
        known = known_of(node.name, reading.statement)
        if node.body:
            arguments = {
                name: field_of(name, argument.type)
                for name, argument in zip(known.arguments, known.signature.argument, strict=True)
            }
            with self._block():
                self._declared(arguments)
                self._begin(node.body)
        others = tuple(other for other in self._scope.routines if other.name.lower() != known.name.lower())
        self._scope = replace(self._scope, routines=(*others, known))

    def _table(self, node: nodes.Statement, verb: str, reading: Reading) -> None:
        name = ".".join(node.name)
        standing = self._standing(name)
        made = {other: schema for other, schema in self._scope.made.items() if other.lower() != name.lower()}
        if verb == "CREATE" and not (standing is not None and _keeps(reading.statement)):
            made[name] = reading.columns or _defined(reading.statement) or self._copied(reading)
            self._remember(name, made[name], reading)
        elif verb == "ALTER" and standing is not None:
            made[name] = _altered(standing, reading.statement)
        elif verb != "DROP":
            return
        schemas = {table: schema for table, schema in self._scope.schemas.items() if not _is_named(str(table), name)}
        self._scope = replace(self._scope, made=made, schemas=schemas)

    def _copied(self, reading: Reading) -> Schema:
        """The columns of the table that CREATE TABLE ... CLONE or COPY names."""
        standing = [self._standing(str(scan.table)) for scan in reading.scans]
        return standing[0] or () if standing else ()

    def _standing(self, name: str) -> Schema | None:
        """The columns of the table of this name as it is now."""
        known = {**{str(table): schema for table, schema in self._scope.schemas.items()}, **self._scope.made}
        return next((schema for other, schema in known.items() if _is_named(other, name)), None)

    def _remember(self, name: str, schema: Schema, reading: Reading) -> None:
        origins = reading.lineage.origins if isinstance(reading.lineage, LazyLineage) else ()
        for column, origin in zip(schema, origins or (Origin("computed"),) * len(schema), strict=True):
            self._origins[name.lower(), column.name.lower()] = origin


def _is_named(table: str, name: str) -> bool:
    return f".{table}".lower().endswith(f".{name}".lower())


def _keeps(statement: Any) -> bool:
    """Whether CREATE leaves alone what is there."""
    return bool(inherited(statement, "create_mode") == _IF_NOT_EXISTS)


def _defined(statement: Any) -> Schema:
    """The columns a CREATE TABLE without a query lists or takes from another table; a SNAPSHOT has no list."""
    listed = inherited(statement, "column_definition_list", ())
    return tuple(field_of(column.name, column.type) for column in listed if column.name not in _PSEUDO)


def _altered(columns: Schema, statement: Any) -> Schema:
    """The columns after an ALTER."""
    found = list(columns)
    for item in inherited(statement, "alter_action_list", ()):
        action = concrete(item)
        name = inherited(action, "name", "").lower()
        if kind(action) == "AddColumnAction":
            column = action.column_definition
            if column.name.lower() not in (known.name.lower() for known in found):
                found.append(field_of(column.name, column.type))
        elif kind(action) == "DropColumnAction":
            found = [column for column in found if column.name.lower() != name]
        elif kind(action) == "RenameColumnAction":
            found = [
                replace(column, name=action.new_name) if column.name.lower() == name else column for column in found
            ]
        elif kind(action) == "AlterColumnSetDataTypeAction":
            given = inherited(action, "column").lower()
            found = [
                field_of(column.name, action.updated_type) if column.name.lower() == given else column
                for column in found
            ]
    return tuple(found)


_READERS: Mapping[type, Callable[[ScriptReader, Any], None]] = {
    nodes.Statement: ScriptReader._statement,
    nodes.Declare: ScriptReader._declare,
    nodes.Assign: ScriptReader._assign,
    nodes.If: ScriptReader._if,
    nodes.Loop: ScriptReader._loop,
    nodes.Block: ScriptReader._begin,
    nodes.Jump: ScriptReader._jump,
    nodes.Call: ScriptReader._call,
    nodes.Raise: ScriptReader._raise,
    nodes.Execute: ScriptReader._execute,
}


def read_script(session: Session, sql: str, scope: Scope, parameters: Mapping[str, str]) -> ScriptReading | SqlProblem:
    """Reads a whole text, or says why it is refused; raises EngineError when the engine cannot judge it."""
    try:
        body = script.parse(sql)
    except InvalidInput as error:
        return _unparsed(session, sql, error)
    if not body:
        return SqlProblem("there is no statement")
    names = {str(table) for table in scope.schemas} | {f"{table.dataset}.{table.name}" for table in scope.schemas}
    names.update(".".join(node.name) for node in body if isinstance(node, nodes.Statement))
    edits, functions = model_functions(sql)
    own = own_columns(scope.schemas)
    scope = replace(scope, routines=(*scope.routines, *functions))
    spelled = spell(sql, names.__contains__, own.__contains__, edits)
    try:
        return ScriptReader(session, spelled, scope, parameters).read(body)
    except Wrong as wrong:
        return wrong.problem


def _unparsed(session: Session, sql: str, error: InvalidInput) -> SqlProblem:
    """The engine's words for a text whose structure is broken, ours where it finds nothing wrong."""
    try:
        session.table_names(sql)
    except Refusal as refusal:
        return problem_of(refusal, Spelled(sql, sql, ()))
    line, column = (*(int(number) for number in re.findall(r"\d+", error.at or "")), 0, 0)[:2]
    return SqlProblem(error.message, line, column)
