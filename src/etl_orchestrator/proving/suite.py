"""The tests of a repository as one list: SQL tests of tables and assertion tests of routines, found and run one by one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from etl_orchestrator.errors import EngineError, InvalidInput, OrchestratorError, Unavailable
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.proving.routine_trial import assertion_trial, is_routine, routine_file
from etl_orchestrator.proving.trial import Trial, trial
from etl_orchestrator.tools import Tools

#: Whether a test of this id is wanted.
Keep = Callable[[str], bool]

_EXPECT = re.compile(r"(tests/sql/[^/]+/[^/]+/[^/]+)/(test_[^/]+)/expect\.(yaml|json|ndjson)\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """One test: `path` is the tests folder of a table with `name` a test in it, or the file of a routine with `name`
    one of its assertions ("" stands for all of them)."""

    path: str
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.path}::{self.name}" if is_routine(self.path) else f"{self.path}/{self.name}"


@dataclass(frozen=True, slots=True)
class Ran:
    """A test and how it ended."""

    place: Place
    trial: Trial
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`passed`, `failed`, or `refused`: it could not be run here, which is neither."""
        return {"": "passed", "engine": "refused"}.get(self.trial.cause, "failed")

    @property
    def verdict(self) -> str:
        """The status, with the cause of a failure."""
        return self.trial.verdict if self.status == "failed" else self.status


def places(files: Iterable[str]) -> tuple[Place, ...]:
    """The tests that files of a repository make, in order; a test is a folder with an expectation."""
    found: dict[Place, None] = {}
    for file in sorted(files):
        expect = _EXPECT.match(file)
        if expect:
            found[Place(expect[1], expect[2])] = None
        elif is_routine(file) and file.startswith("sql/"):
            found[Place(file)] = None
    return tuple(found)


def run(place: Place, tools: Tools, strict: bool = False, keep: Keep | None = None) -> Iterator[Ran]:
    """The test, or each assertion of a routine that `keep` keeps. What cannot be run here is an outcome, not an error."""
    if not is_routine(place.path):
        if keep is None or keep(place.id):
            yield _timed(place, partial(_table_trial, place, tools, strict))
        return
    try:
        file = routine_file(place.path, tools)
    except OrchestratorError as error:
        yield Ran(place, _not_run(place.name or place.path, place.path, error))
        return
    for assertion in file.assertions:
        one = Place(place.path, assertion.name)
        if place.name in ("", assertion.name) and (keep is None or keep(one.id)):
            yield _timed(one, partial(assertion_trial, file, assertion, tools))


def _timed(place: Place, work: Callable[[], Trial]) -> Ran:
    began = time.perf_counter()
    try:
        found = work()
    except OrchestratorError as error:
        found = _not_run(place.name, place.path if is_routine(place.path) else place.id, error)
    return Ran(place, found, time.perf_counter() - began)


def _not_run(name: str, at: str, error: OrchestratorError) -> Trial:
    """Unknown tables, routines and functions are gaps of what is at hand; anything else is wrong in the test."""
    if isinstance(error, Unavailable | EngineError):
        return Trial(name, at, "engine", error.message, fix=error.fix or "")
    return Trial(name, error.at or at, "fixture" if isinstance(error, InvalidInput) else "error", error.message)


def _table_trial(place: Place, tools: Tools, strict: bool) -> Trial:
    model = _model(place.path, tools)
    files = model_files.cases(model).get(place.name)
    if files is None:
        raise InvalidInput("there is no such test", at=place.id)
    return trial(model, tools, place.name, files, strict)


def _model(folder: str, tools: Tools) -> Model:
    table = paths.table_of(folder)
    if table is None:
        raise InvalidInput("this is no folder of a table's tests", at=folder)
    return model_files.read_model(tools.catalog.text, tools.catalog.paths, table)


# --- -k


_WORD = re.compile(r"\s*(\(|\)|[^\s()]+)")


def keeper(expression: str) -> Keep:
    """Whether the id of a test fits an expression of words with `and`, `or`, `not` and brackets; a word fits when it is
    part of the id, in any case. Raises InvalidInput for a broken one."""
    words = _WORD.findall(expression)
    if not words:
        return lambda name: True
    reader = _Expression(words)
    try:
        keep = reader.any_of()
        reader.end()
    except _BrokenExpression:
        message = f"`-k {expression}` cannot be read"
        raise InvalidInput(message, fix="words with and, or, not and brackets") from None
    return keep


class _BrokenExpression(Exception):
    """Caught by `keeper`, which knows the whole of it."""


@dataclass(slots=True)
class _Expression:
    words: list[str]

    def end(self) -> None:
        if self.words:
            raise _BrokenExpression

    def any_of(self) -> Keep:
        parts = [self.all_of()]
        while self.words[:1] == ["or"]:
            self.words.pop(0)
            parts.append(self.all_of())
        return lambda name: any(part(name) for part in parts)

    def all_of(self) -> Keep:
        parts = [self.one()]
        while self.words[:1] == ["and"]:
            self.words.pop(0)
            parts.append(self.one())
        return lambda name: all(part(name) for part in parts)

    def one(self) -> Keep:
        if not self.words or self.words[0] in ("and", "or", ")"):
            raise _BrokenExpression
        word = self.words.pop(0)
        if word == "not":
            part = self.one()
            return lambda name: not part(name)
        if word == "(":
            part = self.any_of()
            if self.words[:1] != [")"]:
                raise _BrokenExpression
            self.words.pop(0)
            return part
        return lambda name: word.lower() in name.lower()
