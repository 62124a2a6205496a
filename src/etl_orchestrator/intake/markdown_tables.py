"""The tables of the Markdown form: sources, fields, parameters, owners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake import elements, headings, phrases
from etl_orchestrator.intake.markdown_draft import Draft, code, condition_in, words
from etl_orchestrator.intake.markdown_text import Block
from etl_orchestrator.requirements import Column, Source

_NOTHING = re.compile(r"(?:-+|–|—|none|n/?a|no|nothing)?\.?\Z", re.IGNORECASE)
_ARRAY = re.compile(r"UNNEST\s*\((.+)\)(?:\s+(?:AS\s+)?([A-Za-z_]\w*))?\Z", re.IGNORECASE | re.DOTALL)
_KIND = re.compile(
    r"\s*(inner|left|right|full|cross)?(?:\s+outer)?(?:\s+join)?\b\s*(?:on|using|by)?\b\s*[:,]?\s*", re.IGNORECASE
)
#: Words that say that the source's own column is meant.
_COPIED = re.compile(
    r"(?:as is|as-is|copied|copy|direct(?:ly)?|pass(?:ed)?[ -]?through|same|unchanged|from source)\.?\Z", re.IGNORECASE
)


def _rows(block: Block, synonyms: dict[str, str]) -> Iterator[tuple[dict[str, str], dict[str, str], int]]:
    """Each row as the cells by what they stand for, the cells of further columns, and the line."""
    kinds = headings.columns_of(block.rows[0].cells, synonyms)
    for row in block.rows[1:]:
        filled = [*row.cells, *[""] * (len(kinds) - len(row.cells))]
        known: dict[str, str] = {}
        further: dict[str, str] = {}
        for kind, title, cell in zip(kinds, block.rows[0].cells, filled, strict=False):
            if _NOTHING.match(cell) or phrases.is_placeholder(cell):
                continue
            (known if kind in synonyms and kind not in known else further)[kind if kind in synonyms else title] = cell
        extra = filled[len(kinds) :]
        if any(cell.strip() for cell in extra):
            further["further cells"] = " | ".join(extra)
        yield known, further, row.line


def sources(draft: Draft, title: str, blocks: list[Block]) -> None:
    """The table of sources, or a list of them (`table` - why)."""
    for block in blocks:
        if block.kind != "table":
            continue
        if "table" not in headings.columns_of(block.rows[0].cells, headings.SOURCE_HEADERS):
            raise InvalidInput("the table of sources has no column `Table`", at=draft.at(block.line))
        for known, further, line in _rows(block, headings.SOURCE_HEADERS):
            _source(draft, known, further, line)
    for text, line in words(blocks):
        _listed_source(draft, title, text, line)
    for block in blocks:
        if block.kind == "fence":
            draft.keep(title, block.text, block.line)


def _source(draft: Draft, known: dict[str, str], further: dict[str, str], line: int) -> None:
    at = draft.at(line)
    name = known.get("table", "").replace("`", "").strip()
    if not name:
        if known or further:
            draft.keep("Source data", " | ".join([*known.values(), *further.values()]), line)
        return
    number = len(draft.sources)
    draft.lines[f"sources.{number}"] = line
    notes = [known.get("notes", ""), *(f"{title}: {cell}" for title, cell in further.items())]
    array = _ARRAY.match(name)
    alias = known.get("alias") or (array[2] if array else None)
    source = Source(
        alias=elements.name(alias, "alias", at) if alias else "",
        table=None if array else elements.table_or_step(name, draft.project, at),
        unnest=elements.expression(array[1], at) if array else None,
        filter=_filter(draft, known.get("filter"), number, line),
        matches=elements.matches(known.get("matches"), at),
        notes="; ".join(note for note in notes if note) or None,
    )
    if not alias:
        draft.unnamed.add(number)
    draft.sources.append(_joined(draft, source, known, line))


def _filter(draft: Draft, cell: str | None, number: int, line: int) -> str | None:
    if cell is None:
        return None
    found = condition_in(cell)
    if found is None:
        draft.unclear(f"sources.{number}.filter", cell, line)
    return elements.expression(found, draft.at(line))


def _joined(draft: Draft, source: Source, known: dict[str, str], line: int) -> Source:
    """The source with the kind and condition of its join; beside the first source they are what it offers to join on."""
    at, number = draft.at(line), len(draft.sources)
    cell = (known.get("on") or "").strip()
    inner = code(cell)
    bare = inner if inner is not None else cell.replace("`", "")
    begin = _KIND.match(bare)
    kind = known.get("join") or (begin[1] if begin else None)
    keys = bare[begin.end() :] if begin else bare
    if number == 0:
        draft.first_keys = keys if elements.key_names(keys) else None
        if cell and not draft.first_keys:
            return replace(source, notes="; ".join(filter(None, (source.notes, f"join keys: {cell}"))))
        return source
    join = elements.join(kind.replace("`", ""), at) if kind else None
    if not keys:
        return replace(source, join=join)
    if elements.key_names(keys) or inner is not None or condition_in(keys) is not None:
        return replace(source, join=join, on=elements.on(keys, at))
    draft.unclear(f"sources.{number}.on", cell, line)
    return replace(source, join=join)


def _listed_source(draft: Draft, title: str, text: str, line: int) -> None:
    """`table` - why it is needed. In a second list, only a table that the first did not name is news."""
    found = re.match(r"`?((?:[\w-]+\.){1,2}\w+\*?)`?\s*(?:[-–—:(]\s*(.*?)\)?)?\Z", text.strip())
    if not found or phrases.is_placeholder(text):
        draft.keep(title, text, line)
        return
    full = str(elements.table(found[1], draft.project, draft.at(line)))
    same = [number for number, source in enumerate(draft.sources) if source.table == full]
    for number in same:
        source = draft.sources[number]
        if found[2] and found[2] not in (source.notes or ""):
            draft.sources[number] = replace(source, notes="; ".join(filter(None, (source.notes, found[2]))))
    if same:
        return
    if draft.sources and "Source list" not in draft.lines:
        draft.unclear(
            "sources", f"`{found[1]}` stands in the list below `{title}` and not in the table of sources", line
        )
        return
    draft.lines["Source list"] = line
    draft.lines[f"sources.{len(draft.sources)}"] = line
    draft.unnamed.add(len(draft.sources))
    draft.sources.append(Source("", full, notes=found[2] or None))


def named(draft: Draft) -> tuple[Source, ...]:
    """The sources with aliases and schemas. Without an alias it is the table's name, without its version unless the
    expressions use the whole name."""
    conditions = [text for texts in draft.conditions.values() for text in texts]
    texts = [column.expression or "" for column in draft.columns.values()] + conditions
    for source in draft.sources:
        texts += [source.filter or "", source.on or "", source.unnest or ""]
    texts += [block[1] for block in draft.blocks]
    spoken = "\n".join(texts)
    found: list[Source] = []
    for number, source in enumerate(draft.sources):
        if number in draft.unnamed:
            whole = (source.table or "array").rsplit(".", 1)[-1]
            used = re.search(rf"(?<![\w.`]){re.escape(whole)}`?\s*\.", spoken)
            source = replace(source, alias=whole if used else elements.default_alias(whole))
        if (
            number
            and source.on is None
            and source.join not in (None, "CROSS")
            and draft.first_keys
            and not source.unnest
        ):
            source = replace(source, on=draft.first_keys)
        if source.table in draft.schemas:
            source = replace(source, schema=draft.schemas[source.table][0])
        found.append(source)
    for table, (_, at) in draft.schemas.items():
        if table not in {source.table for source in found}:
            tables = [source.table for source in found if source.table]
            raise InvalidInput(
                f"a schema is given for `{table}`, which is no source", at=at, fix=elements.suggestion(table, tables)
            )
    return tuple(found)


def columns(draft: Draft, title: str, blocks: list[Block]) -> None:
    """The table of fields; a list of names is accepted too."""
    for block in blocks:
        if block.kind != "table":
            continue
        if "name" not in headings.columns_of(block.rows[0].cells, headings.COLUMN_HEADERS):
            raise InvalidInput("the table of fields has no column `Field`", at=draft.at(block.line))
        for known, further, line in _rows(block, headings.COLUMN_HEADERS):
            _column(draft, known, further, line)
    for text, line in words(blocks):
        item = re.match(r"`(\w+)`\s*(?:[-–—:]\s*(.*))?\Z", text)
        if item and title and not any(block.kind == "table" for block in blocks):
            _column(draft, {"name": item[1], **({"expression": item[2]} if item[2] else {})}, {}, line)
        else:
            draft.keep(title, text, line)


def _column(draft: Draft, known: dict[str, str], further: dict[str, str], line: int) -> None:
    at = draft.at(line)
    path = known.get("name", "").replace("`", "").strip()
    if not path:
        if known or further:
            draft.keep("Field summary", " | ".join([*known.values(), *further.values()]), line)
        return
    logic = known.get("expression", "")
    expression = elements.expression(code(logic), at)
    notes = [logic] if logic and expression is None and not _COPIED.match(logic.strip()) else []
    notes += [f"{header}: {cell}" for header, cell in further.items()]
    name, _, part = path.partition(".")
    if part:
        _part(draft, name, part, known, at)
        return
    column = Column(
        elements.name(name, "column", at), expression, known.get("description"), notes="; ".join(notes) or None
    )
    column = elements.typed(column, known.get("type", "").replace("`", "") or None, known.get("mode"), at)
    key = name
    while key in draft.columns:  # two columns of one name are a question, not a mistake in form
        key += "'"
    draft.lines[f"columns.{name}"] = line
    draft.columns[key] = column


def _part(draft: Draft, name: str, part: str, known: dict[str, str], at: str) -> None:
    """A row of a nested column: `address.city` describes a part of `address`."""
    if name not in draft.columns:
        raise InvalidInput(
            f"`{name}.{part}` is a part of a field that stands nowhere above", at=at, fix=f"add a row for `{name}`"
        )
    draft.columns[name] = _with_part(draft.columns[name], part.split("."), known, at)


def _with_part(column: Column, path: list[str], known: dict[str, str], at: str) -> Column:
    bare = elements.name(path[0], "column", at)
    old = next((one for one in column.fields if one.name == bare), None)
    if len(path) > 1:
        new = _with_part(old or Column(bare), path[1:], known, at)
    else:
        new = elements.typed(
            Column(bare, description=known.get("description")), known.get("type"), known.get("mode"), at
        )
    if old is None:
        return replace(column, fields=(*column.fields, new))
    return replace(column, fields=tuple(new if one.name == bare else one for one in column.fields))


def derived(draft: Draft, title: str, blocks: list[Block]) -> None:
    """Further words on fields that the table of fields may have: `field` - how it is computed."""
    for text, line in words(blocks):
        item = re.match(r"`(\w+)`\s*[-–—:]\s*(.+)\Z", text)
        if not item or phrases.is_placeholder(item[2]):
            draft.keep(title, text if not item or not phrases.is_placeholder(item[2]) else "", line)
            continue
        name, logic = item[1], item[2]
        expression = elements.expression(code(logic), draft.at(line))
        old = draft.columns.get(name)
        if old is None:
            draft.lines[f"columns.{name}"] = line
            draft.columns[name] = Column(name, expression, notes=None if expression else logic)
        elif expression is None:
            draft.columns[name] = replace(old, notes="; ".join(filter(None, (old.notes, logic))))
        elif old.expression is None:
            draft.columns[name] = replace(old, expression=expression)
        elif " ".join(old.expression.split()) != " ".join(expression.split()):
            draft.unclear(f"columns.{name}.expression", f"`{old.expression}` and `{expression}` are both given", line)


def parameters(draft: Draft, title: str, blocks: list[Block]) -> None:
    """The table of parameters."""
    for block in blocks:
        if block.kind != "table":
            continue
        for known, further, line in _rows(block, headings.PARAMETER_HEADERS):
            at = draft.at(line)
            lacking = [header for header in ("name", "type", "value") if header not in known]
            if lacking:
                raise InvalidInput(
                    f"a parameter has no {' and no '.join(lacking)}", at=at, fix="fill in Name, Type and Value"
                )
            bare = {header: cell.replace("`", "") for header, cell in known.items()}
            draft.parameters.append(elements.parameter(bare["name"], bare["type"], bare["value"], at))
            for header, cell in further.items():
                draft.keep(title, f"{bare['name']}: {header}: {cell}", line)
    for text, line in words(blocks):
        draft.keep(title, text, line)
