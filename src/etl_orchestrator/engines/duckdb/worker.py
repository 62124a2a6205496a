"""The child process: reads pickled `Job`s, answers with pickled `Answer`s, keeps nothing between them. Its parent kills it
when it takes too long."""

from __future__ import annotations

import pickle
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from etl_orchestrator.engines.duckdb.dialect import DIVIDE
from etl_orchestrator.engines.duckdb.types import OutOfRange, field_of, readable, spelled, value_of
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.table import Schema
from etl_orchestrator.tools import Value

#: Set once, then locked: no files, no network, no extensions, so that a query reaches nothing but its own tables.
_SETTINGS = (
    "SET TimeZone = 'UTC'", "SET threads = 1", "SET enable_external_access = false", "SET autoload_known_extensions = false",
    "SET autoinstall_known_extensions = false",
    f"CREATE MACRO {DIVIDE}(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a / b END",
    "SET lock_configuration = true",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A translated query, its tables by their name there, and the values of its parameters."""

    sql: str
    tables: Mapping[str, tuple[Schema, Sequence[Mapping[str, Value]]]]
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows; or a `problem` of the query on its data; or why DuckDB has not run it (`refused`)."""

    columns: Schema = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    problem: str = ""
    refused: str = ""


def answer(connection: Any, job: Job) -> Answer:
    """Tables made for the job are rolled back."""
    import duckdb

    connection.begin()
    try:
        _fill(connection, job)
        return _rows(connection, job)
    except Unsupported as error:
        return Answer(refused=error.message)
    except OutOfRange as error:
        return Answer(problem=str(error))
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as error:
        return Answer(problem=_first_line(error))
    except (duckdb.Error, MemoryError) as error:
        return Answer(refused=f"DuckDB cannot run the translated query: {_first_line(error)}")
    finally:
        connection.rollback()


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _fill(connection: Any, job: Job) -> None:
    for name, (schema, rows) in job.tables.items():
        columns = ", ".join(f'"{column.name}" {spelled(column)}' for column in schema)
        connection.execute(f"CREATE TABLE {name} ({columns})")
        marks = ", ".join("?" for _ in schema)
        for row in rows:
            connection.execute(f"INSERT INTO {name} VALUES ({marks})", [row.get(column.name) for column in schema])


def _rows(connection: Any, job: Job) -> Answer:
    relation = connection.sql(job.sql, params=dict(job.parameters) or None)
    if relation is None:
        raise Unsupported("DuckDB gives no rows for the translated query")
    columns = tuple(field_of(name, kind) for name, kind in zip(relation.columns, relation.types, strict=True))
    quoted = ['"' + name.replace('"', '""') + '"' for name in relation.columns]
    read = relation.project(", ".join(map(readable, quoted, relation.types)))
    rows = tuple(tuple(map(value_of, columns, row)) for row in read.fetchall())
    return Answer(columns, rows)


def opened(megabytes: int) -> Any:
    """A database in memory that can be used for jobs and for nothing else; it spills nothing to files."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": f"{megabytes}MB", "temp_directory": ""})
    for setting in _SETTINGS:
        connection.execute(setting)
    return connection


def serve(requests: BinaryIO, answers: BinaryIO, megabytes: int) -> None:
    """Until the parent closes its end; an empty answer first says that it is ready. Making a database costs more than most
    queries, so there is one for all."""
    connection = opened(megabytes)
    pickle.dump(Answer(), answers)
    answers.flush()
    while True:
        try:
            job = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(answer(connection, job), answers)
        answers.flush()


def main(megabytes: int) -> None:
    """What the child process runs."""
    # DuckDB's own limit is what it allocates; the process may reserve more (libraries, stacks), and not without end.
    resource.setrlimit(resource.RLIMIT_AS, ((megabytes + 1536) << 20, (megabytes + 1536) << 20))
    serve(sys.stdin.buffer, sys.stdout.buffer, megabytes)
