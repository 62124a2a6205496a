"""The Markdown form of the requirements: text to `Request`.

Every heading has a reader that takes what it understands. The rest becomes `Prose`: kept for the author, shown by the
check. A text that an element needs and no rule can read is kept under the name of the element with `UNCLEAR` behind it
and becomes a question.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import headings, markdown_tables, sql_block
from etl_orchestrator.intake.grain import recognised
from etl_orchestrator.intake.markdown_draft import UNCLEAR, Draft
from etl_orchestrator.intake.markdown_sections import READERS
from etl_orchestrator.intake.markdown_text import Block, Section, sections
from etl_orchestrator.requirements import Body, Prose, Request, Source, Step

#: Sections below which further headings are content, not elements.
_OPEN = ("logic", "examples", "kept")


@dataclass(slots=True)
class _Titled:
    """A section with what its heading stands for."""

    kind: str
    section: Section
    blocks: list[Block] = field(default_factory=list)


def read_markdown(text: str, origin: str, digest: str, project: str) -> Request:
    """The request that a Markdown text makes. Raises InvalidInput for unknown headings and what is malformed or unsafe."""
    draft = Draft(origin, project)
    found = sections(text, origin)
    if not any(section.title or section.blocks for section in found):
        raise InvalidInput("the file is empty", at=f"{origin}:1")
    titled = _titled(found, origin)
    for one in titled:
        if one.kind in ("title", "kept"):
            continue
        draft.lines.setdefault(one.kind, one.section.line)
    # The sources come first: blocks of SQL and join keys refer to them.
    for one in sorted(titled, key=lambda one: one.kind not in ("title", "sources", "schemas")):
        READERS[one.kind](draft, one.section.title, one.blocks)
    return _request(draft, digest)


def _titled(found: list[Section], origin: str) -> list[_Titled]:
    titled: list[_Titled] = []
    for number, section in enumerate(found):
        kind = headings.kind_of(section.title)
        around = titled[-1] if titled else None
        if section.level == 0:
            kind = "title"
        elif kind is None and section.level == 7:
            words = Block("label", section.title, section.line)
            if around is not None:
                around.blocks += [words, *section.blocks]
            continue
        elif kind is None and not any(one.level for one in found[:number]):
            kind = "title"
        elif kind is None and around is not None and _is_content(titled, section):
            around.blocks += [Block("heading", section.title, section.line), *section.blocks]
            continue
        elif kind is None:
            raise headings.unknown(section.title, f"{origin}:{section.line}")
        titled.append(_Titled(kind, section, list(section.blocks)))
    return titled


def _is_content(titled: list[_Titled], section: Section) -> bool:
    """Whether an unknown heading stands below one whose content is free."""
    above = next((one for one in reversed(titled) if one.section.level < section.level), None)
    return above is not None and above.kind in _OPEN


def _request(draft: Draft, digest: str) -> Request:
    partitioning = draft.partitioning
    if partitioning is not None and draft.retention and partitioning.expiration_days is None:
        partitioning = replace(partitioning, expiration_days=draft.retention)
    sources = markdown_tables.named(draft)
    steps, body_sources = _steps(draft, sources)
    body = Body(
        sources=body_sources,
        columns=tuple(draft.columns.values()),
        where=_all_of(draft.conditions["where"]),
        distinct=draft.distinct,
        having=_all_of(draft.conditions["having"]),
        qualify=_all_of(draft.conditions["qualify"]),
    )
    return Request(
        origin=draft.origin,
        digest=digest,
        table=draft.table,
        friendly_name=draft.friendly_name,
        description=draft.description,
        grain=draft.grain,
        body=body,
        steps=steps,
        query=draft.query,
        python=draft.python,
        partitioning=partitioning,
        clustering=tuple(draft.clustering),
        schedule=draft.schedule,
        owners=tuple(dict.fromkeys(draft.owners)),
        tier=draft.tier,
        consumers=tuple(dict.fromkeys(draft.consumers)),
        monitoring=draft.monitoring,
        labels=draft.labels,
        examples=tuple(draft.examples),
        parameters=tuple(draft.parameters),
        refuse_when=tuple(draft.refuse_when),
        prose=tuple(sorted(_settled(draft), key=lambda prose: prose.line)),
        lines=draft.lines,
        project=draft.project,
    )


def _settled(draft: Draft) -> list[Prose]:
    """The prose; a grain that is said twice in other words but means the same columns is clear after all."""
    names = list(draft.columns)
    said = draft.grain if isinstance(draft.grain, str) else " ".join(draft.grain or ())
    keys = set(recognised(said, names))
    return [
        replace(prose, where="Grain")
        if prose.where == f"grain{UNCLEAR}" and keys and set(recognised(prose.text, names)) == keys
        else prose
        for prose in draft.prose
    ]


def _steps(draft: Draft, sources: tuple[Source, ...]) -> tuple[tuple[Step, ...], tuple[Source, ...]]:
    """The steps of the blocks of SQL, and the sources of the field table: the last block, and what none of them reads."""
    if not draft.blocks:
        return (), sources
    pool = sql_block.Pool({source.alias: source for source in sources}, frozenset(), draft.project)
    made: list[Step] = []
    for number, (name, text, at) in enumerate(draft.blocks, 1):
        for step in sql_block.steps(text, name or f"logic_{number}", pool, at):
            if step.name in pool.steps:
                raise InvalidInput(f"two steps are called `{step.name}`", at=at, fix="rename one of them")
            made.append(step)
            pool = replace(pool, steps=pool.steps | {step.name})
            draft.lines[f"steps.{step.name}"] = int(at.rsplit(":", 1)[-1])
    last = made[-1].name
    arrays = {text for step in made for source in step.body.sources for text in (source.alias, source.unnest)}
    unread = [
        source
        for source in sources
        if source.alias not in pool.read and not (source.unnest and arrays & {source.alias, source.unnest})
    ]
    return tuple(made), (Source(last, last), *unread)


def _all_of(conditions: list[str]) -> str | None:
    """All conditions in one."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return " AND ".join(f"({condition})" for condition in conditions)
