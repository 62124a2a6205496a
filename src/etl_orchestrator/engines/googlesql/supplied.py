"""Functions of BigQuery which the evaluator lacks or answers wrongly, supplied as SQL templates in their place.

A call is renamed in the text that is run, in bodies of routines too; the text that is analyzed keeps it. What cannot be
supplied exactly is refused by name, at once where the text shows it, else when the evaluator comes to it. Nothing is
approximate here: APPROX_* functions are exact, and an HLL++ sketch is the list of its distinct values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from etl_orchestrator.engines.googlesql.text import Edit
from etl_orchestrator.errors import Unsupported
from etl_orchestrator.sql.tokens import COMMENTS, Kind, Token, tokenize

#: Begins every error by which a template refuses; what it says is then a gap of this engine and no fault of the query.
LACKS = "the local engine lacks "
PREFIX = "supplied_"


@dataclass(frozen=True, slots=True)
class Template:
    """A function by its body. An argument's type is "" for any; the arguments in `constant` are not aggregated."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    body: str
    aggregate: bool = False
    constant: frozenset[str] = frozenset()


# --- dates and times as text

_ELEMENT = r"%(?:E[#*0-9]?[A-Za-z]|.)"
_ELEMENTS = re.compile(rf"{_ELEMENT}|%\Z", re.DOTALL)
_DOCUMENTED = (*"AaBbCcDdeFGgHhIJjklMmnPpQRSsTtUuVWwXxYyZz%", "Ez", "E4Y", "E*S", *(f"E{digit}S" for digit in range(7)))
#: Elements that the evaluator's C library drops together with all before them, or, in parsing, never matches.
_UNFORMATTED = frozenset({"%J", "%P", "%k", "%l"})
_UNPARSED = frozenset({"%F", "%k"})
#: Weeks and weekdays, which the evaluator does not parse; BigQuery does.
_NEVER_PARSED = frozenset({"%G", "%J", "%U", "%V", "%W", "%g", "%u", "%w"})
_KNOWN = frozenset(f"%{element}" for element in _DOCUMENTED)


def _format_body(function: str, value: str, zone: str, safe: str) -> str:
    """Formats element by element, those that are lacking from those that are not."""

    def formatted(element: str) -> str:
        return f"{safe}{function}({element}, {value}{zone})"

    hour, half = (f"LPAD(CAST(CAST({formatted(quoted)} AS INT64) AS STRING), 2)" for quoted in ("'%H'", "'%I'"))
    week, weekday = (f"CAST({formatted(quoted)} AS INT64)" for quoted in ("'%V'", "'%u'"))
    cases = [f"WHEN element NOT IN UNNEST({_sql_list(_KNOWN)}) AND STARTS_WITH(element, '%') THEN "
             f"ERROR(CONCAT('{LACKS}', element, ' in {function}'))"]  # fmt: skip
    if function != "FORMAT_DATE":
        cases.append(f"WHEN element = '%k' THEN {hour} WHEN element = '%l' THEN {half}")
        cases.append(f"WHEN element = '%P' THEN LOWER({formatted(chr(39) + '%p' + chr(39))})")
    if function != "FORMAT_TIME":
        cases.append(f"WHEN element = '%J' THEN FORMAT('%03d', ({week} - 1) * 7 + {weekday})")
    return (
        f"IF({value} IS NULL OR format IS NULL, NULL, (SELECT IFNULL(STRING_AGG(CASE {' '.join(cases)} "
        f"ELSE {formatted('element')} END, '' ORDER BY place), '') "
        rf"FROM UNNEST(REGEXP_EXTRACT_ALL(format, r'(?s){_ELEMENT}|%$|[^%]+')) AS element WITH OFFSET AS place))"
    )


def _sql_list(elements: Iterable[str]) -> str:
    return f"[{', '.join(repr(element) for element in sorted(elements))}]"


