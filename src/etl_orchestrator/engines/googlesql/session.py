"""A running service with its settings: catalogs registered once, queries analyzed once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from etl_orchestrator.engines.googlesql import bigquery, protocol
from etl_orchestrator.engines.googlesql.answers import Answers
from etl_orchestrator.engines.googlesql.catalog import PARTITION_COLUMNS, Scope, catalog_of
from etl_orchestrator.engines.googlesql.instance import MEMORY_BYTES, Instance, Refusal
from etl_orchestrator.engines.googlesql.module import Compiled
from etl_orchestrator.engines.googlesql.problems import RoutineRefused, problem_of
from etl_orchestrator.engines.googlesql.protocol import (
    AnalyzerOptionsProto,
    ErrorMessageMode,
    FunctionSignatureId,
    LanguageOptionsProto,
    ParameterMode,
    ParseLocationRecordType,
    SimpleCatalogProto,
    SimpleColumnProto,
    SimpleTableProto,
    TypeKind,
    TypeProto,
    ZetaSQLBuiltinFunctionOptionsProto,
)
from etl_orchestrator.engines.googlesql.routines import Known, called, known_of, packed, unpacked
from etl_orchestrator.engines.googlesql.text import connections, spell
from etl_orchestrator.engines.googlesql.types import parse_type, type_of
from etl_orchestrator.table import Field, Schema, TableRef
from etl_orchestrator.tools import Answers as KeptAnswers
from etl_orchestrator.tools import Routine

#: The column that tells rows apart where they are changed.
ROW_NUMBER = "supplied_row_number"
_CATALOGS = 16
_FILLED_CATALOGS = 8
_FRAME = Field(
    "",
    "RECORD",
    "REPEATED",
    fields=(
        Field("line", "INTEGER"),
        Field("column", "INTEGER"),
        Field("filename", "STRING"),
        Field("location", "STRING"),
    ),
)
#: https://cloud.google.com/bigquery/docs/reference/system-variables
SYSTEM_VARIABLES = (
    *(Field(name, "STRING") for name in (
        "current_job_id", "dataset_id", "dataset_project_id", "last_job_id", "location", "project_id", "query_label",
        "reservation", "session_id", "time_zone", "script.job_id", "error.message", "error.statement_text",
        "error.formatted_stack_trace", "transaction_id",
    )),
    *(Field(name, "INTEGER") for name in (
        "row_count", "script.bytes_billed", "script.bytes_processed", "script.num_child_jobs", "script.slot_ms",
    )),
    Field("script.creation_time", "TIMESTAMP"),
    replace(_FRAME, name="error.stack_trace"),
)  # fmt: skip
_Empty = protocol.AnalyzerOptionsRequest  # any message without fields reads an empty answer
_BUILTIN_POOL = protocol.DescriptorPoolListProto(
    definitions=[protocol.DescriptorPoolListProto.Definition(builtin=protocol.DescriptorPoolListProto.Builtin())]
)


@dataclass(frozen=True, slots=True)
class Registered:
    """A catalog in the service; `tables` are found by their number, counted from 1."""

    number: int
    tables: tuple[TableRef | str, ...]
    scope: Scope  # kept, so that the identity of its parts stays theirs

    def table_of(self, scan: Any) -> TableRef | str:
        """The table that is scanned; a temporary one is only a name."""
        number: int = scan.table.serialization_id
        return self.tables[number - 1]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a statement runs on: `tables` by their flat names, with their rows, and a catalog of functions."""

    catalog: SimpleCatalogProto
    tables: Mapping[str, tuple[SimpleTableProto, protocol.TableContent]]

    def with_tables(self, more: Mapping[str, tuple[SimpleTableProto, protocol.TableContent]]) -> Contents:
        return Contents(self.catalog, {**self.tables, **more})

    def identified(self, name: str) -> Contents:
        """The same with a column ROW_NUMBER, the key, which `SELECT *` leaves out and holds the number of the row."""
        table, content = SimpleTableProto(), protocol.TableContent()
        table.CopyFrom(self.tables[name][0])
        content.CopyFrom(self.tables[name][1])
        number = TypeProto(type_kind=TypeKind.TYPE_INT64)
        table.primary_key_column_index.append(len(table.column))
        table.column.append(SimpleColumnProto(name=ROW_NUMBER, type=number, is_pseudo_column=True))
        for index, row in enumerate(content.table_data.row):
            row.cell.add(int64_value=index)
        return self.with_tables({name: (table, content)})

    def request(self) -> protocol.RegisterCatalogRequest:
        request = protocol.RegisterCatalogRequest(simple_catalog=self.catalog, descriptor_pool_list=_BUILTIN_POOL)
        for name, (table, content) in self.tables.items():
            request.simple_catalog.table.append(table)
            request.table_content[name].CopyFrom(content)
        return request


