"""The query of a model, written by rule from its structured requirements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from etl_orchestrator.plan import Plan
from etl_orchestrator.requirements import Body, Column, RefuseWhen, Requirements, Step
from etl_orchestrator.skills.query_writer.header import header
from etl_orchestrator.skills.query_writer.names import quoted, standard_type
from etl_orchestrator.skills.query_writer.refusal import Refusals, branch, guard, sorted_refusals
from etl_orchestrator.skills.query_writer.scope import Columns, Scope, columns_of, outputs, scope_of
from etl_orchestrator.skills.query_writer.sources import Ctes, conjunction, place
from etl_orchestrator.sql import expressions
from etl_orchestrator.sql.formatter import format_sql
from etl_orchestrator.table import Schema

IS_INIT = "{% if is_init() %}"


@dataclass(frozen=True, slots=True)
class Known:
    """What may help to decide the meaning of a name: schemas by full table name, and names the analyzer rejected."""

    schemas: Mapping[str, Schema] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()


def write_query(requirements: Requirements, plan: Plan, known: Known | None = None) -> str:
    """query.sql in the repository's style; a query that a person gave is formatted and otherwise left alone."""
    if requirements.request.query is not None:
        return format_sql(requirements.request.query.text)
    return format_sql(header(requirements) + _Writer(requirements, known or Known()).text())


class _Writer:
    """Writes one model: the scopes of its steps are found once, in order."""

    def __init__(self, requirements: Requirements, known: Known) -> None:
        self.requirements = requirements
        self.request = requirements.request
        self.ambiguous = known.ambiguous
        self.offered: dict[str, Columns] = {
            name: columns_of(schema) for name, schema in {**known.schemas, **requirements.schemas}.items()
        }
        own = {column.name.lower(): None for column in requirements.body.columns}
        self.offered.setdefault(str(requirements.table), dict(own))
        for step in self.request.steps:
            self.offered[step.name] = outputs(step.body, self._scope(step.body), self.offered)

    def text(self) -> str:
        steps, body, first = self.request.steps, self.requirements.body, self._first_body()
        if first is None:
            return self._query(steps, body, self.request.refuse_when)
        regular = _needed(steps, body, first_run=False)
        in_first_run = _needed(steps, first, first_run=True)
        refusals = self.request.refuse_when
        timeless = tuple(refusal for refusal in refusals if self._is_timeless(refusal))
        if regular == in_first_run:
            ctes = self._ctes(regular)
            return ctes.clause + _either(
                self._final(first, timeless, None, ctes.names), self._final(body, refusals, None, ctes.names)
            )
        unrolled = [replace(step, body=step.on_init or step.body, on_init=None) for step in in_first_run]
        later = [replace(step, on_init=None) for step in regular]
        return _either(self._query(unrolled, first, timeless), self._query(later, body, refusals))

    def _first_body(self) -> Body | None:
        first = self.request.on_init
        return first and (
            first if first.columns or first.union else replace(first, columns=self.requirements.body.columns)
        )

    def _is_timeless(self, refusal: RefuseWhen) -> bool:
        """Whether it can be asked in the first run too: it reads nothing but parameters."""
        groups = sorted_refusals([refusal], self.requirements.body, self._scope(self.requirements.body))
        return bool(groups.alone) and "SELECT" not in refusal.condition.upper()

    def _query(self, steps: Sequence[Step], body: Body, refusals: Sequence[RefuseWhen]) -> str:
        ctes = self._ctes(steps)
        final = self._final(body, refusals, ctes, ctes.names)
        return ctes.clause + final

    def _ctes(self, steps: Sequence[Step]) -> Ctes:
        ctes = Ctes({step.name.lower() for step in self.request.steps})
        for step in steps:
            if step.on_init is None:
                text = self._select(step.body, ctes)
            else:
                first = replace(step.on_init, columns=step.on_init.columns or step.body.columns)
                text = _either(self._select(first, None), self._select(step.body, None))
            ctes.add(step.name, text)
        return ctes

    def _final(self, body: Body, refusals: Sequence[RefuseWhen], ctes: Ctes | None, taken: set[str]) -> str:
        """The last SELECT, with the guards; without `ctes` it stands in a Jinja branch and brings its own WITH."""
        if not refusals:
            return self._select(body, ctes, final=True)
        own = ctes or Ctes(set(taken))
        scope = self._scope(body)
        groups = sorted_refusals(refusals, body, scope)
        names = [column.name for column in body.columns]
        select = self._select(body, own, final=True)
        guards = self._guards(groups, body, scope, own)
        if groups.made:
            result = own.free("result", "result_rows", "all_result_rows") or "result_"
            own.add(result, select)
            guards.append(("refusals_of_result", guard(groups.made, None, f"FROM\n{result}")))
            select = f"SELECT\n{', '.join(map(quoted, names))}\nFROM\n{result}"
        for name, text in guards:
            own.add(name, text)
        whole = "\n".join([select, *(branch(name, names) for name, _ in guards)])
        return whole if ctes else own.clause + whole

    def _guards(self, groups: Refusals, body: Body, scope: Scope, ctes: Ctes) -> list[tuple[str, str]]:
        guards = []
        if groups.alone:
            guards.append(("refusals", guard(groups.alone, scope, "")))
        if groups.read:
            read = self._from_where(body, scope, ctes, tuple(refusal.condition for refusal in groups.read))
            guards.append(("refusals_of_sources", guard(groups.read, scope, read)))
        return guards

    def _scope(self, body: Body) -> Scope:
        return scope_of(body, self.offered, self.requirements.sources, self.ambiguous)

    def _from_where(self, body: Body, scope: Scope, ctes: Ctes | None, above: tuple[str, ...] = ()) -> str:
        placed = place(body, scope, ctes, above)
        where = conjunction((*placed.conjuncts, *((scope.qualified(body.where),) if body.where else ())))
        return placed.text + (f"\nWHERE\n{where}" if where else "")

    def _select(self, body: Body, ctes: Ctes | None, final: bool = False) -> str:
        if body.union:
            return self._union(body, final)
        scope = self._scope(body)
        shadowed = frozenset(column.name.lower() for column in body.columns if column.expression)
        having = scope.within_aggregates(body.having, shadowed) if body.having else None
        qualify = scope.within_aggregates(body.qualify, shadowed) if body.qualify else None
        body = replace(body, having=having, qualify=qualify)
        parts = ["SELECT DISTINCT" if body.distinct else "SELECT"]
        parts.append(",\n".join(_output(column, scope) for column in body.columns) or "*")
        parts.append(self._from_where(body, scope, ctes))
        if keys := _keys(body):
            parts.append("GROUP BY\n" + ",\n".join(quoted(key) for key in keys))
        if body.having:
            parts.append(f"HAVING\n{scope.qualified(body.having)}")
        if body.qualify:
            parts.append(f"QUALIFY\n{scope.qualified(body.qualify)}")
        return "\n".join(part for part in parts if part)

    def _union(self, body: Body, final: bool) -> str:
        """By position; the columns are named only where the result of the model would otherwise hang on a star."""
        names = [column.name for column in body.columns if not column.is_star]
        if not names and final:
            names = list(self.offered.get(body.union[0]) or ())
        columns = ",\n".join(quoted(name) for name in names) or "*"
        operator = "\nUNION DISTINCT\n" if body.union_distinct else "\nUNION ALL\n"
        return operator.join(f"SELECT\n{columns}\nFROM\n{quoted(name)}" for name in body.union)


