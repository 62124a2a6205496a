"""What EXTERNAL_QUERY gives, deduced: no file tells the types that a database behind a connection has.

The statement that is sent names the columns. Of each column those types are kept with which the analyzer accepts the query
around it and the output has the types that schema.yaml declares. Where all of them give the same output, that is known, on
a condition which is told: that the database gives one of these types. Where they do not, the connection is unknown, and
where no type fits, no database could make the query right, and it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl_orchestrator.errors import Unavailable
from etl_orchestrator.sql.external_calls import TYPES, Call, calls_of, is_independent, replaced
from etl_orchestrator.sql.fitting_types import (
    Ask,
    Fitting,
    FittingTypes,
    Remember,
    asked_anew,
    is_as_declared,
    is_of_syntax,
    uses_of,
)
from etl_orchestrator.sql.self_reading import shape
from etl_orchestrator.sql.tokens import offset_of
from etl_orchestrator.table import Field, Schema
from etl_orchestrator.tools import PROVIDED, Analysis, SqlProblem

#: Begins the place of a fault that is in an output, and not in the text.
_OUTPUT = "output "
#: The number of a call and the name of one of its columns.
_Column = tuple[int, str]
_Typing = Mapping[_Column, Field]


def analysis_of(sql: str, declared: Schema, ask: Ask, remember: Remember = asked_anew) -> Analysis:
    """The analysis of a text whose calls of EXTERNAL_QUERY are tables; `ask` judges a text with the schemas of more tables.

    `declared` are the columns that the output is to have; `remember` may keep what is said of expressions. Raises
    Unavailable naming a connection."""
    calls = calls_of(sql)
    if not calls:
        return ask(sql, {})
    found = _Deduction(sql, calls, declared, ask).of_expressions(remember)
    found = found or _Deduction(sql, calls, declared, ask).analysis()
    own = (table for table in found.tables if not any(call.is_table(table) for call in calls))
    return replace(found, tables=tuple(own))


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a typing does not fit: `place` tells faults apart, `message` also what types are met there."""

    place: tuple[int, int] | str
    message: str
    problem: SqlProblem


