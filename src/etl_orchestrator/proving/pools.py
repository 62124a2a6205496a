"""Values worth trying: the literals of the requirement and their neighbours, else a value that tells its role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlglot import exp

from etl_orchestrator.proving.casts import convert, to_date, to_timestamp
from etl_orchestrator.proving.doubt import CannotTell
from etl_orchestrator.proving.expressions import Evaluator
from etl_orchestrator.proving.frames import paths
from etl_orchestrator.proving.grammar import Node, function_name
from etl_orchestrator.proving.scopes import Scope
from etl_orchestrator.proving.values import Json, group_key
from etl_orchestrator.requirements import Parameter
from etl_orchestrator.table import LEGACY_TYPES, Field
from etl_orchestrator.tools import ParameterValue, Value

#: The day of every run: a leap day, the last of its month, so that months, years and neighbours all differ.
DAY = date(2024, 2, 29)
_ONE = {"day": timedelta(days=1), "tick": timedelta(microseconds=1), "hour": timedelta(hours=1)}
_ATOMS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Like, exp.Anonymous, exp.Case,
          exp.NullSafeEQ, exp.NullSafeNEQ)  # fmt: skip
Pools = Mapping[str, tuple[Value, ...]]


def parameter_values(parameters: Iterable[Parameter]) -> dict[str, ParameterValue]:
    """A value for each parameter: what it says where it is a literal, the day of the run where it is a template."""
    return {parameter.name: ParameterValue(parameter.type, _parameter(parameter)) for parameter in parameters}


def _parameter(parameter: Parameter) -> Value:
    declared = LEGACY_TYPES.get(parameter.type.upper(), parameter.type.upper())
    text = parameter.value.strip().strip("'\"")
    if "{{" in text or "{%" in text or not text:
        return default(Field(parameter.name, declared), "a", 0) if declared != "STRING" else DAY.isoformat()
    names = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "BIGNUMERIC": "NUMERIC"}
    try:
        return convert(text, names.get(declared, declared))
    except CannotTell:
        return default(Field(parameter.name, declared), "a", 0)


def gather(nodes: Iterable[Node], evaluator: Evaluator) -> dict[str, tuple[Value, ...]]:
    """For each column name (lower case), the constants it meets in a condition or function, in the order met."""
    found: dict[str, list[Value]] = {}
    for node in nodes:
        for atom in node.find_all(*_ATOMS):
            constants = _constants(atom, evaluator)
            for names in paths(atom):
                pool = found.setdefault(names[-1].lower(), [])
                known = {repr(group_key(value)) for value in pool}
                pool.extend(value for value in constants if repr(group_key(value)) not in known)
    return {name: tuple(values) for name, values in found.items()}


def _constants(atom: Node, evaluator: Evaluator) -> list[Value]:
    """The values of the largest parts without a column."""
    found: list[Value] = []
    stack = list(atom.iter_expressions())
    while stack:
        part = stack.pop(0)
        if isinstance(part, (exp.Select, exp.Subquery)):
            stack = [*part.find_all(exp.Literal), *stack]
            continue
        if not any(True for _ in paths(part)) and not isinstance(part, (exp.Star, exp.DataType)):
            try:
                value = evaluator.value(part, Scope())
            except CannotTell:
                value = None
            if isinstance(value, list):
                found.extend(element for element in value if element is not None)
            elif value is not None and not isinstance(value, dict):
                found.append(value)
                if isinstance(value, str) and _is_pattern(atom):
                    found.extend(samples(value))
                continue
        stack = [*part.iter_expressions(), *stack]
    return found


def _is_pattern(atom: Node) -> bool:
    return isinstance(atom, exp.Like) or function_name(atom).startswith("REGEXP")


def samples(pattern: str) -> list[str]:
    """Texts that a pattern may match; a guess, to be checked."""
    like = pattern.replace("%", "x").replace("_", "y")
    text = re.sub(r"\(\?[imsU]*:?\)?", "", pattern).strip("^$")
    text = re.sub(r"\\d|\[0-9\]", "1", text)
    text = re.sub(r"\\w|\[a-z[^\]]*\]|\[A-Za-z[^\]]*\]|\[\^[^\]]*\]", "a", text)
    text = re.sub(r"\\s", " ", text)
    text = re.sub(r"\[(.)[^\]]*\]", r"\1", text)
    text = re.sub(r"(.)\{(\d+)[^}]*\}", lambda match: match[1] * int(match[2]), text)
    text = re.sub(r"\.[*+]\??|\.", "x", text)
    text = re.sub(r"[*+?]", "", text)
    first = re.sub(r"\(([^|()]*)\|[^()]*\)", r"\1", text)
    bare = [re.sub(r"\\(.)", r"\1", option) for option in (first.split("|")[0], text.split("|")[-1])]
    return [like, *(option.strip("()^$").replace("(", "").replace(")", "") for option in bare)]


def candidates(field: Field, constants: Iterable[Value], preferred: Iterable[Value] = ()) -> list[Value]:
    """Values of the field's type: preferred ones, constants, their neighbours, the default; each once, no NULL."""
    exact = [value for constant in constants for value in _fitting(field.type, constant)]
    near = [value for constant in exact for value in _neighbours(constant)]
    others = [value for constant in constants for value in _related(field.type, constant)]
    base = default(field, "a", 0)
    close = field.type in ("DATE", "TIMESTAMP", "DATETIME", "BOOLEAN")
    around = _neighbours(base) if close else [default(field, "b", 1)]
    ordered = [*preferred, *exact, base, *near, *others, *around]
    seen: dict[str, Value] = {}
    for value in ordered:
        if value is not None:
            seen.setdefault(repr(value), value)
    return list(seen.values())