def started(
    compiled: Compiled,
    now: datetime,
    seconds: float,
    memory_bytes: int = MEMORY_BYTES,
    kept: KeptAnswers | None = None,
) -> Session:
    """A session. The first one on a machine does what each does at its beginning, and the memory it has then is kept."""
    instance = Instance(compiled, now, seconds, memory_bytes)
    if compiled.memory and not instance.is_warm:
        Session(instance).warm_up()
        instance.keep_memory(compiled.memory)
    return Session(instance, kept)


class Session:
    """One instance and what it was told; not for several threads at once."""

    def __init__(self, instance: Instance, kept: KeptAnswers | None = None) -> None:
        """`kept` holds between runs how routines were read, and what they gave."""
        self._instance = instance
        self._kept = kept
        self._catalogs: OrderedDict[object, Registered] = OrderedDict()
        self._known: dict[object, tuple[Known, object]] = {}
        self.answers = Answers(kept)
        self._filled: OrderedDict[bytes, int] = OrderedDict()
        request = protocol.LanguageOptionsRequest(maximum_features=True)
        language = instance.call("GetLanguageOptions", request, LanguageOptionsProto)
        bigquery.restrict(language)
        self._language = language
        self.functions = self._functions_without(*bigquery.NO_FUNCTIONS, *bigquery.OF_SAFE)

    @cached_property
    def functions_run(self) -> ZetaSQLBuiltinFunctionOptionsProto:
        """Those that a statement is run with, which also have what the evaluator itself calls."""
        return self._functions_without(*bigquery.NO_FUNCTIONS)

    def _functions_without(self, *signatures: str) -> ZetaSQLBuiltinFunctionOptionsProto:
        numbers = [getattr(FunctionSignatureId, f"FN_{signature}") for signature in signatures]
        return ZetaSQLBuiltinFunctionOptionsProto(language_options=self._language, exclude_function_ids=numbers)

    @cached_property
    def _rewrites(self) -> list[int]:
        """What a statement is rewritten by before it is evaluated."""
        request = protocol.AnalyzerOptionsRequest()
        return list(self._instance.call("GetAnalyzerOptions", request, AnalyzerOptionsProto).enabled_rewrites)

    def warm_up(self) -> None:
        """Makes the engine read its functions; nothing stays registered."""
        catalog = self.catalog(Scope({}))
        self.analyze("SELECT COUNT(*) AS n, SUM(x + 1) AS s FROM UNNEST([1, 2]) AS x", catalog, {})
        self._forget(self._catalogs.popitem()[1].number)

    def catalog(self, scope: Scope) -> Registered:
        """Registers what the scope offers, or finds it registered; the least recently used catalogs are given up."""
        key = scope.key
        found = self._catalogs.get(key)
        if found:
            self._catalogs.move_to_end(key)
            return found
        proto, tables = catalog_of(scope, self.functions)
        request = protocol.RegisterCatalogRequest(simple_catalog=proto, descriptor_pool_list=_BUILTIN_POOL)
        answer = self._instance.call("RegisterCatalog", request, protocol.RegisterResponse)
        made = Registered(answer.registered_id, tables, scope)
        self._catalogs[key] = made
        while len(self._catalogs) > _CATALOGS:
            self._forget(self._catalogs.popitem(last=False)[1].number)
        return made

    def routines(self, sql: str, offered: Sequence[Routine], schemas: Mapping[TableRef, Schema]) -> tuple[Known, ...]:
        """Those that the text calls and those that they call, each read by the engine once.

        Raises RoutineRefused naming one that the engine refuses.
        """
        known: dict[Routine, Known] = {}
        digests: dict[Routine, str] = {}
        reading: set[Routine] = set()  # those that depend on tables, themselves or by what they call
        for routine, needed in called(sql, offered).items():
            below = tuple(known[other] for other in needed)
            text = repr((str(routine.ref), routine.sql, [digests[other] for other in needed]))
            digests[routine] = hashlib.sha256(text.encode()).hexdigest()
            tables = {table: schema for table, schema in schemas.items() if table.name in routine.sql}
            if tables or not reading.isdisjoint(needed):
                reading.add(routine)
            key = (routine, below, frozenset((table, id(schema)) for table, schema in tables.items()))
            if key not in self._known:
                lasting = digests[routine] if routine not in reading else ""
                # The tables are kept, so that the identity of their schemas stays theirs.
                self._known[key] = self._recalled(routine, lasting, tuple(known.values()), tables), tables
                if lasting:
                    self.answers.recall(self._known[key][0], lasting)
            known[routine] = self._known[key][0]
        return tuple(known.values())

    def _recalled(
        self, routine: Routine, digest: str, known: Sequence[Known], tables: Mapping[TableRef, Schema]
    ) -> Known:
        """As an earlier process read it; one without a digest depends on tables, and is read again."""
        if self._kept is None or not digest:
            return self._read_routine(routine, known, tables)
        text = self._kept.recall(f"routine {digest}")
        if text is not None:
            return unpacked(text)
        found = self._read_routine(routine, known, tables)
        self._kept.keep(f"routine {digest}", packed(found))
        return found

    def _read_routine(self, routine: Routine, known: Sequence[Known], tables: Mapping[TableRef, Schema]) -> Known:
        names = {str(table) for table in tables} | {f"{table.dataset}.{table.name}" for table in tables}
        spelled = spell(routine.sql, names.__contains__)
        try:
            scope = Scope(tables, tuple(known), frozenset(connections(spelled.text)))
            statement = self.analyze(spelled.text, self.catalog(scope), {})
        except Refusal as refusal:
            problem = problem_of(refusal, spelled)
            raise RoutineRefused(routine, problem) from None
        ref = routine.ref
        return known_of((ref.project, ref.dataset, ref.name), statement)

    def analyze(
        self, sql: str, catalog: Registered, parameters: Mapping[str, str], targets: Sequence[Field] = ()
    ) -> Any:
        """The resolved statement, as written: nothing rewritten, unused columns of tables left out.

        `targets` are what the columns of a query are assigned to; a query that does not fit them is refused.
        """
        options = self._options(parameters)
        options.target_column_types.extend(type_of(target) for target in targets)
        for variable in SYSTEM_VARIABLES:
            options.system_variables.add(name_path=variable.name.split("."), type=type_of(variable))
        for column in PARTITION_COLUMNS:
            options.ddl_pseudo_columns.add(name=column.name, type=type_of(column))
        options.prune_unused_columns = True
        options.parse_location_record_type = ParseLocationRecordType.PARSE_LOCATION_RECORD_CODE_SEARCH
        request = protocol.AnalyzeRequest(options=options, registered_catalog_id=catalog.number, sql_statement=sql)
        answer = self._instance.call("Analyze", request, protocol.AnalyzeResponse)
        return answer.resolved_statement

    def evaluate(self, sql: str, contents: Contents, parameters: Mapping[str, str], values: Mapping[str, Any]) -> Any:
        """The columns of a query, by the names the engine has for them, and its rows."""
        request = protocol.EvaluateQueryRequest()
        self._fill(request, sql, contents, parameters, values)
        answer = self._instance.call("EvaluateQuery", request, protocol.EvaluateQueryResponse)
        return answer.prepared.columns, answer.content.table_data.row

    def modify(self, sql: str, contents: Contents, parameters: Mapping[str, str], values: Mapping[str, Any]) -> Any:
        """The rows that an INSERT, UPDATE or DELETE changes, each with what is done to it."""
        request = protocol.EvaluateModifyRequest()
        self._fill(request, sql, contents, parameters, values)
        return self._instance.call("EvaluateModify", request, protocol.EvaluateModifyResponse).content

    def _fill(
        self,
        request: Any,
        sql: str,
        contents: Contents,
        parameters: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> None:
        request.sql = sql
        request.options.CopyFrom(self._options(parameters))
        request.options.enabled_rewrites.extend(self._rewrites)
        request.registered_catalog_id = self._filled_catalog(contents)
        request.descriptor_pool_list.CopyFrom(_BUILTIN_POOL)
        for name, value in values.items():
            request.params.add(name=name, value=value)

    def _filled_catalog(self, contents: Contents) -> int:
        """Many queries on the same rows (mutants of one query) share a catalog, whose functions cost most of it."""
        request = contents.request()
        key = request.SerializeToString(deterministic=True)
        if key in self._filled:
            self._filled.move_to_end(key)
            return self._filled[key]
        number: int = self._instance.call("RegisterCatalog", request, protocol.RegisterResponse).registered_id
        self._filled[key] = number
        while len(self._filled) > _FILLED_CATALOGS:
            self._forget(self._filled.popitem(last=False)[1])
        return number

    def _forget(self, catalog: int) -> None:
        self._instance.call("UnregisterCatalog", protocol.UnregisterRequest(registered_id=catalog), _Empty)

    def table_names(self, sql: str) -> list[tuple[str, ...]]:
        """The paths of the tables a statement or script names, CTEs and arrays of aliases left out."""
        request = protocol.ExtractTableNamesFromStatementRequest(
            sql_statement=sql, options=self._language, allow_script=True
        )
        answer = self._instance.call(
            "ExtractTableNamesFromStatement", request, protocol.ExtractTableNamesFromStatementResponse
        )
        return [tuple(name.table_name_segment) for name in answer.table_name]

    def _options(self, parameters: Mapping[str, str]) -> AnalyzerOptionsProto:
        options = AnalyzerOptionsProto(
            language_options=self._language,
            default_timezone="UTC",
            error_message_mode=ErrorMessageMode.ERROR_MESSAGE_ONE_LINE,
            parameter_mode=ParameterMode.PARAMETER_NAMED,
            preserve_column_aliases=True,
        )
        for name, text in parameters.items():
            options.query_parameters.add(name=name, type=type_of(parse_type(name, text)))
        return options