def _parse_format(function: str) -> str:
    """The format with the lacking elements in terms of others. A blank matches any number of blanks, as %k begins."""
    return (
        "IF(format IS NULL, NULL, (SELECT IFNULL(STRING_AGG(CASE WHEN element = '%F' THEN '%Y-%m-%d' "
        f"WHEN element = '%k' THEN ' %H' WHEN element IN UNNEST({_sql_list(_NEVER_PARSED)}) OR (STARTS_WITH(element, '%') "
        f"AND element NOT IN UNNEST({_sql_list(_KNOWN)})) THEN ERROR(CONCAT('{LACKS}', element, ' in {function}')) "
        "ELSE element END, '' ORDER BY place), '') "
        rf"FROM UNNEST(REGEXP_EXTRACT_ALL(format, r'(?s){_ELEMENT}|%$|[^%]+')) AS element WITH OFFSET AS place))"
    )


def _date_templates() -> list[Template]:
    found = []
    for kind in ("DATE", "DATETIME", "TIME", "TIMESTAMP"):
        for zoned in (False, True) if kind == "TIMESTAMP" else (False,):
            zone, last = (", zone", (("zone", "STRING"),)) if zoned else ("", ())
            ending = "_3" if zoned else ""
            for safe in ("", "SAFE."):
                name = f"{'safe_' if safe else ''}{{}}_{kind.lower()}{ending}"
                arguments = (("format", "STRING"), ("moment", kind), *last)
                body = _format_body(f"FORMAT_{kind}", "moment", zone, safe)
                found.append(Template(name.format("format"), arguments, body))
                arguments = (("format", "STRING"), ("written", "STRING"), *last)
                body = f"{safe}PARSE_{kind}({_parse_format(f'PARSE_{kind}')}, written{zone})"
                found.append(Template(name.format("parse"), arguments, body))
    return found


# --- aggregates

#: What a sketch that was made here begins with; one that was made elsewhere cannot be read here.
_SKETCH = "exact sketch of the local engine "
_QUANTILES = (
    "(SELECT ARRAY_AGG(inorder[OFFSET(GREATEST(DIV(ARRAY_LENGTH(inorder) * part + parts - 1, parts) - 1, 0))] ORDER BY part)"
    " FROM UNNEST(GENERATE_ARRAY(0, parts)) AS part WHERE ARRAY_LENGTH(inorder) > 0)"
)
_VALUES = (
    f"IF(sketch IS NULL, [], IF(STARTS_WITH(sketch, b'{_SKETCH}'), "
    f"JSON_VALUE_ARRAY(SAFE_CONVERT_BYTES_TO_STRING(SUBSTR(sketch, {len(_SKETCH) + 1}))), "
    f"ERROR('{LACKS}HLL_COUNT functions for sketches that BigQuery made')))"
)
_UNITED = (
    f"IF(found IS NULL, NULL, CONCAT(b'{_SKETCH}', CAST(TO_JSON_STRING(ARRAY("
    "SELECT DISTINCT value FROM UNNEST(found) AS value ORDER BY value)) AS BYTES)))"
)
_UNION = (
    "IF(sketches IS NULL, NULL, ARRAY(SELECT value FROM UNNEST(sketches) AS sketch, "
    f"UNNEST({PREFIX}sketched(sketch)) AS value))"
)
_JSON = "IF(value IS NULL, NULL, TO_JSON_STRING(value))"
_ANY, _COUNT = ("value", ""), ("top", "INT64")
_AGGREGATES = [
    # The evaluator takes the first row, BigQuery one whose value is no NULL.
    Template("any_value", (_ANY,), "ANY_VALUE(value HAVING MAX value IS NOT NULL)", True),
    Template("approx_count_distinct", (_ANY,), "COUNT(DISTINCT value)", True),
    Template("quantiles", (("inorder", ""), ("parts", "INT64")), _QUANTILES),
    Template("ascending", (("given", ""),), "ARRAY(SELECT each FROM UNNEST(given) AS each ORDER BY each)"),
    Template("approx_quantiles", (_ANY, ("parts", "INT64")),
             f"{PREFIX}quantiles({PREFIX}ascending(ARRAY_AGG(value IGNORE NULLS)), parts)", True, frozenset({"parts"})),
    Template("approx_quantiles_respect_nulls", (_ANY, ("parts", "INT64")),
             f"{PREFIX}quantiles({PREFIX}ascending(ARRAY_AGG(value)), parts)", True, frozenset({"parts"})),
    Template("top_count", (("given", ""), _COUNT),
             "ARRAY(SELECT AS STRUCT value, COUNT(*) AS `count` FROM UNNEST(given) AS value WITH OFFSET AS place"
             " GROUP BY value ORDER BY `count` DESC, MIN(place) LIMIT top)"),
    Template("approx_top_count", (_ANY, _COUNT), f"{PREFIX}top_count(ARRAY_AGG(value), top)", True, frozenset({"top"})),
    Template("top_sum", (("given", ""), _COUNT),
             "ARRAY(SELECT AS STRUCT each.value AS value, SUM(each.weight) AS `sum` FROM UNNEST(given) AS each WITH OFFSET AS place"
             " GROUP BY each.value ORDER BY `sum` DESC, MIN(place) LIMIT top)"),
    Template("approx_top_sum", (_ANY, ("weight", ""), _COUNT),
             f"{PREFIX}top_sum(ARRAY_AGG(STRUCT(value AS value, weight AS weight)), top)", True, frozenset({"top"})),
    Template("sketched", (("sketch", "BYTES"),), _VALUES),
    Template("sketch", (("found", "ARRAY<STRING>"),), _UNITED),
    Template("sketch_union", (("sketches", "ARRAY<BYTES>"),), _UNION),
    Template("hll_count_init", (_ANY,), f"{PREFIX}sketch(ARRAY_AGG(DISTINCT {_JSON} IGNORE NULLS))", True),
    Template("hll_count_init_2", (_ANY, ("precision", "INT64")),
             f"{PREFIX}sketch(ARRAY_AGG(DISTINCT {_JSON} IGNORE NULLS))", True, frozenset({"precision"})),
    Template("hll_count_merge_partial", (("sketch", "BYTES"),),
             f"{PREFIX}sketch({PREFIX}sketch_union(ARRAY_AGG(sketch IGNORE NULLS)))", True),
    Template("hll_count_merge", (("sketch", "BYTES"),),
             f"IFNULL({PREFIX}hll_count_extract({PREFIX}sketch({PREFIX}sketch_union("
             "ARRAY_AGG(sketch IGNORE NULLS)))), 0)", True),
    Template("hll_count_extract", (("sketch", "BYTES"),), f"ARRAY_LENGTH({PREFIX}sketched(sketch))"),
]  # fmt: skip

