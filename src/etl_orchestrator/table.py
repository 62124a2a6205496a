"""Names and shapes of tables: the only place that splits a table name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from etl_orchestrator.errors import InvalidInput

# BigQuery: projects are letters, digits and dashes (a legacy domain part is not supported by bigquery-etl either);
# datasets and tables are letters, digits and underscores; a trailing * names a wildcard table. What a dataset or a
# region tells of itself is a table too, by a name of two parts: INFORMATION_SCHEMA.TABLES; of what a project tells, the
# first of the two stands in the place of the dataset.
_PROJECT = re.compile(r"[a-z][a-z0-9-]{2,62}[a-z0-9]\Z")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,300}\Z")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,299}\*?|\*)\Z")
_SCHEMA = "INFORMATION_SCHEMA"
_INFORMATION_SCHEMA = re.compile(r"INFORMATION_SCHEMA\.[A-Z_]{1,99}\Z", re.IGNORECASE)
_REGION = re.compile(r"region-[a-z0-9-]{1,60}\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class TableRef:
    """A table as `project.dataset.name`, every part checked, so that it is safe to build a path from."""

    project: str
    dataset: str
    name: str

    def __post_init__(self) -> None:
        if not _PROJECT.match(self.project):
            raise InvalidInput(
                f"`{self.project}` is not a project name", fix="use 4 to 64 lower-case letters, digits and dashes"
            )
        if not _DATASET.match(self.dataset) and not (self.is_information_schema and _REGION.match(self.dataset)):
            raise InvalidInput(f"`{self.dataset}` is not a dataset name", fix="use letters, digits and underscores")
        if not _NAME.match(self.name) and not self.is_information_schema:
            raise InvalidInput(
                f"`{self.name}` is not a table name",
                fix="use letters, digits and underscores, not beginning with a digit",
            )

    @classmethod
    def parse(cls, text: str, project: str | None = None) -> TableRef:
        """`project.dataset.table`, or `dataset.table` with `project` supplied; backticks are accepted.

        Raises InvalidInput when a part is missing, superfluous or not a name (so `../x` never becomes a path).
        """
        parts = text.strip().replace("`", "").split(".")
        if len(parts) > 2 and parts[-2].upper() == _SCHEMA and not _is_project(parts[:-2]):
            parts[-2:] = [".".join(parts[-2:])]
        if len(parts) == 2 and project:
            parts = [project, *parts]
        if len(parts) != 3:
            raise InvalidInput(
                f"`{text}` is not a table name", fix="write it as project.dataset.table or dataset.table"
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.name}"

    @property
    def is_wildcard(self) -> bool:
        return self.name.endswith("*")

    @property
    def is_information_schema(self) -> bool:
        """Whether it tells about a dataset, region or project: a view that BigQuery defines, with no files anywhere."""
        return self.dataset.upper() == _SCHEMA or _INFORMATION_SCHEMA.match(self.name) is not None

    def covers(self, other: TableRef) -> bool:
        """Whether this is that table, or a wildcard that holds it."""
        return self == other or (self.is_wildcard and str(other).startswith(str(self)[:-1]))


def _is_project(parts: list[str]) -> bool:
    """Whether what stands before INFORMATION_SCHEMA can only be a project: a dataset has no dashes, a region begins so."""
    return len(parts) == 1 and not _DATASET.match(parts[0]) and not _REGION.match(parts[0])


#: The type names of schema.yaml files (BigQuery's legacy names), to which all others are translated.
LEGACY_TYPES = {
    "INT64": "INTEGER", "INT": "INTEGER", "SMALLINT": "INTEGER", "BIGINT": "INTEGER", "TINYINT": "INTEGER",
    "BYTEINT": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}  # fmt: skip
TYPES = frozenset(
    [
        "STRING",
        "BYTES",
        "INTEGER",
        "FLOAT",
        "BOOLEAN",
        "RECORD",
        "DATE",
        "DATETIME",
        "TIME",
        "TIMESTAMP",
        "NUMERIC",
        "BIGNUMERIC",
        "JSON",
        "GEOGRAPHY",
        "INTERVAL",
        "RANGE",
    ]
)
MODES = frozenset({"NULLABLE", "REQUIRED", "REPEATED"})


@dataclass(frozen=True, slots=True)
class Field:
    """One column or part of a RECORD. `type` is one of TYPES, `mode` one of MODES; order of `fields` matters."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str | None = None
    fields: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if self.type in TYPES and self.mode in MODES:
            return  # what is read back, thousands at a time
        legacy = self.type.upper()
        object.__setattr__(self, "type", LEGACY_TYPES.get(legacy, legacy))
        object.__setattr__(self, "mode", self.mode.upper())
        if self.type not in TYPES:
            raise InvalidInput(f"`{self.type}` of field `{self.name}` is not a BigQuery type")
        if self.mode not in MODES:
            raise InvalidInput(
                f"`{self.mode}` of field `{self.name}` is not a mode", fix="NULLABLE, REQUIRED or REPEATED"
            )


#: Columns of a table in order.
Schema = tuple[Field, ...]


def walk(schema: Schema, prefix: str = "") -> list[tuple[str, Field]]:
    """Every field with its dotted path, parents before children."""
    found: list[tuple[str, Field]] = []
    for field in schema:
        path = f"{prefix}{field.name}"
        found.append((path, field))
        found.extend(walk(field.fields, f"{path}."))
    return found


def packed(schema: Schema, described: bool = False) -> list[Any]:
    """Columns as JSON, without their descriptions if not `described`: every list of fields once, after those that its
    fields name by number, the columns last. Of a wide table thousands of fields have the same fields."""
    numbers: dict[tuple[Any, ...], int] = {}

    def number(fields: Schema) -> int:
        told = tuple(
            (
                field.name,
                field.type,
                field.mode,
                number(field.fields) if field.fields else None,
                *([field.description] if described else ()),
            )
            for field in fields
        )
        return numbers.setdefault(told, len(numbers))

    number(schema)
    return list(numbers)


def unpacked(parts: list[Any]) -> Schema:
    """The inverse of `packed`; equal lists of fields are one object."""
    made: list[Schema] = []
    for fields in parts:
        made.append(
            tuple(
                Field(name, kind, mode, described[0] if described else None, () if number is None else made[number])
                for name, kind, mode, number, *described in fields
            )
        )
    return made[-1] if made else ()
