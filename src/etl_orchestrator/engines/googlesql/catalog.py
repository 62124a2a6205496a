"""The tables a query may see, as the engine's catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from etl_orchestrator.engines.googlesql.protocol import (
    FunctionArgumentTypeProto,
    FunctionEnums,
    FunctionProto,
    FunctionSignatureProto,
    SignatureArgumentKind,
    SimpleCatalogProto,
    SimpleColumnProto,
    SimpleTableProto,
    ZetaSQLBuiltinFunctionOptionsProto,
)
from etl_orchestrator.engines.googlesql.routines import Known
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
    routines: dict[str, Known] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)

    def below(self, path: Iterable[str]) -> _Folder:
        folder = self
        for part in path:
            folder = folder.folders.setdefault(part.lower(), _Folder(part))
        return folder

    def fill(self, proto: SimpleCatalogProto, *, with_bodies: bool = False) -> None:
        proto.name = self.name
        proto.table.extend(self.tables.values())
        for routine in self.routines.values():
            if routine.kind == "table function":
                proto.custom_tvf.append(routine.table_function(with_body=with_bodies))
            else:
                proto.custom_function.append(routine.function(with_body=with_bodies))
        for connection in sorted(self.connections):
            proto.connection.add(name=connection)
        for folder in self.folders.values():
            folder.fill(proto.catalog.add(), with_bodies=with_bodies)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a statement may name. `variables` are those of a script by name; `made` the tables that it has made, by their
    dotted names. A procedure is only offered for `calling`: the engine crashes on a CALL that fits, so that the arguments
    are checked as those of a function. Tables that are `plain` have no pseudo columns."""

    schemas: Mapping[TableRef, Schema]
    routines: tuple[Known, ...] = ()
    connections: frozenset[tuple[str, ...]] = frozenset()
    variables: Mapping[str, Field] = field(default_factory=dict)
    made: Mapping[str, Schema] = field(default_factory=dict)
    calling: bool = False
    plain: bool = False

    @property
    def key(self) -> object:
        """Equal for scopes that offer the same, schemas being told apart by identity."""
        return (
            frozenset((table, id(schema)) for table, schema in self.schemas.items()),
            frozenset(self.routines),
            self.connections,
            frozenset(self.variables.items()),
            frozenset(self.made.items()),
            self.calling,
            self.plain,
        )


def pseudo_columns(table: TableRef | str, schema: Schema) -> Schema:
    """The columns `SELECT *` leaves out; a column of the schema with the same name hides them. A temporary table, which
    is a name, has none."""
    if isinstance(table, str):
        return ()
    if table.is_information_schema:
        return ()
    own = {column.name.lower() for column in schema}
    offered = (*PARTITION_COLUMNS, SUFFIX_COLUMN) if table.is_wildcard else PARTITION_COLUMNS
    return tuple(column for column in offered if column.name.lower() not in own)


def table_proto(name: str, number: int, table: TableRef | str, schema: Schema) -> SimpleTableProto:
    """One table; `number` is found again in every scan of it."""
    proto = _columns_of(name, number, table, schema)
    for column in pseudo_columns(table, schema):
        proto.column.append(SimpleColumnProto(name=column.name, type=type_of(column), is_pseudo_column=True))
    return proto


def _columns_of(name: str, number: int, table: TableRef | str, schema: Schema) -> SimpleTableProto:
    proto = SimpleTableProto(name=name, serialization_id=number)
    seen: set[str] = set()
    for column in schema:
        if column.name.lower() in seen:
            raise InvalidInput(f"the schema of `{table}` has two columns `{column.name}`", fix="remove one of them")
        seen.add(column.name.lower())
        proto.column.append(SimpleColumnProto(name=column.name, type=type_of(column)))
    return proto


def catalog_of(
    scope: Scope, functions: ZetaSQLBuiltinFunctionOptionsProto
) -> tuple[SimpleCatalogProto, tuple[TableRef | str, ...]]:
    """The catalog with exactly what is in the scope, and its tables by their number.

    A table or routine is found as project.dataset.name, and as dataset.name where no other project has one of that name.
    """
    tables = tuple(sorted(scope.schemas))
    root = _Folder("local")
    short = Counter((table.dataset.lower(), table.name.lower()) for table in tables)
    for number, table in enumerate(tables, start=1):
        *schema, name = table.name.split(".")  # INFORMATION_SCHEMA.TABLES is a name of two parts
        make = _columns_of if scope.plain else table_proto
        proto = make(name, number, table, scope.schemas[table])
        _insert(root, (table.project, table.dataset, *schema), table, proto)
        if short[(table.dataset.lower(), table.name.lower())] == 1:
            _insert(root, (table.dataset, *schema), table, proto)
    for number, (name, columns) in enumerate(scope.made.items(), start=len(tables) + 1):
        path = tuple(name.split("."))
        proto = _columns_of(path[-1], number, name, columns)
        for place in (path[:-1], path[-2:-1]) if len(path) > 1 else ((), ("_SESSION",)):
            root.below(place).tables[path[-1].lower()] = proto
    _insert_routines(root, [known for known in scope.routines if scope.calling or known.kind != "procedure"])
    for path in scope.connections:
        root.below(path[:-1]).connections.add(path[-1])
    catalog = base_catalog(functions)
    for name, variable in scope.variables.items():
        constant = catalog.constant.add(name_path=[name], type=type_of(variable))
        constant.value.SetInParent()
    root.fill(catalog)
    return catalog, (*tables, *scope.made)


