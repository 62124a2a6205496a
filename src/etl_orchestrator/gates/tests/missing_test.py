"""A query without a SQL test.

What it checks
    A model with a query.sql has at least one test folder with an expect.yaml under tests/sql/.
Why
    A query that nothing tests is believed, not known.
Example
    sql/…/daily_orders_v1/query.sql stands there and tests/sql/…/daily_orders_v1/ is empty.
Repair
    Add an example to the requirements, or build the tests: etl-orchestrator build. For a hand-made table write
    tests/sql/…/test_<name>/ with a fixture per source and expect.yaml.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import model_files, paths
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.proving.fixtures import blocking
from etl_orchestrator.proving.growth import MOST
from etl_orchestrator.proving.trial import schema_of
from etl_orchestrator.tools import Tools


def check(model: Model, tools: Tools) -> Verdict:
    query = paths.query_sql(model.table)
    if model.text(query) is None:
        return NotDue("the model has no query.sql")
    tests = [
        name for name, files in model_files.cases(model).items() if any(file.startswith("expect.") for file in files)
    ]
    folder = paths.tests_folder(model.table)
    if tests:
        return verdict([], f"{len(tests)} tests: {', '.join(tests)}")
    if conditions := _blocking(model, tools):
        named = " and ".join(f"`{condition}`" for condition in conditions)
        message = f"no test can be made: {named} of `refuse_when` holds on every {MOST} rows or fewer that were tried"
        fix = "give the number as a parameter (`@minimum`, under `parameters`): its tests run with a small one"
        return verdict([found(GATE, message, folder, fix, "requirements")], "")
    fix = f"write {folder}/test_<name>/ with a fixture for each source and expect.yaml"
    return verdict([found(GATE, "no SQL test stands behind the query", folder, fix)], "")


def _blocking(model: Model, tools: Tools) -> tuple[str, ...]:
    if model.requirements is None:
        return ()
    schemas = {table: schema_of(table, model, tools) or () for table in model.requirements.sources}
    return blocking(model.requirements, schemas)


GATE = Gate("TST001", "missing_test", "tests", check)
