"""The tables a query may see, as the engine's catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zetasql.wasi._pb2.zetasql.proto import function_pb2, options_pb2
from zetasql.wasi._pb2.zetasql.proto.simple_catalog_pb2 import SimpleCatalogProto
from zetasql.wasi._pb2.zetasql.public import function_pb2 as function_kinds
from zetasql.wasi._pb2.zetasql.public.simple_table_pb2 import SimpleColumnProto, SimpleTableProto

from etl_orchestrator.engines.googlesql.types import type_of
from etl_orchestrator.errors import InvalidInput, Unsupported
from etl_orchestrator.table import Field, Schema, TableRef

#: Columns that BigQuery adds to tables partitioned by ingestion time, and to wildcard tables. Whether a table is so
#: partitioned its schema does not tell, so every table offers them.
PARTITION_COLUMNS = (Field("_PARTITIONTIME", "TIMESTAMP"), Field("_PARTITIONDATE", "DATE"))
SUFFIX_COLUMN = Field("_TABLE_SUFFIX", "STRING")

#: Aggregate functions of BigQuery that the engine lacks, by what BigQuery's reference says they are synonyms of.
_SYNONYMS = {"max_by": "ANY_VALUE(x HAVING MAX y)", "min_by": "ANY_VALUE(x HAVING MIN y)"}
_INTEGER_ALIASES = ("INT", "INTEGER", "SMALLINT", "BIGINT", "TINYINT", "BYTEINT")


@dataclass(slots=True)
class _Folder:
    """A part of a table name and what is below it, by lower-case name, because the engine ignores case."""

    name: str
    folders: dict[str, _Folder] = field(default_factory=dict)
    tables: dict[str, SimpleTableProto] = field(default_factory=dict)

    def fill(self, proto: SimpleCatalogProto) -> None:
        proto.name = self.name
        proto.table.extend(self.tables.values())
        for folder in self.folders.values():
            folder.fill(proto.catalog.add())


def pseudo_columns(table: TableRef, schema: Schema) -> Schema:
    """The columns `SELECT *` leaves out; a column of the schema with the same name hides them."""
    if table.is_information_schema:
        return ()
    own = {column.name.lower() for column in schema}
    offered = (*PARTITION_COLUMNS, SUFFIX_COLUMN) if table.is_wildcard else PARTITION_COLUMNS
    return tuple(column for column in offered if column.name.lower() not in own)


def table_proto(name: str, number: int, table: TableRef, schema: Schema) -> SimpleTableProto:
    """One table; `number` is found again in every scan of it."""
    proto = SimpleTableProto(name=name, serialization_id=number)
    seen: set[str] = set()
    for column in schema:
        if column.name.lower() in seen:
            raise InvalidInput(f"the schema of `{table}` has two columns `{column.name}`", fix="remove one of them")
        seen.add(column.name.lower())
        proto.column.append(SimpleColumnProto(name=column.name, type=type_of(column)))
    for column in pseudo_columns(table, schema):
        proto.column.append(SimpleColumnProto(name=column.name, type=type_of(column), is_pseudo_column=True))
    return proto


def catalog_of(
    schemas: Mapping[TableRef, Schema], functions: options_pb2.ZetaSQLBuiltinFunctionOptionsProto
) -> tuple[SimpleCatalogProto, tuple[TableRef, ...]]:
    """The catalog with exactly these tables, and the tables by their number.

    A table is found as project.dataset.table, and as dataset.table where no other project has one of that name.
    """
    tables = tuple(sorted(schemas))
    root = _Folder("local")
    short: dict[tuple[str, str], int] = {}
    for table in tables:
        key = (table.dataset.lower(), table.name.lower())
        short[key] = short.get(key, 0) + 1
    for number, table in enumerate(tables, start=1):
        *schema, name = table.name.split(".")  # INFORMATION_SCHEMA.TABLES is a name of two parts
        proto = table_proto(name, number, table, schemas[table])
        _insert(root, (table.project, table.dataset, *schema), table, proto)
        if short[(table.dataset.lower(), table.name.lower())] == 1:
            _insert(root, (table.dataset, *schema), table, proto)
    catalog = base_catalog(functions)
    root.fill(catalog)
    return catalog, tables


def _insert(root: _Folder, path: Iterable[str], table: TableRef, proto: SimpleTableProto) -> None:
    folder = root
    for part in path:
        folder = folder.folders.setdefault(part.lower(), _Folder(part))
    if proto.name.lower() in folder.tables:
        raise Unsupported(f"this engine cannot tell `{table}` from a table that differs in case only")
    folder.tables[proto.name.lower()] = proto


def base_catalog(functions: options_pb2.ZetaSQLBuiltinFunctionOptionsProto) -> SimpleCatalogProto:
    """A catalog with the functions and no table."""
    synonyms = [_synonym(name, body) for name, body in _SYNONYMS.items()]
    catalog = SimpleCatalogProto(name="local", builtin_function_options=functions, custom_function=synonyms)
    for alias in _INTEGER_ALIASES:
        catalog.named_type.add(name=alias, type=type_of(Field(alias, "INTEGER")))
    return catalog


def _synonym(name: str, body: str) -> function_pb2.FunctionProto:
    any_type = function_pb2.FunctionArgumentTypeProto(kind=function_kinds.ARG_TYPE_ARBITRARY, num_occurrences=-1)
    signature = function_pb2.FunctionSignatureProto(return_type=any_type)
    for argument in ("x", "y"):
        added = signature.argument.add()
        added.CopyFrom(any_type)
        added.options.argument_name = argument
    proto = function_pb2.FunctionProto(
        name_path=[name],
        group="Templated_SQL_Function",
        mode=function_kinds.FunctionEnums.AGGREGATE,
        signature=[signature],
        templated_sql_function_argument_name=["x", "y"],
    )
    proto.parse_resume_location.input = body
    return proto
