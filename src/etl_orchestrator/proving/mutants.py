"""Slightly wrong queries: what a strong test has to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.proving.grammar import Node, PlainBigQuery, function_name, window_call


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed query; `operator` is the kind of change (ROR, JOIN, …), `change` says it in a few words."""

    operator: str
    change: str
    sql: str


#: A change of one node: what to put in its place (None: leave the node out where that is possible).
Change = tuple[str, Node]
Operator = Callable[[Node], Iterator[Change]]


def mutants(sql: str) -> tuple[Mutant, ...]:
    """Every mutant of a query (templates already rendered), each text once, in the order of the query.

    Many do not bind (a column swapped for one of another type): whoever runs them leaves those out.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect=PlainBigQuery)
    except (SqlglotError, RecursionError) as error:
        raise InvalidInput(f"the query could not be read: {str(error).splitlines()[0]}") from None
    original = _text(tree)
    seen = {original}
    found: list[Mutant] = []
    for place, node in enumerate(tree.walk()):
        for name, operator in OPERATORS.items():
            for change, replacement in operator(node):
                text = _replaced(tree, place, replacement)
                if text not in seen:
                    seen.add(text)
                    found.append(Mutant(name, change, text))
    return tuple(found)


def _text(tree: Node) -> str:
    return tree.sql(dialect=PlainBigQuery, comments=False)


def _replaced(tree: Node, place: int, replacement: Node) -> str:
    copied = tree.copy()
    target = next(node for number, node in enumerate(copied.walk()) if number == place)
    if target is copied:
        return _text(replacement)
    target.replace(replacement)
    return _text(copied)


def _short(node: Node) -> str:
    text = node.sql(dialect=PlainBigQuery, comments=False)
    return text if len(text) <= 50 else f"{text[:47]}..."


def _with(node: Node, **arguments: object) -> Node:
    copied = node.copy()
    for name, value in arguments.items():
        copied.set(name, value)
    return copied


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_BOUNDARIES: Mapping[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.EQ: (exp.NEQ, exp.LTE, exp.GTE),
    exp.NEQ: (exp.EQ,),
    exp.LT: (exp.LTE, exp.GTE),
    exp.LTE: (exp.LT, exp.GT),
    exp.GT: (exp.GTE, exp.LTE),
    exp.GTE: (exp.GT, exp.LT),
}


def _comparison(node: Node) -> Iterator[Change]:
    for other in _BOUNDARIES.get(type(node), ()):
        made = other(this=node.this.copy(), expression=node.expression.copy())
        yield f"{_short(node)}: {type(node).__name__} to {other.__name__}", made
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        for below, above in ((exp.GT, exp.LTE), (exp.GTE, exp.LT)):
            made = exp.And(
                this=below(this=node.this.copy(), expression=low.copy()),
                expression=above(this=node.this.copy(), expression=high.copy()),
            )
            yield f"{_short(node)}: one boundary open", exp.Paren(this=made)


def _logic(node: Node) -> Iterator[Change]:
    if isinstance(node, (exp.And, exp.Or)):
        other = exp.Or if isinstance(node, exp.And) else exp.And
        yield (
            f"{_short(node)}: AND and OR swapped",
            exp.Paren(this=other(this=node.this.copy(), expression=node.expression.copy())),
        )


def _dropped(node: Node) -> Iterator[Change]:
    """One side of an AND, or a whole WHERE, HAVING or QUALIFY."""
    if isinstance(node, exp.And):
        yield f"{_short(node.this)} dropped", node.expression.copy()
        yield f"{_short(node.expression)} dropped", node.this.copy()
    if isinstance(node, (exp.Where, exp.Having, exp.Qualify)) and not isinstance(node.this, exp.And):
        yield f"{_short(node)} dropped", _with(node, this=exp.Boolean(this=True))
    if isinstance(node, exp.Join) and node.args.get("using") and len(node.args["using"]) > 1:
        yield "a key of USING dropped", _with(node, using=[item.copy() for item in node.args["using"][1:]])


def _negated(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Where):
        yield f"{_short(node)} negated", _with(node, this=exp.Not(this=exp.Paren(this=node.this.copy())))
    if isinstance(node, exp.Is):
        yield f"{_short(node)} negated", exp.Not(this=node.copy())


def _join(node: Node) -> Iterator[Change]:
    if not isinstance(node, exp.Join) or str(node.args.get("kind") or "").upper() == "CROSS":
        return
    if node.args.get("on") is None and not node.args.get("using"):
        return
    kinds = {"": "INNER", "LEFT": "LEFT", "RIGHT": "RIGHT", "FULL": "FULL"}
    own = kinds.get(str(node.args.get("side") or "").upper(), "INNER")
    for other in ("INNER", "LEFT", "RIGHT", "FULL"):
        if other != own and not (isinstance(node.this, exp.Unnest) and other in ("RIGHT", "FULL")):
            made = _with(node, side=None if other == "INNER" else other, kind="INNER" if other == "INNER" else None)
            yield f"{own} JOIN {node.this.alias_or_name} to {other} JOIN", made


_AGGREGATES: Mapping[str, tuple[str, ...]] = {
    "SUM": ("MAX", "COUNT"),
    "MAX": ("MIN",),
    "MIN": ("MAX",),
    "AVG": ("SUM", "MAX"),
    "COUNT": ("SUM",),
    "LOGICAL_OR": ("LOGICAL_AND",),
    "LOGICAL_AND": ("LOGICAL_OR",),
    "MAX_BY": ("MIN_BY",),
    "MIN_BY": ("MAX_BY",),
    "COUNTIF": ("COUNT",),
}


def _aggregate(node: Node) -> Iterator[Change]:
    name = function_name(node)
    arguments = node.expressions if name in _AGGREGATES else []
    for other in _AGGREGATES.get(name, ()):
        if not any(isinstance(item, exp.Star) for item in arguments):
            yield f"{_short(node)}: {name} to {other}", _with(node, this=other)
    if name == "COUNT" and arguments and not isinstance(arguments[0], exp.Star):
        yield f"{_short(node)} to COUNT(*)", _with(node, expressions=[exp.Star()])


def _distinct(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Select) and not node.args.get("kind"):
        had = node.args.get("distinct") is not None
        yield f"DISTINCT {'dropped' if had else 'added'}", _with(node, distinct=None if had else exp.Distinct())
    if isinstance(node, exp.Anonymous) and function_name(node) in ("COUNT", "SUM", "AVG", "ARRAY_AGG", "STRING_AGG"):
        first = node.expressions[0] if node.expressions else None
        if isinstance(first, exp.Distinct):
            yield (
                f"{_short(node)}: DISTINCT dropped",
                _with(node, expressions=[item.copy() for item in first.expressions]),
            )
        elif first is not None and not isinstance(first, (exp.Star, exp.Order, exp.Limit, exp.IgnoreNulls)):
            distinct = exp.Distinct(expressions=[item.copy() for item in node.expressions])
            yield f"{_short(node)}: DISTINCT added", _with(node, expressions=[distinct])


def _set_operation(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Union):
        yield "UNION ALL and UNION DISTINCT swapped", _with(node, distinct=not node.args.get("distinct"))
        yield "the second side of the UNION dropped", node.this.copy()
        yield "the first side of the UNION dropped", node.expression.copy()


def _null(node: Node) -> Iterator[Change]:
    if function_name(node) in ("COALESCE", "IFNULL", "NULLIF"):
        yield f"{_short(node)}: only its first argument", node.expressions[0].copy()
        if function_name(node) != "NULLIF":
            yield f"{_short(node)}: only its last argument", node.expressions[-1].copy()


def _case(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Case):
        arms = node.args["ifs"]
        for place in range(len(arms)):
            if len(arms) > 1:
                left = [arm.copy() for number, arm in enumerate(arms) if number != place]
                yield f"{_short(node)}: arm {place + 1} dropped", _with(node, ifs=left)
            if place:
                swapped = [arm.copy() for arm in arms]
                swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
                yield f"{_short(node)}: arms {place} and {place + 1} swapped", _with(node, ifs=swapped)
        if node.args.get("default") is not None:
            yield f"{_short(node)}: ELSE dropped", _with(node, default=None)
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        yes, no = node.args["true"], node.args.get("false") or exp.Null()
        yield f"{_short(node)}: arms swapped", _with(node, true=no.copy(), false=yes.copy())
        yield f"{_short(node)}: always its first arm", yes.copy()
        yield f"{_short(node)}: always its second arm", no.copy()


def _constant(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Literal):
        if node.is_string:
            if isinstance(node.parent, (exp.Cast, exp.Interval, exp.Alias)):
                return
            yield f"'{node.this}' to another text", exp.Literal.string(f"{node.this}_")
        elif str(node.this).isdigit():
            for step in (-1, 1):
                if int(node.this) + step >= 0:
                    yield f"{node.this} to {int(node.this) + step}", exp.Literal.number(int(node.this) + step)
    if isinstance(node, exp.Boolean):
        yield f"{_short(node)} to its contrary", exp.Boolean(this=not node.this)
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal) and str(node.this.this).isdigit():
        yield f"{_short(node)}: one more", _with(node, this=exp.Literal.string(str(int(node.this.this) + 1)))


def _arithmetic(node: Node) -> Iterator[Change]:
    others: Mapping[type[exp.Expr], type[exp.Expr]] = {exp.Add: exp.Sub, exp.Sub: exp.Add, exp.Mul: exp.Div,
                                                       exp.Div: exp.Mul}  # fmt: skip
    other = others.get(type(node))
    if other is not None:
        yield (
            f"{_short(node)}: {type(node).__name__} to {other.__name__}",
            exp.Paren(this=other(this=node.this.copy(), expression=node.expression.copy())),
        )


def _group(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Group) and len(node.expressions) > 1:
        for place, key in enumerate(node.expressions):
            left = [item.copy() for number, item in enumerate(node.expressions) if number != place]
            yield f"{_short(key)} dropped from GROUP BY", _with(node, expressions=left)


_WINDOW_CALLS = {"ROW_NUMBER": "RANK", "RANK": "ROW_NUMBER", "DENSE_RANK": "RANK", "FIRST_VALUE": "LAST_VALUE",
                 "LAST_VALUE": "FIRST_VALUE", "LAG": "LEAD", "LEAD": "LAG"}  # fmt: skip


def _window(node: Node) -> Iterator[Change]:
    if isinstance(node, exp.Ordered):
        down = bool(node.args.get("desc"))
        yield f"{_short(node)}: the other direction", _with(node, desc=not down, nulls_first=down)
    if not isinstance(node, exp.Window):
        return
    for key in node.args.get("partition_by") or ():
        left = [item.copy() for item in node.args["partition_by"] if item is not key]
        yield f"{_short(key)} dropped from PARTITION BY", _with(node, partition_by=left)
    name = function_name(window_call(node))
    if name in _WINDOW_CALLS:
        made = node.copy()
        window_call(made).set("this", _WINDOW_CALLS[name])
        yield f"{name} to {_WINDOW_CALLS[name]}", made


def _null_column(node: Node) -> Iterator[Change]:
    """An output column of the outermost SELECT that is always NULL, in its own type."""
    if isinstance(node, exp.Select) and node.parent is None:
        for place, column in enumerate(node.expressions):
            if isinstance(column, exp.Star) or column.is_star:
                continue
            name = column.alias_or_name
            bare = column.this if isinstance(column, exp.Alias) else column
            made = node.copy()
            empty = exp.If(this=exp.Boolean(this=False), true=bare.copy(), false=exp.Null())
            made.expressions[place].replace(exp.alias_(empty, name, quoted=True))
            yield f"{name} is always NULL", made


_UNWRAPPED = ("LOWER", "UPPER", "TRIM", "DATE_TRUNC", "TIMESTAMP_TRUNC", "ABS", "ROUND", "REGEXP_REPLACE", "REPLACE",
              "SUBSTR", "FLOOR", "CEIL", "SAFE_DIVIDE")  # fmt: skip


def _function(node: Node) -> Iterator[Change]:
    if function_name(node) in _UNWRAPPED and node.expressions:
        yield f"{_short(node)}: without {function_name(node)}", node.expressions[0].copy()


def _pattern(node: Node) -> Iterator[Change]:
    if not function_name(node).startswith("REGEXP") or len(node.expressions) < 2:
        return
    pattern = node.expressions[1]
    if not isinstance(pattern, (exp.Literal, exp.RawString)):
        return
    text = str(pattern.this)
    changes = {"without ^": text.removeprefix("^"), "without $": text.removesuffix("$"),
               "in any case": f"(?i){text}", "+ to *": text.replace("+", "*")}  # fmt: skip
    for name, changed in changes.items():
        if changed != text:
            made = [
                node.expressions[0].copy(),
                exp.RawString(this=changed),
                *(item.copy() for item in node.expressions[2:]),
            ]
            yield f"{_short(node)}: {name}", _with(node, expressions=made)


def _swapped(node: Node) -> Iterator[Change]:
    """A column read instead of its neighbour: the next one of the same range variable that the query reads."""
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or node.find_ancestor(exp.Group):
        return
    root = node.root()
    names: list[str] = []
    for other in root.find_all(exp.Column):
        if other.table == node.table and not isinstance(other.this, exp.Star) and other.name not in names:
            names.append(other.name)
    if node.table and len(names) > 1:
        place = names.index(node.name)
        for name in dict.fromkeys((names[(place + 1) % len(names)], names[place - 1])):
            yield f"{_short(node)} to {name}", exp.column(name, table=node.table)


OPERATORS: Mapping[str, Operator] = {
    "JOIN": _join,
    "ROR": _comparison,
    "LCR": _logic,
    "PREDDROP": _dropped,
    "NEG": _negated,
    "AGG": _aggregate,
    "DISTINCT": _distinct,
    "SETOP": _set_operation,
    "NULL": _null,
    "CASE": _case,
    "CONST": _constant,
    "AOR": _arithmetic,
    "GROUP": _group,
    "WINDOW": _window,
    "COLNULL": _null_column,
    "FUNC": _function,
    "REGEX": _pattern,
    "COLSWAP": _swapped,
}
