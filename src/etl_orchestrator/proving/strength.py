"""How strong tests are: the share of slightly wrong queries that at least one of them notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from etl_orchestrator.errors import EngineError, InvalidInput, Unsupported
from etl_orchestrator.layout.sql_test_compare import compare
from etl_orchestrator.proving.fixtures import Case
from etl_orchestrator.proving.mutants import Mutant, mutants
from etl_orchestrator.tools import Rows, Runner, TableData, Value


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A case with the rows it expects; `rows` lack the columns of which nothing is expected."""

    case: Case
    rows: Sequence[Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Strength:
    """`valid` mutants bind; `killed` are those that fail at least one case, by the name of the first one that fails.
    `survivors` may be equivalent to the query: nobody has proved that they are not."""

    valid: int
    killed: Mapping[str, tuple[Mutant, ...]] = field(default_factory=dict)
    survivors: tuple[Mutant, ...] = ()

    @property
    def kills(self) -> int:
        return sum(len(found) for found in self.killed.values())

    @property
    def share(self) -> float:
        """Killed over valid, equivalent mutants counted as survivors; 1.0 where there is nothing to kill."""
        return self.kills / self.valid if self.valid else 1.0

    def operators(self) -> dict[str, tuple[int, int]]:
        """Killed and valid by operator."""
        found: dict[str, tuple[int, int]] = {}
        for dead, mutant in [*((True, one) for group in self.killed.values() for one in group),
                             *((False, one) for one in self.survivors)]:  # fmt: skip
            killed, valid = found.get(mutant.operator, (0, 0))
            found[mutant.operator] = (killed + dead, valid + 1)
        return found


def measure(sql: str, cases: Iterable[JudgedCase], runner: Runner, *, limit: int | None = None) -> Strength:
    """Runs every mutant (evenly thinned out to `limit`) on the cases until one notices it.

    A mutant that fails on empty tables does not bind and is left out; one that fails later is killed. Raises
    InvalidInput when the query itself does not pass: then its tests measure nothing.
    """
    trials = tuple(cases)
    for trial in trials:
        if _noticed(sql, trial, runner):
            raise InvalidInput(f"the query does not pass `{trial.case.name}`")
    everything = mutants(sql)
    if limit is not None and len(everything) > limit:
        everything = tuple(everything[place * len(everything) // limit] for place in range(limit))
    bare = _binds(sql, trials, runner, empty=True)
    killed: dict[str, list[Mutant]] = {}
    survivors: list[Mutant] = []
    for mutant in everything:
        if not _binds(mutant.sql, trials, runner, empty=bare):
            continue
        name = next((trial.case.name for trial in trials if _noticed(mutant.sql, trial, runner)), None)
        if name is None:
            survivors.append(mutant)
        else:
            killed.setdefault(name, []).append(mutant)
    found = {name: tuple(group) for name, group in killed.items()}
    return Strength(len(survivors) + sum(map(len, found.values())), found, tuple(survivors))


def _binds(sql: str, trials: Sequence[JudgedCase], runner: Runner, *, empty: bool) -> bool:
    """Whether the query runs on empty tables, or on the first case where empty tables are refused by the query."""
    if not trials:
        return False
    case = trials[0].case
    bare = {table: TableData(data.schema) for table, data in case.tables.items()}
    try:
        return runner.run(sql, bare if empty else case.tables, case.parameters).problem is None
    except (Unsupported, InvalidInput):
        return False


def _noticed(sql: str, trial: JudgedCase, runner: Runner) -> bool:
    """Whether the case fails. An engine that gives up on a mutant has noticed nothing."""
    try:
        answer = runner.run(sql, trial.case.tables, trial.case.parameters)
    except EngineError:
        return False
    return answer.problem is not None or not _as_expected(answer, trial.rows)


def _as_expected(answer: Rows, expected: Sequence[Mapping[str, Value]]) -> bool:
    rows = answer.dicts()
    if len(rows) != len(expected):
        return False
    named = {name for row in expected for name in row}
    known = [{name: value for name, value in row.items() if name in named} for row in rows]
    return not compare(expected, known)
