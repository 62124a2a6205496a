"""Functions that are supplied or written in JavaScript, as the catalog of a run wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from etl_orchestrator.engines.googlesql.computed import Computed
from etl_orchestrator.engines.googlesql.javascript import JavaScript
from etl_orchestrator.engines.googlesql.protocol import (
    FunctionArgumentTypeProto,
    FunctionEnums,
    FunctionProto,
    FunctionSignatureProto,
    SignatureArgumentKind,
)
from etl_orchestrator.engines.googlesql.routines import Known
from etl_orchestrator.engines.googlesql.supplied import LACKS, PREFIX, Template
from etl_orchestrator.engines.googlesql.types import field_of, parse_type, type_name, type_of
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.table import Field


def template_of(name: str, function: Computed, table: str) -> Template:
    """A computed function that looks up the table of what is known of it."""
    arguments = tuple((argument.name, argument.type) for argument in function.arguments)
    return Template(name, arguments, function.body(table))


def function_of(template: Template) -> Any:
    """A template as a function of the catalog."""
    anything = FunctionArgumentTypeProto(kind=SignatureArgumentKind.ARG_TYPE_ARBITRARY, num_occurrences=-1)
    signature = FunctionSignatureProto(return_type=anything)
    for name, given in template.arguments:
        argument = signature.argument.add()
        argument.CopyFrom(anything)
        if given:
            argument.kind = SignatureArgumentKind.ARG_TYPE_FIXED
            argument.type.CopyFrom(type_of(parse_type(name, given)))
        argument.options.argument_name = name
        argument.options.is_not_aggregate = name in template.constant
    proto = FunctionProto(
        name_path=[PREFIX + template.name],
        group="Templated_SQL_Function",
        mode=FunctionEnums.AGGREGATE if template.aggregate else FunctionEnums.SCALAR,
        signature=[signature],
        templated_sql_function_argument_name=[name for name, _ in template.arguments],
    )
    proto.parse_resume_location.input = template.body
    return proto


def javascript_of(known: Known) -> Computed:
    """Raises Unsupported for a function that cannot be run here."""
    if known.language != "JS":
        raise Unsupported(f"{LACKS}{known.language} functions, as {known.name}", fix="run this query in BigQuery")
    if known.aggregate:
        raise Unsupported(f"{LACKS}aggregate JavaScript functions, as {known.name}", fix="run this query in BigQuery")
    if known.libraries:
        raise Unsupported(
            f"the JavaScript function {known.name} needs {', '.join(known.libraries)}, which is not here",
            fix="run this query in BigQuery",
        )
    given = zip(known.arguments, known.signature.argument, strict=True)
    arguments = tuple(field_of(name, argument.type) for name, argument in given)
    function = JavaScript(known.name, arguments, field_of("result", known.signature.return_type.type), known.body)
    return Computed(known.name, function.arguments, function.result, function)


def stub_of(known: Known) -> Known:
    """A function over a model, which says of itself that it is a stub where it gives text, and is NULL or empty elsewhere."""
    label = f"stub: {known.path[0]}.{known.path[-1].split()[0]} is not run here"
    names = tuple(argument.options.argument_name for argument in known.signature.argument)
    return replace(
        known, language="SQL", arguments=names, body=_stub(field_of("answer", known.signature.return_type.type), label)
    )


def _stub(column: Field, label: str) -> str:
    if column.mode == "REPEATED" or column.type not in ("RECORD", "STRING"):
        return f"CAST(NULL AS {type_name(column)})"
    if column.type == "STRING":
        return f"'{label}'"
    return f"STRUCT({', '.join(f'{_stub(part, label)} AS `{part.name}`' for part in column.fields)})"