def _fitting(legacy_type: str, constant: Value) -> list[Value]:
    """The constant as a value of the type, where it is one."""
    try:
        if legacy_type == "DATE" and isinstance(constant, (str, date)):
            return [to_date(constant)]
        if legacy_type in ("TIMESTAMP", "DATETIME") and isinstance(constant, (str, date)):
            moment = to_timestamp(constant)
            whole = isinstance(constant, date) and not isinstance(constant, datetime)
            moments = [moment + timedelta(hours=12), moment] if whole else [moment]
            return [item if legacy_type == "TIMESTAMP" else item.replace(tzinfo=None) for item in moments]
    except CannotTell:
        return []
    if legacy_type == "STRING" and isinstance(constant, str) and not isinstance(constant, Json):
        return [constant]
    if legacy_type == "STRING" and type(constant) is date:
        return [constant.isoformat(), f"{constant:%Y%m%d}"]
    if legacy_type == "STRING" and type(constant) is int:
        return [str(constant), "x" * constant] if 0 <= constant <= 40 else [str(constant)]
    if legacy_type == "INTEGER" and type(constant) is int:
        return [constant]
    number = isinstance(constant, (int, float, Decimal)) and not isinstance(constant, bool)
    if number and legacy_type == "FLOAT":
        return [float(constant)]
    if number and legacy_type in ("NUMERIC", "BIGNUMERIC"):
        return [Decimal(str(constant))]
    if legacy_type == "BOOLEAN":
        return [constant] if isinstance(constant, bool) else [True, False]
    return []


def _neighbours(value: Value) -> list[Value]:
    """One below and one above, by type; for a text another case, another ending."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float, Decimal)):
        return [value - 1, value + 1]
    if isinstance(value, datetime):
        midnight = value.replace(hour=0, minute=0, second=0, microsecond=0)
        edges = [value - _ONE["day"], value + _ONE["day"], midnight, midnight - _ONE["tick"], midnight + _ONE["day"]]
        return [*edges, midnight + _ONE["day"] - _ONE["tick"], value - _ONE["tick"], value + _ONE["tick"]]
    if isinstance(value, date):
        return [value - _ONE["day"], value + _ONE["day"]]
    if isinstance(value, str) and value:
        return [value.swapcase(), f"{value}x", f"x{value}", value[:-1]]
    return []


def _related(legacy_type: str, constant: Value) -> list[Value]:
    """Days at a distance named in the requirement, numbers of its seconds."""
    if type(constant) is int and 0 < abs(constant) <= 800 and legacy_type in ("DATE", "TIMESTAMP", "DATETIME"):
        days = [DAY + timedelta(days=sign * (abs(constant) + step)) for sign in (-1, 1) for step in (0, -1, 1)]
        return [value for day in days for value in _fitting(legacy_type, day)[:1]]
    if type(constant) is date and legacy_type == "INTEGER":
        seconds = int(datetime(constant.year, constant.month, constant.day, 12, tzinfo=UTC).timestamp())
        return [seconds, seconds * 1000, seconds * 1_000_000]
    if legacy_type in ("DATE", "TIMESTAMP", "DATETIME"):
        return _fitting(legacy_type, DAY - timedelta(days=7)) + _fitting(legacy_type, DAY - timedelta(days=28))
    return []


def default(field: Field, role: str, number: int) -> Value:
    """A value that tells its role: `client_b`, the day of the run, 1 2 4 8 for the numbers of successive rows."""
    stem = re.sub(r"_(id|key|code)\Z", "", field.name.lower()).strip("_") or field.name.lower()
    moment = datetime(DAY.year, DAY.month, DAY.day, 12, number, tzinfo=UTC)
    plain: Mapping[str, Value] = {
        "STRING": f"{stem}_{role}",
        "INTEGER": 2**number,
        "FLOAT": float(2**number),
        "NUMERIC": Decimal(2**number),
        "BIGNUMERIC": Decimal(2**number),
        "BOOLEAN": True,
        "DATE": DAY,
        "TIMESTAMP": moment,
        "DATETIME": moment.replace(tzinfo=None),
        "TIME": time(12),
        "BYTES": f"{stem}_{role}".encode(),
        "JSON": "{}",
    }
    return plain.get(field.type)