# --- text

_ASCII = r"^[\x00-\x7f]*$"
_TEXT = [
    Template("contains_substr", (_ANY, ("searched", "STRING")),
             f"STRPOS({PREFIX}caseless(CAST(value AS STRING)), {PREFIX}caseless(searched)) > 0"),
    Template("caseless", (("value", "STRING"),),
             f"IF(REGEXP_CONTAINS(value, r'{_ASCII}'), LOWER(value), {PREFIX}folded(value))"),
    Template("net_public_suffix", (("url", "STRING"),), f"{PREFIX}public_suffix(NET.HOST(url))"),
    Template("net_reg_domain", (("url", "STRING"),), f"{PREFIX}registered_domain(NET.HOST(url))"),
]  # fmt: skip

TEMPLATES = {template.name: template for template in (*_date_templates(), *_AGGREGATES, *_TEXT)}

#: Functions that are supplied wherever they are called, as templates or as functions of `native`.
_ALWAYS = {
    "ANY_VALUE": "any_value",
    "APPROX_COUNT_DISTINCT": "approx_count_distinct",
    "APPROX_QUANTILES": "approx_quantiles",
    "APPROX_TOP_COUNT": "approx_top_count",
    "APPROX_TOP_SUM": "approx_top_sum",
    "HLL_COUNT.INIT": "hll_count_init",
    "HLL_COUNT.MERGE": "hll_count_merge",
    "HLL_COUNT.MERGE_PARTIAL": "hll_count_merge_partial",
    "HLL_COUNT.EXTRACT": "hll_count_extract",
    "CONTAINS_SUBSTR": "contains_substr",
    "NET.PUBLIC_SUFFIX": "net_public_suffix",
    "NET.REG_DOMAIN": "net_reg_domain",
    "TO_BASE32": "to_base32",
    "FROM_BASE32": "from_base32",
}
#: Functions that trap or answer wrongly, and what to say of them.
_REFUSED = {
    "COLLATE": "COLLATE, whose orders are not in it",
    "SESSION_USER": "SESSION_USER, which tells who runs the query",
}
_NAME_OF_DAY = re.compile(r"DAY", re.IGNORECASE)
_DATE_FUNCTION = re.compile(r"(FORMAT|PARSE)_(DATE|DATETIME|TIME|TIMESTAMP)\Z")
_NAMESPACES = frozenset({"NET", "HLL_COUNT", "KEYS", "AEAD"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of GoogleSQL: tokens `first` to `opening`, the bracket; `name` in capitals without SAFE."""

    name: str
    safe: bool
    first: int
    opening: int


def builtin_calls(tokens: Sequence[Token]) -> list[Call]:
    """The calls of GoogleSQL's own functions, among them words that are none, as IN and OVER; comments left out before."""
    found = []
    for index, token in enumerate(tokens):
        if token.text != "(" or index == 0 or not _is_name(tokens[index - 1]):
            continue
        first, path = index - 1, [_word(tokens[index - 1])]
        while first >= 2 and tokens[first - 1].kind is Kind.DOT and _is_name(tokens[first - 2]):
            first -= 2
            path.insert(0, _word(tokens[first]))
        if first and tokens[first - 1].kind is Kind.DOT:
            continue
        safe = path[0] == "SAFE" and len(path) > 1
        path = path[safe:]
        if len(path) == 1 or (len(path) == 2 and path[0] in _NAMESPACES):
            found.append(Call(".".join(path), safe, first, index))
    return found


def supplied(sql: str) -> tuple[list[Edit], set[str]]:
    """What to change in a text so that it calls the templates, and the names of these.

    Raises Unsupported for a call that cannot be supplied.
    """
    tokens = [token for token in tokenize(sql) if token.kind not in COMMENTS]
    edits: list[Edit] = []
    used: set[str] = set()
    _refuse_names_of_days(tokens)
    for call in builtin_calls(tokens):
        if call.name in _REFUSED:
            raise Unsupported(f"{LACKS}{_REFUSED[call.name]}", fix="run this query in BigQuery")
        if call.name == "ANY_VALUE" and not _takes_first_row(tokens, call.opening):
            continue
        if call.name in _ALWAYS:
            name = _ALWAYS[call.name]
        elif call.name == "NORMALIZE" and (mode := _compatible_mode(tokens, call.opening)):
            name = tokens[mode].text.lower()
            edits.append(Edit(tokens[mode - 1].start, tokens[mode].end, ""))
        elif _DATE_FUNCTION.match(call.name) and _is_lacking(call.name, tokens[call.opening + 1 : call.opening + 3]):
            name = ("safe_" if call.safe else "") + call.name.lower()
        else:
            continue
        arguments, modifier = _arguments(tokens, call.opening)
        if call.name == "CONTAINS_SUBSTR" and arguments > 2:
            raise Unsupported(f"{LACKS}CONTAINS_SUBSTR with a json_scope", fix="run this query in BigQuery")
        if modifier:
            edits.append(Edit(tokens[modifier[0]].start, tokens[modifier[1]].end, ""))
            if tokens[modifier[0]].text.upper() == "RESPECT" and call.name == "APPROX_QUANTILES":
                name += "_respect_nulls"
        if f"{name}_{arguments}" in TEMPLATES:
            name = f"{name}_{arguments}"
        edits.append(Edit(tokens[call.first].start, tokens[call.opening - 1].end, PREFIX + name))
        used.add(name)
    return edits, _with_called(used)


def _refuse_names_of_days(tokens: Sequence[Token]) -> None:
    """Raises Unsupported for DAY in the format of a CAST: BigQuery fills the name with spaces to nine characters."""
    for word, literal in pairwise(tokens):
        named = word.text.upper() == "FORMAT" and literal.kind is Kind.STRING and _NAME_OF_DAY.search(literal.text)
        if named:
            raise Unsupported(f"{LACKS}DAY in a format of CAST", fix="use FORMAT_DATE with %A, or run this in BigQuery")


def _takes_first_row(tokens: Sequence[Token], opening: int) -> bool:
    """Whether the evaluator answers this ANY_VALUE with the first row, NULL or not: one with nothing but its argument, and
    not of a PIVOT. Raises Unsupported for a window function, for which there is no template."""
    closing, inside = _closing(tokens, opening)
    if closing + 1 < len(tokens) and tokens[closing + 1].text.upper() == "OVER":
        raise Unsupported(
            f"{LACKS}ANY_VALUE as a window function", fix="write FIRST_VALUE(… IGNORE NULLS) with an ORDER BY"
        )
    words = {tokens[index].text.upper() for index in inside}
    return not words & {"HAVING", "IGNORE", "RESPECT"} and not _is_pivoted(tokens, opening)


def _is_pivoted(tokens: Sequence[Token], opening: int) -> bool:
    """Whether the brackets around this one are those of PIVOT."""
    depth = 0
    for index in range(opening - 1, 0, -1):
        depth += (tokens[index].kind is Kind.CLOSE) - (tokens[index].kind is Kind.OPEN)
        if depth < 0:
            return tokens[index - 1].text.upper() == "PIVOT"
    return False


def _closing(tokens: Sequence[Token], opening: int) -> tuple[int, list[int]]:
    """Where a bracket closes, and what stands in it but not in brackets of its own."""
    depth, inside = 0, list[int]()
    for index in range(opening, len(tokens)):
        depth += (tokens[index].kind is Kind.OPEN) - (tokens[index].kind is Kind.CLOSE)
        if depth == 0:
            return index, inside
        if depth == 1:
            inside.append(index)
    return len(tokens), inside


def _with_called(names: set[str]) -> set[str]:
    """The functions and those that they call, some of which are no templates but `native`."""
    waiting, found = list(names), set(names)
    while waiting:
        template = TEMPLATES.get(waiting.pop())
        for name in re.findall(rf"\b{PREFIX}(\w+)", template.body if template else ""):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _is_lacking(function: str, following: Sequence[Token]) -> bool:
    """Whether the first argument is no plain literal, or one with an element that the evaluator lacks."""
    literal = following[0].text if following and following[0].kind is Kind.STRING else ""
    if not literal or "\\" in literal or len(following) < 2 or following[1].kind is not Kind.COMMA:
        return True
    elements = set(_ELEMENTS.findall(literal.strip("rR").strip("\"'")))
    lacking = _UNFORMATTED if function.startswith("FORMAT") else _UNPARSED | _NEVER_PARSED
    refused = elements & (_NEVER_PARSED if function.startswith("PARSE") else frozenset()) or elements - _KNOWN
    if refused:
        raise Unsupported(f"{LACKS}{min(refused)} in {function}", fix="run this query in BigQuery")
    return bool(elements & lacking)


def _arguments(tokens: Sequence[Token], opening: int) -> tuple[int, tuple[int, int] | None]:
    """How many arguments stand in these brackets, and where IGNORE NULLS or RESPECT NULLS stands there."""
    depth, commas, modifier = 0, 0, None
    for index in range(opening, len(tokens)):
        token = tokens[index]
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
            if depth == 0:
                return (commas + 1 if index > opening + 1 else 0), modifier
        elif depth == 1 and token.kind is Kind.COMMA:
            commas += 1
        elif depth == 1 and token.text.upper() in ("IGNORE", "RESPECT") and tokens[index + 1].text.upper() == "NULLS":
            modifier = (index, index + 1)
    return commas + 1, modifier


def _compatible_mode(tokens: Sequence[Token], opening: int) -> int:
    """Where NFKC or NFKD ends these brackets, the modes of which the evaluator has no data; 0 for another mode."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].kind is Kind.OPEN) - (tokens[index].kind is Kind.CLOSE)
        if depth == 0:
            return index - 1 if tokens[index - 1].text.upper() in ("NFKC", "NFKD") else 0
    return 0


def _is_name(token: Token) -> bool:
    return token.kind in (Kind.NAME, Kind.QUOTED_NAME)


def _word(token: Token) -> str:
    return token.text.strip("`").upper()