def _output(column: Column, scope: Scope) -> str:
    """One entry of the SELECT list."""
    if column.is_star:
        return column.sql
    if column.expression is None:
        alias = scope.holder(column.name)
        return f"{quoted(alias)}.{quoted(column.name)}" if alias else quoted(column.name)
    expression = column.expression
    if expression.strip().upper() == "NULL" and (type_ := standard_type(column)):
        expression = f"CAST(NULL AS {type_})"
    expression = scope.qualified(expression)
    # A path is named by its last part (GoogleSQL: implicit alias), any other expression needs its name.
    path = re.fullmatch(r"(?:`?[A-Za-z_]\w*`?\.)*`?([A-Za-z_]\w*)`?", expression.strip())
    return expression if path and path.group(1) == column.name else f"{expression} AS {quoted(column.name)}"


def _keys(body: Body) -> list[str]:
    """The columns to group by. GROUP BY takes the alias of the SELECT list before a source column of that name, so that
    the name is always the output column; a constant or a parameter is a key too, or an empty source would give a row."""
    named = [column for column in body.columns if not column.is_star]
    aggregated = [column for column in named if column.expression and expressions.is_aggregate(column.expression)]
    inside = [text for text in (body.having, body.qualify) if text and expressions.is_aggregate(text)]
    if not aggregated and not inside and not body.having:
        return []
    others = [column for column in named if column not in aggregated]
    return [column.name for column in others if not (column.expression and expressions.has_window(column.expression))]


def _either(first_run: str, later: str) -> str:
    return f"{IS_INIT}\n{first_run}\n{{% else %}}\n{later}\n{{% endif %}}"


def _needed(steps: Sequence[Step], body: Body, first_run: bool) -> list[Step]:
    """The steps which a body reads, directly or through others, in their order."""
    bodies = {step.name: (step.on_init or step.body) if first_run else step.body for step in steps}
    wanted: set[str] = set()
    queue = [body]
    while queue:
        text = _texts(queue.pop())
        for name in bodies.keys() - wanted:
            if re.search(rf"\b{re.escape(name)}\b", text):
                wanted.add(name)
                queue.append(bodies[name])
    return [step for step in steps if step.name in wanted]


def _texts(body: Body) -> str:
    parts: list[str | None] = [*body.union, body.where, body.having, body.qualify]
    for source in body.sources:
        parts += [source.table if source.is_step else None, source.unnest, source.filter, source.on]
    parts += [column.expression for column in body.columns]
    return "\n".join(part for part in parts if part)
