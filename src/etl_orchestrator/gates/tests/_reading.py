"""What several gates of this room begin with: the tests of the model, run, and the examples they are to hold."""

from __future__ import annotations

from etl_orchestrator.finding import NotDue
from etl_orchestrator.layout import paths
from etl_orchestrator.layout.sql_test import SqlTest
from etl_orchestrator.layout.sql_test_compare import compare
from etl_orchestrator.model import Model
from etl_orchestrator.proving.example import ORDERED, source_of, test_of
from etl_orchestrator.proving.trial import Trial, schema_of, trials
from etl_orchestrator.requirements import Requirements
from etl_orchestrator.tools import Tools


def trials_of(model: Model, tools: Tools) -> tuple[Trial, ...] | NotDue:
    """Every SQL test as it ended; NotDue when there is no query or no test, which other gates tell."""
    if model.text(paths.query_sql(model.table)) is None:
        return NotDue("the model has no query.sql")
    return trials(model, tools) or NotDue("there are no tests (see missing_test)")


def examples_of(requirements: Requirements, model: Model, tools: Tools) -> list[SqlTest]:
    """The worked examples of the requirements in their order, typed as tests of this model."""
    schemas = {table: schema_of(table, model, tools) or () for table in requirements.sources}
    output = schema_of(model.table, model, tools) or ()
    return [test_of(example, requirements, schemas, output) for example in requirements.request.examples]


def is_run_by(example: SqlTest, test: SqlTest) -> bool:
    """Whether a test has the example's rows in and its rows out."""
    # The fixture of a wildcard has the name of one of its tables.
    tables = {source_of(table, example.tables): data for table, data in test.tables.items()}
    given = example.tables.keys() == tables.keys() and all(
        not compare(data.rows, tables[table].rows) for table, data in example.tables.items()
    )
    same_order = (ORDERED in example.labels) == (ORDERED in test.labels)
    return given and same_order and not compare(example.expect, test.expect)
