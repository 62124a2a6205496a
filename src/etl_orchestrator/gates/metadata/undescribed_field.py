"""A field that nobody described.

What it checks
    Every field of schema.yaml, parts of RECORDs included, has a description of at least one word.
Why
    The person who finds the table in two years has only these words. That repository refuses undescribed fields of new
    tables (`require_column_descriptions`) and of tables of the levels silver and gold.
Example
    - name: n_orders
      type: INTEGER
      mode: NULLABLE
Repair
    Write `description:` under the field, or let it be found: etl-orchestrator schema sql/…/daily_orders_v1 --write --describe
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths, schema_yaml
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import walk
from etl_orchestrator.tools import Tools

_SHOWN = 5


def check(model: Model, tools: Tools) -> Verdict:
    schema = own_files.readable_schema(model, tools.catalog)
    if isinstance(schema, NotDue):
        return schema
    count = len(walk(schema))
    bare = schema_yaml.undescribed(schema)
    if not bare:
        return verdict([], f"{count} fields, all described")
    path = paths.schema_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", bare[0].rpartition(".")[2])
    named = ", ".join(f"`{name}`" for name in bare[:_SHOWN])
    more = f" and {len(bare) - _SHOWN} more" if len(bare) > _SHOWN else ""
    message = f"{len(bare)} of {count} fields have no description: {named}{more}"
    fix = "write a description under each, in the requirements (`columns:`) where there are any"
    return verdict([found(GATE, message, f"{path}:{line}" if line else path, fix)], "")


GATE = Gate("MET003", "undescribed_field", "metadata", check)