def own_columns(schemas: Mapping[TableRef, Schema]) -> frozenset[str]:
    """The names, long and short, of tables that have a column of their own name."""
    own = [
        table
        for table, schema in schemas.items()
        if any(column.name.lower() == table.name.lower() for column in schema)
    ]
    return frozenset(name for table in own for name in (str(table), f"{table.dataset}.{table.name}"))


def add_routines(catalog: SimpleCatalogProto, routines: Sequence[Known]) -> None:
    """Adds the routines, with their bodies, under all their names to a catalog that queries are to be run on."""
    root = _Folder(catalog.name)
    _insert_routines(root, [known for known in routines if known.kind != "procedure"])
    root.fill(catalog, with_bodies=True)


def _insert_routines(root: _Folder, routines: Sequence[Known]) -> None:
    short = Counter(_short(routine) for routine in routines)
    for routine in routines:
        name = routine.path[-1].lower()
        root.below(routine.path[:-1]).routines[name] = routine
        if len(routine.path) == 3 and short[_short(routine)] == 1:
            root.below(routine.path[1:-1]).routines.setdefault(name, routine)


def _short(routine: Known) -> tuple[str, ...]:
    return tuple(part.lower() for part in routine.path[-2:])


def _insert(root: _Folder, path: Iterable[str], table: TableRef, proto: SimpleTableProto) -> None:
    folder = root.below(path)
    if proto.name.lower() in folder.tables:
        raise Unsupported(f"this engine cannot tell `{table}` from a table that differs in case only")
    folder.tables[proto.name.lower()] = proto


def base_catalog(functions: ZetaSQLBuiltinFunctionOptionsProto) -> SimpleCatalogProto:
    """A catalog with the functions and no table."""
    added = [*(_synonym(name, body) for name, body in _SYNONYMS.items()), _contains_substr()]
    catalog = SimpleCatalogProto(name="local", builtin_function_options=functions, custom_function=added)
    for alias in _INTEGER_ALIASES:
        catalog.named_type.add(name=alias, type=type_of(Field(alias, "INTEGER")))
    return catalog


def _contains_substr() -> FunctionProto:
    """A function that BigQuery has and the engine does not; it is supplied where it is run."""
    signature = FunctionSignatureProto()
    anything, text, scope = signature.argument.add(), signature.argument.add(), signature.argument.add()
    truth = signature.return_type
    anything.kind = SignatureArgumentKind.ARG_TYPE_ANY_1
    scope.options.argument_name = "json_scope"
    scope.options.cardinality = FunctionEnums.OPTIONAL
    scope.options.named_argument_kind = FunctionEnums.NAMED_ONLY
    for fixed, name in ((text, "STRING"), (scope, "STRING"), (truth, "BOOLEAN")):
        fixed.kind = SignatureArgumentKind.ARG_TYPE_FIXED
        fixed.type.CopyFrom(type_of(Field("argument", name)))
    for argument in (anything, text, scope, truth):
        argument.num_occurrences = -1
    return FunctionProto(
        name_path=["contains_substr"], group="External", mode=FunctionEnums.SCALAR, signature=[signature]
    )


def _synonym(name: str, body: str) -> FunctionProto:
    any_type = FunctionArgumentTypeProto(kind=SignatureArgumentKind.ARG_TYPE_ARBITRARY, num_occurrences=-1)
    signature = FunctionSignatureProto(return_type=any_type)
    for argument in ("x", "y"):
        added = signature.argument.add()
        added.CopyFrom(any_type)
        added.options.argument_name = argument
    proto = FunctionProto(
        name_path=[name],
        group="Templated_SQL_Function",
        mode=FunctionEnums.AGGREGATE,
        signature=[signature],
        templated_sql_function_argument_name=["x", "y"],
    )
    proto.parse_resume_location.input = body
    return proto
