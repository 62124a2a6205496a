"""An asset level that the table does not reach.

What it checks
    The label `level` is gold, silver or bronze, and the table has what that level demands. Bronze: a description.
    Silver: also a SQL test, a DAG, freshness and volume in bigconfig.yml, and 70 % of the fields described. Gold: all
    fields described, and change control.
Why
    A level is a promise to readers, which that repository holds its tables to.
Example
    labels: {level: gold} without bigconfig.yml.
Repair
    Add what is missing, or label it with the level it has.
"""

from __future__ import annotations

from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import own_files, paths, schema_yaml
from etl_orchestrator.layout.metadata_yaml import Metadata
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.table import Schema, walk
from etl_orchestrator.tools import Tools

_BRONZE = ("a description",)
_SILVER = (*_BRONZE, "a SQL test", "a DAG", "freshness and volume in bigconfig.yml", "70 % of the fields described")
_GOLD = (*_SILVER, "every field described", "change control")
_LEVELS = {"bronze": _BRONZE, "silver": _SILVER, "gold": _GOLD}
#: What is demanded of tables with a query.sql only.
_OF_QUERIES = frozenset({"a SQL test", "a DAG", "freshness and volume in bigconfig.yml"})


def check(model: Model, tools: Tools) -> Verdict:
    metadata = own_files.readable_metadata(model)
    if isinstance(metadata, NotDue):
        return metadata
    level = metadata.labels.get("level")
    if level is None:
        return NotDue("the table has no level")
    path = paths.metadata_yaml(model.table)
    line = own_files.line_of(model.text(path) or "", "level")
    at = f"{path}:{line}" if line else path
    if level not in _LEVELS:
        return verdict([found(GATE, f"`{level}` is no level", at, "write gold, silver or bronze")], "")
    schema = own_files.readable_schema(model, tools.catalog)
    if isinstance(schema, NotDue):
        return schema
    reached = _reached(model, metadata, schema)
    demanded = [
        one for one in _LEVELS[str(level)] if one not in _OF_QUERIES or model.artifact(paths.query_sql(model.table))
    ]
    missing = [one for one in demanded if one not in reached]
    fix = "add it, or label the level that is reached"
    findings = [found(GATE, f"{level} demands {one}", at, fix) for one in missing]
    return verdict(findings, f"{level}: {', '.join(demanded)}")


def _reached(model: Model, metadata: Metadata, schema: Schema) -> set[str]:
    """What the table has; a planned file counts as there, since it is made in a later room, and another gate sees to it."""
    fields = len(walk(schema))
    planned = model.plan.files if model.plan else ()
    described = 1 - len(schema_yaml.undescribed(schema)) / fields if fields else 0.0
    words = (model.text(paths.bigconfig_yml(model.table)) or "").lower()
    folder = f"{paths.tests_folder(model.table)}/test_"
    facts = {
        "a description": bool((metadata.description or "").strip()),
        "a SQL test": any(artifact.path.startswith(folder) for artifact in model.artifacts)
        or f"{paths.tests_folder(model.table)}/" in planned,
        "a DAG": bool(metadata.dag),
        "freshness and volume in bigconfig.yml": ("freshness" in words and "volume" in words)
        or (not words and paths.bigconfig_yml(model.table) in planned),
        "70 % of the fields described": described >= 0.7,
        "every field described": described == 1,
        "change control": "change_controlled" in metadata.labels,
    }
    return {one for one, is_so in facts.items() if is_so}


GATE = Gate("MET026", "unearned_level", "requirements", check)
