"""FORMAT_* and PARSE_* for the usual elements; every other element is refused."""

from __future__ import annotations

import re
from datetime import date, datetime

from etl_orchestrator.proving.doubt import CannotTell, QueryFails

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORTHANDS = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y"}
_ELEMENT = re.compile(r"%(.)", re.DOTALL)
_NUMBERS = {"Y": r"\d{1,4}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "M": r"\d{1,2}", "S": r"\d{1,2}"}


def _expanded(pattern: str) -> str:
    for short, long in _SHORTHANDS.items():
        pattern = pattern.replace(short, long)
    if "%%" in pattern or "%E" in pattern:
        raise CannotTell(f"the format {pattern!r}")
    return pattern


def formatted(moment: date | datetime, pattern: str) -> str:
    """FORMAT_DATE, FORMAT_DATETIME, FORMAT_TIMESTAMP (UTC)."""
    clock = moment if isinstance(moment, datetime) else None

    def element(match: re.Match[str]) -> str:
        letter = match.group(1)
        texts = {"Y": f"{moment.year:04d}", "m": f"{moment.month:02d}", "d": f"{moment.day:02d}",
                 "e": f"{moment.day:2d}", "y": f"{moment.year % 100:02d}", "B": MONTHS[moment.month - 1],
                 "b": MONTHS[moment.month - 1][:3], "A": DAYS[moment.weekday()], "a": DAYS[moment.weekday()][:3],
                 "j": f"{moment.timetuple().tm_yday:03d}", "u": str(moment.isoweekday()),
                 "w": str(moment.isoweekday() % 7), "Q": str((moment.month - 1) // 3 + 1)}  # fmt: skip
        if clock:
            texts |= {"H": f"{clock.hour:02d}", "M": f"{clock.minute:02d}", "S": f"{clock.second:02d}"}
        if letter not in texts or moment.year < 1000:
            raise CannotTell(f"%{letter} in a date format")
        return texts[letter]

    return _ELEMENT.sub(element, _expanded(pattern))


def parsed(text: str, pattern: str) -> datetime:
    """PARSE_DATE, PARSE_DATETIME, PARSE_TIMESTAMP (UTC) as a naive datetime; a text that does not fit is an error."""
    expanded = _expanded(pattern)
    letters = _ELEMENT.findall(expanded)
    if len(set(letters)) != len(letters) or any(letter not in _NUMBERS for letter in letters):
        raise CannotTell(f"the format {pattern!r} for parsing")
    pieces = _ELEMENT.split(expanded)
    regex = "".join(
        f"(?P<{piece}>{_NUMBERS[piece]})" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
    )
    match = re.fullmatch(regex, text, re.ASCII)
    if match is None:
        if re.fullmatch(re.sub(r"(\\ )+", "", regex), re.sub(r"\s+", "", text), re.ASCII):
            raise CannotTell("PARSE_* and blanks")
        raise QueryFails(f"{text!r} does not fit the format {pattern!r}")
    found = {letter: int(number) for letter, number in match.groupdict().items()}
    if found.get("S", 0) == 60:
        raise CannotTell("a leap second")
    try:
        return datetime(found.get("Y", 1970), found.get("m", 1), found.get("d", 1),
                        found.get("H", 0), found.get("M", 0), found.get("S", 0))  # fmt: skip
    except ValueError:
        raise QueryFails(f"{text!r} is no date") from None
