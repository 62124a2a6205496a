"""How every output column is made, followed through the resolved tree by column number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl_orchestrator.engines.googlesql.protocol import TypeKind
from etl_orchestrator.engines.googlesql.resolved import children, column_list, concrete, inherited, kind, walk
from etl_orchestrator.table import TableRef
from etl_orchestrator.tools import Lineage

_CONSTANTS = {"Literal", "Parameter", "Constant", "SystemVariable", "ExpressionColumn"}
#: Functions whose result is one of their arguments, so that its fields can be followed.
_HANDING_ON = {"any_value", "array_agg", "max_by", "min_by", "first_value", "last_value", "nth_value", "lag", "lead"}

#: Functions that give one of their arguments: the indices of these, by the number of arguments.
_CHOOSING: dict[str, Callable[[int], Sequence[int]]] = {
    "if": lambda count: range(1, count),
    "coalesce": range,
    "ifnull": range,
    "$case_no_value": lambda count: [*range(1, count, 2), *([count - 1] if count % 2 else [])],
    "$case_with_value": lambda count: [*range(2, count, 2), *([] if count % 2 else [count - 1])],
}


@dataclass(frozen=True, slots=True)
class Origin:
    """`parts` are the origins of a struct's fields where it was built in the query."""

    kind: str
    sources: tuple[tuple[TableRef, str], ...] = ()
    parts: tuple[Origin, ...] = ()

    def field(self, index: int, name: str) -> Origin:
        if self.parts:
            return self.parts[index] if index < len(self.parts) else Origin("computed", self.sources)
        if self.kind == "copied":
            return Origin("copied", tuple((table, f"{path}.{name}") for table, path in self.sources))
        return Origin(self.kind, self.sources)

    def made(self, made: str) -> Origin:
        """The same, its fields too, made in this way."""
        return Origin(made, self.sources, tuple(part.made(made) for part in self.parts))


_UNKNOWN = Origin("unknown")
_ITSELF = Origin("")  # a column of a recursive query on its way back to itself adds nothing