class _Deduction:
    def __init__(self, sql: str, calls: tuple[Call, ...], declared: Schema, ask: Ask) -> None:
        self._sql, self._calls, self._ask = sql, calls, ask
        self._declared = {field.name.lower(): field for field in declared}
        self._columns = [(number, name) for number, call in enumerate(calls) for name in call.columns]
        self._fixed: set[str] = set()  # outputs of another type than declared, whatever the database gives

    def of_expressions(self, remember: Remember) -> Analysis | None:
        """The same for a plain SELECT, by what its expressions accept; None for any other text."""
        call = self._calls[0]
        uses = uses_of(self._sql, call)
        if uses is None:
            return None
        types = FittingTypes(uses, self._declared, self._first, self._ask, remember)
        fitting = types.of(call)
        if fitting is None:
            return None
        self._fixed = types.fixed
        found = self._variants({(0, name): fit.type for name, fit in fitting.items()}, {}).analysis()
        if found.problem is None and not types.agrees(call, found):
            return None
        fault = self._fault(found)
        if fault is not None:
            problem = self._explained(fault, types, fitting)
            return None if problem is None else Analysis(tables=found.tables, problem=problem)
        if not all(fit.types for fit in fitting.values()):
            return None
        for name, fit in fitting.items():
            if fit.loose:
                raise self._unknown(f"no schema.yaml declares `{fit.loose}`, which is made of `{name}`")
        conditions = self._conditions({(0, name): fit.types for name, fit in fitting.items()})
        return replace(found, notes=(*found.notes, *conditions))

    def _explained(self, fault: _Fault, types: FittingTypes, fitting: Mapping[str, Fitting]) -> SqlProblem | None:
        """What is wrong with an expression; None where it is not clear with which."""
        if is_of_syntax(fault.message):
            return fault.problem
        if isinstance(fault.place, str):
            use = types.use_for(fault.place.removeprefix(_OUTPUT))
        else:
            use = types.use_at(offset_of(self._sql, *fault.place)) if "\t" not in self._sql else None
        name = next((name for name in fitting if use is not None and name.lower() == use.column), None)
        if name is not None and not fitting[name].types:
            return _of_no_type(name, fault)
        return fault.problem if use is not None and not isinstance(fault.place, str) else None

    def analysis(self) -> Analysis:
        typing: _Typing = {column: self._first(column[1]) for column in self._columns}
        found = self._variants(typing, {}).analysis()
        seen: set[tuple[int, int] | str] = set()
        while (fault := self._fault(found)) is not None:
            seen.add(fault.place)
            better = fault.problem if is_of_syntax(fault.message) else self._better(fault, found, typing, seen)
            if isinstance(better, SqlProblem):
                return Analysis(tables=found.tables, problem=better)
            typing, found = better
        return self._with_condition(found, typing)

    def _variants(self, typing: _Typing, others: Mapping[_Column, Sequence[Field]]) -> _Variants:
        return _Variants(self._sql, self._calls, typing, others, self._ask)

    def _first(self, name: str) -> Field:
        """What is declared under the same name, were it handed on."""
        declared = self._declared.get(name.lower())
        if declared is None or declared.type not in TYPES:
            return Field(name, "STRING")
        return Field(name, declared.type, "REPEATED" if declared.mode == "REPEATED" else "NULLABLE")

    def _fault(self, found: Analysis) -> _Fault | None:
        if found.problem is not None:
            return _Fault((found.problem.line, found.problem.column), found.problem.message, found.problem)
        for field in found.columns:
            declared = self._declared.get(field.name.lower())
            if declared is None or field.name in self._fixed or is_as_declared(field, declared):
                continue
            message = f"`{field.name}` is {_words(declared)} in schema.yaml and {_words(field)} in the query"
            return _Fault(f"{_OUTPUT}{field.name}", message, SqlProblem(message))
        return None

    def _better(
        self, fault: _Fault, found: Analysis, typing: _Typing, seen: Iterable[object]
    ) -> tuple[_Typing, Analysis] | SqlProblem:
        """The typing changed in one column, after which the fault is gone, and its analysis; or why there can be none."""
        concerned: set[_Column] = set()
        for column in self._nearest(fault, found):
            others = _others(typing[column])
            variants = self._variants(typing, {column: others})
            for field in others:
                changed = variants.analysis(column, field)
                other = self._fault(changed)
                is_changed = self._is_changed(fault, found, other, changed)
                if other is None or self._is_progress(column, fault, found, other, is_changed, seen):
                    return {**typing, column: field}, changed
                if is_changed:
                    concerned.add(column)
        if not concerned and isinstance(fault.place, str):
            self._fixed.add(fault.place.removeprefix(_OUTPUT))
            return typing, found
        if not concerned:
            return fault.problem
        if len(concerned) > 1 or not self._is_independent:
            raise self._unknown("no types of its columns were found that fit")
        ((_, name),) = concerned
        return _of_no_type(name, fault)

    def _is_changed(self, fault: _Fault, found: Analysis, other: _Fault | None, changed: Analysis) -> bool:
        """Whether another type has to do with a fault: of an output, whether it gives that another type."""
        if isinstance(fault.place, str):
            return changed.problem is None and _output(fault.place, changed) != _output(fault.place, found)
        return other is None or other.message != fault.message

    def _is_progress(
        self, column: _Column, fault: _Fault, found: Analysis, other: _Fault, is_changed: bool, seen: Iterable[object]
    ) -> bool:
        """Whether another type of a column, which leaves another fault, leads on. From an output it does not where that is
        no other, or where it makes wrong what was right and no other column could mend that."""
        if isinstance(fault.place, tuple):
            return other.place not in seen
        if isinstance(other.place, tuple):
            made = self._sources(fault.place, found)
            return (made is None or column[1].lower() in made) and not self._is_independent and other.place not in seen
        names = [f"{_OUTPUT}{field.name}" for field in found.columns]
        is_later = names.index(other.place) > names.index(fault.place)
        return is_changed and (is_later or (not self._is_independent and other.place not in seen))

    @cached_property
    def _is_independent(self) -> bool:
        return is_independent(self._sql, self._calls)

    def _sources(self, place: str, found: Analysis) -> set[str] | None:
        """The names of the columns that an output is made of; None where nobody knows."""
        made = found.lineage.get(place.removeprefix(_OUTPUT))
        return {name.lower() for _, name in made.sources} if made is not None and made.kind != "unknown" else None

    def _nearest(self, fault: _Fault, found: Analysis) -> list[_Column]:
        """The columns, first those that are named behind the place of a fault, or that its output is made of."""
        if isinstance(fault.place, str):
            sources = self._sources(fault.place, found) or set()
            return sorted(self._columns, key=lambda column: column[1].lower() not in sources)
        behind = self._sql[offset_of(self._sql, *fault.place) :].lower()
        return sorted(self._columns, key=lambda column: behind.find(column[1].lower()) % (len(behind) + 1))

    # --- the condition ------------------------------------------------------------------------------------------

    def _with_condition(self, found: Analysis, typing: _Typing) -> Analysis:
        fitting = {column: [field] for column, field in typing.items()}
        loose = self._loose(found)
        if loose and not self._is_independent:
            raise self._unknown(f"no schema.yaml declares `{loose[0]}`, which is made of them")
        others = {column: _others(field) for column, field in typing.items()}
        # One alone may be a cast to the type that it has.
        handed = {column: others[column][:1] for column in self._columns if self._is_handed_on(column, found)}
        variants = self._variants(typing, others | handed)
        found = variants.analysis()  # of tables of this name
        for column in self._columns:
            if column in handed:
                if self._is_handed_on(column, variants.analysis(column, handed[column][0])):
                    continue
                variants = self._variants(typing, others)
            for field in others[column]:
                other = variants.analysis(column, field)
                if self._fault(other) is not None:
                    continue
                if shape(other.columns) != shape(found.columns):
                    name = next(a.name for a, b in zip(found.columns, other.columns, strict=True) if a != b)
                    raise self._unknown(f"no schema.yaml declares `{name}`, which is made of `{column[1]}`")
                fitting[column].append(field)
        return replace(found, notes=(*found.notes, *self._conditions(fitting)))

    def _loose(self, found: Analysis) -> list[str]:
        """The outputs made of what a database gives, or nobody knows of what, that are not declared."""
        return [
            name
            for name, made in found.lineage.items()
            if name.lower() not in self._declared
            and (
                made.kind == "unknown" or any(call.is_table(table) for table, _ in made.sources for call in self._calls)
            )
        ]

    def _is_handed_on(self, column: _Column, found: Analysis) -> bool:
        """Whether a column is an output as it is, so that what is declared of this is declared of the column."""
        call = self._calls[column[0]]
        return any(
            made.kind == "copied" and name.lower() in self._declared and name not in self._fixed
            for name, made in found.lineage.items()
            if [(call.is_table(table), path.lower()) for table, path in made.sources] == [(True, column[1].lower())]
        )

    def _conditions(self, fitting: Mapping[_Column, Sequence[Field]]) -> Iterator[str]:
        for number, call in enumerate(self._calls):
            told = [
                f"`{name}` as {_listed(fitting[number, name])}"
                if len(fitting[number, name]) < len(TYPES)
                else f"`{name}`"
                for name in call.columns
            ]
            yield f"{PROVIDED} the database behind `{call.connection}` gives {', '.join(told)}"

    def _unknown(self, why: str) -> Unavailable:
        return self._calls[0].unknown(why, fix="declare the columns of the output in its schema.yaml")


