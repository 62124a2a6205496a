"""Every decision before the first line of SQL, each with its reason: what a person need not say is inferred here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from etl_orchestrator.layout import paths
from etl_orchestrator.monitors.tier_rule import monitoring_rule
from etl_orchestrator.plan import Decision, Plan, PlannedSource
from etl_orchestrator.requirements import Body, Requirements
from etl_orchestrator.skills.bigquery_etl_core.dag_ranking import frequency_of, rank_dags
from etl_orchestrator.skills.bigquery_etl_core.habits import Kin, family, habit, kin
from etl_orchestrator.skills.bigquery_etl_core.storage import clustering_of, partition_of, refresh_of
from etl_orchestrator.sql.expressions import is_aggregate
from etl_orchestrator.tools import Catalog, Dag, Tools

#: Columns that stand for one person's device or account: with one of them in the grain a table is client_level.
_CLIENT_KEYS = frozenset({"client_id", "profile_group_id", "fxa_uid", "fxa_id", "user_id"})


def plan_of(requirements: Requirements, tools: Tools) -> Plan:
    """The plan of a table. Asks the catalog only; raises Unavailable when it cannot know its tables or DAGs."""
    table, request = requirements.table, requirements.request
    groups = kin(table, tools.catalog.tables())
    dags = {dag.name: dag for dag in tools.catalog.dags()}
    dag = _dag(requirements, tools.catalog)
    frequency = frequency_of(dags[dag.value].schedule) if dag.value in dags else (requirements.schedule.frequency or "")
    tier = _tier(requirements, dags.get(dag.value))
    labels = _labels(requirements, groups, frequency)
    partition, partitioning = partition_of(requirements, groups, frequency, labels.get("table_type") == "aggregate")
    monitoring = monitoring_rule(request.monitoring, tier.value, request.consumers)
    query_type = _query_type(requirements)
    return Plan(
        table=table,
        query_type=query_type,
        refresh=refresh_of(partition),
        dag=dag,
        tier=tier,
        owners=_owners(requirements, groups, dags.get(dag.value), tools.catalog),
        monitoring=monitoring,
        friendly_name=_friendly_name(requirements),
        partitioning=partitioning,
        clustering=clustering_of(requirements, groups),
        labels=labels,
        sources=tuple(_sources(requirements, tools.catalog)),
        files=_files(requirements, query_type.value == "query.py", monitoring.value == "yes"),
        partition=partition,
    )


def _query_type(requirements: Requirements) -> Decision:
    request = requirements.request
    if request.python:
        return Decision("query.py", request.python)
    if request.query:
        return Decision("adopted query.sql", f"a person wrote it: {request.query.origin}")
    return Decision("query.sql", "plain SQL is the rule; nothing asked for needs Python")


def _dag(requirements: Requirements, catalog: Catalog) -> Decision:
    schedule = requirements.schedule
    if schedule.none:
        return Decision("", f"not scheduled: {schedule.none}")
    if schedule.dag:
        return Decision(schedule.dag, "the requirements name it")
    request = replace(requirements.request, table=requirements.table, schedule=schedule)
    ranked = rank_dags(request, catalog)
    return (
        Decision(*ranked[0]) if ranked else Decision("", "no DAG of the repository fits what is said of the schedule")
    )


def _tier(requirements: Requirements, dag: Dag | None) -> Decision:
    if requirements.request.tier:
        return Decision(requirements.request.tier, "the requirements say so")
    if dag is None:
        return Decision("", "no DAG to take it from")
    return Decision(dag.tier, f"the tag of {dag.name}" if dag.tier else f"{dag.name} has no tier tag")


def _owners(requirements: Requirements, groups: tuple[Kin, ...], dag: Dag | None, catalog: Catalog) -> Decision:
    """Declared, or the owners most tables nearby have, or those of the DAG's tables, or the DAG's own."""
    if requirements.request.owners:
        return Decision(", ".join(requirements.request.owners), "the requirements name them")
    near = groups
    if dag is not None:
        inside = tuple(
            facts for facts in catalog.tables() if facts.dag == dag.name and facts.table != requirements.table
        )
        near = (*groups, Kin("dag", f"tables of {dag.name}", inside))
    found = habit(near, lambda facts: facts.owners or None)
    if found:
        return Decision(", ".join(found.value), f"{found.reason} are theirs")
    if dag is not None and dag.owner:
        return Decision(dag.owner, f"the owner of {dag.name}")
    return Decision("", "no table nearby and no DAG names any")


def _friendly_name(requirements: Requirements) -> Decision:
    if requirements.request.friendly_name:
        return Decision(requirements.request.friendly_name, "the requirements say so")
    words = family(requirements.table.name).split("_")
    return Decision(" ".join(word.capitalize() for word in words if word), "the table's name in words")


def _labels(requirements: Requirements, groups: tuple[Kin, ...], frequency: str) -> Mapping[str, str]:
    """Declared labels, and those which the repository's tables carry; a declared one always wins."""
    labels = {"incremental": "true" if requirements.partitioning.incremental else "false"}
    if frequency in {"hourly", "daily", "weekly", "monthly"}:
        labels["schedule"] = frequency
    near = groups[-1].tables if groups else ()
    kind = _table_type(requirements)
    if kind and (not near or 4 * sum("table_type" in facts.labels for facts in near) >= len(near)):
        labels["table_type"] = kind
    applications = Counter(facts.labels["application"] for facts in near if "application" in facts.labels)
    if applications:
        application, count = applications.most_common(1)[0]
        if count >= 2 and count >= 0.8 * sum(applications.values()):
            labels["application"] = application
    declared = {key: _label(value) for key, value in requirements.request.labels.items()}
    return {**labels, **declared}


def _label(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table_type(requirements: Requirements) -> str:
    """client_level, aggregate or "" (neither can be told from the requirements)."""
    columns = {column.name for column in requirements.body.columns}
    if _CLIENT_KEYS & ({*requirements.keys} or columns):
        return "client_level"
    grouped = any(
        column.expression and is_aggregate(column.expression)
        for body in _bodies(requirements)
        for column in body.columns
    )
    # A key that identifies something may identify a person: then it is for a person to say.
    telling = any(name.endswith("id") for name in requirements.keys) or bool(_CLIENT_KEYS & columns)
    # The label is a promise to keep the rows for good, which bigquery-etl's CI holds a table to.
    expires = requirements.partitioning.expiration_days is not None
    return "aggregate" if grouped and requirements.keys and not telling and not expires else ""


def _bodies(requirements: Requirements) -> Iterator[Body]:
    yield requirements.body
    for step in requirements.request.steps:
        yield step.body


def _sources(requirements: Requirements, catalog: Catalog) -> Iterator[PlannedSource]:
    for source in requirements.sources:
        if source == requirements.table:
            yield PlannedSource(source, "this table")
        elif str(source) in requirements.schemas:
            yield PlannedSource(source, "declared inline")
        else:
            known = catalog.schema(source)
            yield PlannedSource(source, known.origin if known else "unknown")


def _files(requirements: Requirements, python: bool, monitored: bool) -> tuple[str, ...]:
    table = requirements.table
    query = paths.query_py(table) if python else paths.query_sql(table)
    files = [query, paths.metadata_yaml(table), paths.schema_yaml(table)]
    if monitored:
        files.append(paths.bigconfig_yml(table))
    if not python:
        files.append(paths.tests_folder(table) + "/")
    return tuple(sorted(files))