class Origins:
    """The origins of all columns of one resolved statement, given as its nodes, found when asked for.

    `made` are the origins of the columns of tables that the script has made, by table and column in small letters.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        table_of: Callable[[Any], TableRef | str],
        made: Mapping[tuple[str, str], Origin] | None = None,
    ) -> None:
        self._table_of = table_of
        self._made = made or {}
        self._makers: dict[int, Callable[[], Origin]] = {}
        self._known: dict[int, Origin] = {}
        self._asked: set[int] = set()
        self._entries: dict[str, list[int]] = {}
        for node in nodes:
            register = getattr(self, f"_register_{kind(node)}", None)
            if register:
                register(node)

    def column(self, number: int) -> Origin:
        if number in self._known:
            return self._known[number]
        if number in self._asked:
            return _ITSELF
        if number not in self._makers:
            return _UNKNOWN
        self._asked.add(number)
        self._known[number] = self._makers[number]()
        self._asked.discard(number)
        return self._known[number]

    def expression(self, node: Any) -> Origin:
        """Long chains of functions (`a || b || c ...`) are deep trees, so they are not followed by recursion."""
        node = concrete(node)
        special = self._special(node)
        if special:
            return special(node)
        return _combined(list(self._leaves(node)))

    def _special(self, node: Any) -> Callable[[Any], Origin] | None:
        name = kind(node)
        if (
            name == "FunctionCall"
            and inherited(node, "type").type_kind == TypeKind.TYPE_STRUCT
            and _function(node) in _CHOOSING
        ):
            return self._of_choice
        found: Callable[[Any], Origin] | None = getattr(self, f"_of_{name}", None)
        return found

    def _leaves(self, node: Any) -> Iterator[Origin]:
        waiting = [node]
        while waiting:
            current = waiting.pop()
            name = kind(current)
            special = self._special(current)
            below = list(children(current))
            if name in _CONSTANTS:
                yield Origin("constant")
            elif special:
                yield special(current)
            elif below:
                waiting.extend(reversed(below))
            elif name.endswith("FunctionCall"):
                yield Origin("computed")

    # --- expressions that are more than the sum of their arguments

    def _of_ColumnRef(self, node: Any) -> Origin:  # noqa: N802 - named like the node
        return self.column(node.column.column_id)

    def _of_GetStructField(self, node: Any) -> Origin:  # noqa: N802
        inner = concrete(node.expr)
        fields = inherited(inner, "type").struct_type.field
        return self.expression(inner).field(node.field_idx, fields[node.field_idx].field_name)

    def _of_MakeStruct(self, node: Any) -> Origin:  # noqa: N802
        parts = tuple(self.expression(field) for field in node.field_list)
        return replace(_combined(parts), parts=parts)

    def _of_AggregateFunctionCall(self, node: Any) -> Origin:  # noqa: N802
        arguments = self._function_arguments(node)
        parts = self._handed_on(node, arguments)
        return replace(_combined(arguments), kind="aggregated", parts=tuple(part.made("aggregated") for part in parts))

    def _of_AnalyticFunctionCall(self, node: Any) -> Origin:  # noqa: N802
        arguments = self._function_arguments(node)
        made = "aggregated" if any(argument.kind == "aggregated" for argument in arguments) else "computed"
        parts = self._handed_on(node, arguments)
        return replace(_combined(arguments), kind=made, parts=tuple(part.made(made) for part in parts))

    def _of_choice(self, node: Any) -> Origin:
        """A struct that is one of several has each field from the same field of these, and from what decides."""
        arguments = [self.expression(argument) for argument in inherited(node, "argument_list")]
        given = _CHOOSING[_function(node)](len(arguments))
        deciding = [argument for index, argument in enumerate(arguments) if index not in given]
        parts = tuple(
            _combined([*(arguments[at].field(index, field.field_name) for at in given), *deciding])
            for index, field in enumerate(inherited(node, "type").struct_type.field)
        )
        return replace(_combined(arguments), parts=parts)

    def _of_SubqueryExpr(self, node: Any) -> Origin:  # noqa: N802
        columns = column_list(concrete(node.subquery))
        found = [self.column(column.column_id) for column in columns]
        if node.HasField("in_expr"):
            found.append(self.expression(node.in_expr))
        combined = _combined(found)
        return replace(combined, parts=found[0].parts if len(found) == 1 else ())

    def _function_arguments(self, node: Any) -> list[Origin]:
        given = [*inherited(node, "argument_list"), *inherited(node, "generic_argument_list")]
        return [self.expression(argument) for argument in given]

    def _handed_on(self, node: Any, arguments: Sequence[Origin]) -> tuple[Origin, ...]:
        return arguments[0].parts if arguments and _function(node) in _HANDING_ON else ()

    # --- nodes that make columns

    def _register_TableScan(self, node: Any) -> None:  # noqa: N802
        table = self._table_of(node)
        for column in column_list(node):
            if isinstance(table, str):
                origin = self._made.get((table.lower(), column.name.lower()), _UNKNOWN)
            else:
                origin = Origin("copied", ((table, column.name),))
            self._makers[column.column_id] = lambda origin=origin: origin  # type: ignore[misc]

    def _register_ComputedColumn(self, node: Any) -> None:  # noqa: N802
        self._makers[node.column.column_id] = lambda: self.expression(node.expr)

    _register_DeferredComputedColumn = _register_ComputedColumn  # noqa: N815

    def _register_ArrayScan(self, node: Any) -> None:  # noqa: N802
        for column, array in zip(node.element_column_list, node.array_expr_list, strict=False):
            self._makers[column.column_id] = lambda array=array: self.expression(array)  # type: ignore[misc]
        if node.HasField("array_offset_column"):
            arrays = node.array_expr_list
            self._makers[node.array_offset_column.column.column_id] = lambda: replace(
                _combined([self.expression(array) for array in arrays]), kind="computed", parts=()
            )

    def _register_SetOperationScan(self, node: Any) -> None:  # noqa: N802
        self._union(column_list(node), node.input_item_list)

    def _register_RecursiveScan(self, node: Any) -> None:  # noqa: N802
        own = column_list(node)
        self._union(own, (node.non_recursive_term, node.recursive_term))
        for inner in walk(node.recursive_term):
            if kind(inner) == "RecursiveRefScan":
                self._same(column_list(inner), [column.column_id for column in own])

    def _register_WithEntry(self, node: Any) -> None:  # noqa: N802
        columns = column_list(concrete(node.with_subquery))
        self._entries[node.with_query_name] = [column.column_id for column in columns]

    def _register_WithRefScan(self, node: Any) -> None:  # noqa: N802
        columns, entry = column_list(node), node.with_query_name
        for index, column in enumerate(columns):
            self._makers[column.column_id] = lambda index=index: self._of_entry(entry, index)  # type: ignore[misc]

    def _of_entry(self, entry: str, index: int) -> Origin:
        columns = self._entries.get(entry, [])
        return self.column(columns[index]) if index < len(columns) else _UNKNOWN

    def _register_PivotScan(self, node: Any) -> None:  # noqa: N802
        for pivot in node.pivot_column_list:
            aggregate = node.pivot_expr_list[pivot.pivot_expr_index]
            self._makers[pivot.column.column_id] = lambda aggregate=aggregate: replace(  # type: ignore[misc]
                _combined([self.expression(aggregate), self.expression(node.for_expr)]), kind="aggregated", parts=()
            )

    def _register_UnpivotScan(self, node: Any) -> None:  # noqa: N802
        self._makers[node.label_column.column_id] = lambda: Origin("constant")
        for index, column in enumerate(node.value_column_list):
            self._makers[column.column_id] = lambda index=index: _merged(  # type: ignore[misc]
                [self.expression(argument.column_list[index]) for argument in node.unpivot_arg_list]
            )

    def _register_MatchRecognizeScan(self, node: Any) -> None:  # noqa: N802
        """What tells of the match itself; the measures are computed columns."""
        for column in (node.match_number_column, node.match_row_number_column, node.classifier_column):
            self._makers[column.column_id] = lambda: Origin("computed")

    def _same(self, columns: Iterable[Any], numbers: Sequence[int]) -> None:
        for column, number in zip(columns, numbers, strict=False):
            self._makers[column.column_id] = lambda number=number: self.column(number)  # type: ignore[misc]

    def _union(self, columns: Iterable[Any], items: Sequence[Any]) -> None:
        for index, column in enumerate(columns):
            numbers = [item.output_column_list[index].column_id for item in items]
            self._makers[column.column_id] = lambda numbers=numbers: _merged(  # type: ignore[misc]
                [self.column(number) for number in numbers]
            )


def _function(node: Any) -> str:
    return str(inherited(node, "function").name.rpartition(":")[2].lower())


def lineage_of(origin: Origin) -> Lineage:
    return Lineage(origin.kind, origin.sources)


def _sources(origins: Iterable[Origin]) -> tuple[tuple[TableRef, str], ...]:
    return tuple(dict.fromkeys(source for origin in origins for source in origin.sources))


def _combined(origins: Sequence[Origin]) -> Origin:
    """The origin of what is computed from these."""
    kinds = {origin.kind for origin in origins}
    for strongest in ("unknown", "aggregated"):
        if strongest in kinds:
            return Origin(strongest, _sources(origins))
    return Origin("constant" if kinds <= {"constant"} else "computed", _sources(origins))


def _merged(origins: Sequence[Origin]) -> Origin:
    """The origin of a column of a union: copied when all its parts are."""
    kinds = {origin.kind for origin in origins if origin is not _ITSELF}
    if len(kinds) == 1:
        return Origin(kinds.pop(), _sources(origins))
    return _combined(origins)
