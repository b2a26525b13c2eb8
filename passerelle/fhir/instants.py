"""Instants as they are kept (microseconds since 1970 UTC) and as they are written.

https://hl7.org/fhir/R4/datatypes.html#instant and the HTTP-date of RFC 9110 section 5.6.7
(https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7). No clock is called here.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def at(microseconds: int) -> datetime:
    """Give the moment of a count of microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def dump_instant(microseconds: int) -> str:
    """Write a FHIR instant in UTC with six decimals, ``2026-01-12T09:00:00.000000Z``."""
    moment = at(microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}Z"


def parse_instant(text: str) -> int:
    """Read a FHIR instant of any offset; finer than a microsecond is cut.

    Raises ValueError for a text without an offset or one that is no instant.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return (moment - EPOCH) // timedelta(microseconds=1)


def http_date(microseconds: int) -> str:
    """Write the HTTP-date of an instant, ``Mon, 12 Jan 2026 09:00:00 GMT``; never by locale."""
    return _http_date(microseconds // SECOND)


@lru_cache(maxsize=4096)  # what is read is read again: the date is asked for at every reading
def _http_date(seconds: int) -> str:
    moment = at(seconds * SECOND)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} "
        f"{moment.year:04d} {moment:%H:%M:%S} GMT"
    )
