"""Which appointments of a dossier fall together for one of those who take part.

What overlaps is told, never refused: whoever plans knows why. A recurring one is followed for some
weeks from its first time.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from passerelle.mappers.icalendar.recurrence import occurrences, read
from passerelle.mappers.native.dossier import Entry

FOLLOWED = timedelta(weeks=12)
GONE = frozenset({"cancelled", "entered-in-error", "noshow"})


class Span(NamedTuple):
    """A time that somebody is taken."""

    start: datetime
    end: datetime
    key: str
    members: frozenset[str]


def overlaps(appointments: Iterable[Entry], keys: Collection[str]) -> list[tuple[str, str]]:
    """Give the pairs of keys that fall together, one of each among ``keys``, in order."""
    spans = sorted(span for one in appointments for span in _spans(one))
    found: set[tuple[str, str]] = set()
    running: list[Span] = []
    for span in spans:
        running = [other for other in running if other.end > span.start]
        for other in running:
            pair = (min(span.key, other.key), max(span.key, other.key))
            if pair[0] != pair[1] and not keys_apart(pair, keys) and span.members & other.members:
                found.add(pair)
        running.append(span)
    return sorted(found)


def keys_apart(pair: tuple[str, str], keys: Collection[str]) -> bool:
    """Tell whether neither of a pair is asked about."""
    return pair[0] not in keys and pair[1] not in keys


def _spans(appointment: Entry) -> Iterator[Span]:
    if appointment["status"] in GONE or "end" not in appointment:
        return
    members = {one["member"] for one in appointment.get("participants", ())}
    members |= {appointment["organiser"]} if "organiser" in appointment else set()
    start = datetime.fromisoformat(appointment["start"])
    length = datetime.fromisoformat(appointment["end"]) - start
    for moment in _moments(appointment, start):
        yield Span(moment, moment + length, appointment["key"], frozenset(members))


def _moments(appointment: Entry, start: datetime) -> list[datetime]:
    if "rrule" not in appointment:
        return [start]
    try:
        return occurrences(start, read(appointment["rrule"]), start, start + FOLLOWED)
    except ValueError:
        return [start]
