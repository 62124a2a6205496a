"""Dates and times: parts, sums, differences, truncation, as GoogleSQL counts them; time zone UTC."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from etl_orchestrator.proving.doubt import CannotTell, QueryFails
from etl_orchestrator.tools import Value

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MICROSECONDS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_EPOCH = datetime(1970, 1, 1)
Moment = date | datetime


def _checked(make: Callable[[], Value]) -> Value:
    try:
        return make()
    except (OverflowError, ValueError):
        raise QueryFails("a date outside of 0001-01-01 to 9999-12-31") from None


def add_months(day: Moment, months: int) -> Moment:
    """The same day of another month, its last one when there is no such day."""

    def make() -> Moment:
        total = day.year * 12 + day.month - 1 + months
        year, month = divmod(total, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return day.replace(year=year, month=month + 1, day=min(day.day, last))

    moved: Moment = _checked(make)
    return moved


def add(moment: Moment, amount: int, part: str) -> Moment:
    """DATE_ADD, DATETIME_ADD, TIMESTAMP_ADD (which knows no months)."""
    aware = isinstance(moment, datetime) and moment.tzinfo is not None
    plain_date = not isinstance(moment, datetime)
    if part in _MONTHS and not aware:
        return add_months(moment, amount * _MONTHS[part])
    if part == "WEEK" and not aware:
        part, amount = "DAY", amount * 7
    if part not in MICROSECONDS or (plain_date and part != "DAY"):
        raise CannotTell(f"{part} cannot be added here")
    moved: Moment = _checked(lambda: moment + timedelta(microseconds=MICROSECONDS[part] * amount))
    return moved


def week_start(part: str) -> int | None:
    """Python's number of the first weekday of WEEK, WEEK(MONDAY), ISOWEEK."""
    if part == "WEEK":
        return 6
    if part == "ISOWEEK":
        return 0
    if part.startswith("WEEK(") and part[5:-1] in WEEKDAYS:
        return WEEKDAYS.index(part[5:-1])
    return None


def truncate_date(day: date, part: str) -> date:
    start = week_start(part)
    if start is not None:
        first: date = _checked(lambda: day - timedelta(days=(day.weekday() - start) % 7))
        return first
    if part == "ISOYEAR":
        return date.fromisocalendar(day.isocalendar().year, 1, 1)
    if part == "DAY":
        return day
    if part == "MONTH":
        return day.replace(day=1)
    if part == "QUARTER":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if part == "YEAR":
        return day.replace(month=1, day=1)
    raise CannotTell(f"truncation of a date to {part}")


def truncate(moment: Moment, part: str) -> Moment:
    """DATE_TRUNC, DATETIME_TRUNC, TIMESTAMP_TRUNC (UTC)."""
    if not isinstance(moment, datetime):
        return truncate_date(moment, part)
    if part in MICROSECONDS and part != "DAY":
        passed = _microseconds(moment) % MICROSECONDS[part]
        return moment - timedelta(microseconds=passed)
    return datetime.combine(truncate_date(moment.date(), part), time(), tzinfo=moment.tzinfo)


def _microseconds(moment: datetime) -> int:
    return (moment.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)


def difference(later: Moment, earlier: Moment, part: str) -> int:
    """*_DIFF: boundaries crossed for dates and datetimes, whole units for timestamps."""
    if isinstance(later, datetime) and later.tzinfo is not None:
        if part not in MICROSECONDS or not isinstance(earlier, datetime):
            raise CannotTell(f"TIMESTAMP_DIFF in {part}")
        total = _microseconds(later) - _microseconds(earlier)
        return abs(total) // MICROSECONDS[part] * (1 if total >= 0 else -1)
    if isinstance(later, datetime) and isinstance(earlier, datetime) and part in MICROSECONDS:
        unit = MICROSECONDS[part]
        return _microseconds(later) // unit - _microseconds(earlier) // unit
    return _date_difference(_date(later), _date(earlier), part)


def _date(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _date_difference(later: date, earlier: date, part: str) -> int:
    if part == "DAY":
        return (later - earlier).days
    if week_start(part) is not None:
        return (truncate_date(later, part) - truncate_date(earlier, part)).days // 7
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    if part == "MONTH":
        return months
    if part == "QUARTER":
        return (later.year - earlier.year) * 4 + (later.month - 1) // 3 - (earlier.month - 1) // 3
    if part == "YEAR":
        return later.year - earlier.year
    if part == "ISOYEAR":
        return later.isocalendar().year - earlier.isocalendar().year
    raise CannotTell(f"a difference of dates in {part}")


def extract(moment: Moment | time, part: str) -> Value:
    """EXTRACT(part FROM …)."""
    if isinstance(moment, (datetime, time)):
        clock = {"MICROSECOND": moment.microsecond, "MILLISECOND": moment.microsecond // 1000,
                 "SECOND": moment.second, "MINUTE": moment.minute, "HOUR": moment.hour}  # fmt: skip
        if part in clock:
            return clock[part]
    if isinstance(moment, time):
        raise CannotTell(f"EXTRACT({part} FROM a TIME)")
    if part == "DATE" and isinstance(moment, datetime):
        return moment.date()
    if part == "TIME" and isinstance(moment, datetime):
        return moment.time()
    return _extract_date(_date(moment), part)


def _extract_date(day: date, part: str) -> int:
    if part == "WEEK" or part.startswith("WEEK("):
        start = week_start(part)
        if start is None:
            raise CannotTell(f"EXTRACT({part} …)")
        ordinal = day.timetuple().tm_yday
        return (ordinal + 6 - (day.weekday() - start) % 7) // 7
    iso = day.isocalendar()
    parts = {"DAY": day.day, "MONTH": day.month, "YEAR": day.year, "QUARTER": (day.month - 1) // 3 + 1,
             "DAYOFWEEK": day.isoweekday() % 7 + 1, "DAYOFYEAR": day.timetuple().tm_yday, "ISOWEEK": iso.week,
             "ISOYEAR": iso.year}  # fmt: skip
    if part not in parts:
        raise CannotTell(f"EXTRACT({part} …)")
    return parts[part]


def in_zone(moment: datetime, zone: str | None) -> datetime:
    """A TIMESTAMP as the DATETIME of a time zone (UTC when None)."""
    if zone is None or zone.upper() == "UTC":
        return moment.replace(tzinfo=None)
    try:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CannotTell(f"time zone {zone}") from None


def from_epoch(amount: int, part: str) -> datetime:
    """TIMESTAMP_SECONDS and its relatives."""
    made: datetime = _checked(lambda: _EPOCH + timedelta(microseconds=amount * MICROSECONDS[part]))
    return made.replace(tzinfo=UTC)


def to_epoch(moment: datetime, part: str) -> int:
    """UNIX_SECONDS and its relatives: rounded down."""
    return _microseconds(moment) // MICROSECONDS[part]