class _Variants:
    """A typing and those that differ from it in one of some columns, in one catalog: to make one costs more than to ask."""

    def __init__(
        self,
        sql: str,
        calls: tuple[Call, ...],
        typing: _Typing,
        others: Mapping[_Column, Sequence[Field]],
        ask: Ask,
    ) -> None:
        self._sql, self._calls, self._ask = sql, calls, ask
        self._numbers: dict[tuple[_Column, Field], int] = {}
        self._tables = {call.table(0): _schema(number, call, typing) for number, call in enumerate(calls)}
        for column, fields in others.items():
            for field in fields:
                self._numbers[column, field] = number = len(self._numbers) + 1
                call = calls[column[0]]
                self._tables[call.table(number)] = _schema(column[0], call, {**typing, column: field})

    def analysis(self, column: _Column | None = None, field: Field | None = None) -> Analysis:
        variant = self._numbers[column, field] if column is not None and field is not None else 0
        chosen = {call: variant if column and column[0] == number else 0 for number, call in enumerate(self._calls)}
        return self._ask(replaced(self._sql, chosen), self._tables)


def _of_no_type(name: str, fault: _Fault) -> SqlProblem:
    told = f"no type that a database could give `{name}` makes this right: {fault.message}"
    return replace(fault.problem, message=told)


def _schema(number: int, call: Call, typing: _Typing) -> Schema:
    return tuple(typing[number, name] for name in call.columns)


def _others(field: Field) -> list[Field]:
    """The column with all other types."""
    return [other for kind in TYPES if (other := Field(field.name, kind)) != field]


def _output(place: str, found: Analysis) -> list[tuple[object, ...]]:
    """Of what type the output is that a place names."""
    return shape(tuple(field for field in found.columns if f"{_OUTPUT}{field.name}" == place))


def _words(field: Field) -> str:
    return f"REPEATED {field.type}" if field.mode == "REPEATED" else field.type


def _listed(fields: Sequence[Field]) -> str:
    words = [_words(field) for field in sorted(fields, key=lambda field: TYPES.index(field.type))]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
