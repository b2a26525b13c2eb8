"""A history as understood: what ``GET …/_history?…`` asks, of a resource, a type or the system.

https://hl7.org/fhir/R4/http.html#history
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from passerelle.errors.refusals import Invalid, Issue, NotSupported
from passerelle.errors.rules import issue
from passerelle.fhir.search.date_interval import Interval, interval
from passerelle.fhir.search.query_results import COUNT_DEFAULT, COUNT_MAX, CURSOR_LENGTH_MAX

Level: TypeAlias = Literal["instance", "type", "system"]

NOT_THERE_YET = ("_list",)
"""Of the standard but not answered: leaving it out would lie."""

_COUNT = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:\-]{0,63}")


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A history as understood; ``type`` and ``id`` tell its level.

    ``since`` keeps versions made then or later; ``current`` those that were current at some moment
    of an interval; ``ascending`` is oldest first. ``count`` is the size of a page, ``only_count``
    asks for the total alone, ``cursor`` is the opaque place to go on from. ``given`` are the
    parameters as they were spelled; one that is not known is left out (lenient).
    """

    type: str | None = None
    id: str | None = None
    since: int | None = None
    current: Interval | None = None
    ascending: bool = False
    count: int = COUNT_DEFAULT
    only_count: bool = False
    cursor: str | None = None
    given: tuple[tuple[str, str], ...] = ()

    @property
    def level(self) -> Level:
        """Tell whether it is of a resource, of a type or of the system."""
        if self.type is None:
            return "system"
        return "type" if self.id is None else "instance"

    def pairs(self, cursor: str | None) -> tuple[tuple[str, str], ...]:
        """Give the parameters of a link, those that were understood, with a place to go on from."""
        pairs = [pair for pair in self.given if pair[0] not in ("_count", "_cursor")]
        pairs.append(("_count", "0" if self.only_count else str(self.count)))
        if cursor is not None:
            pairs.append(("_cursor", cursor))
        return tuple(pairs)


@dataclass(slots=True)
class _Reading:
    """What was read so far, and every fault."""

    found: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def refuse(self, name: str) -> None:
        """Note a value that is not one of this parameter."""
        self.issues.append(issue("http.parameter-malformed", name, name=name))


def _moment(text: str) -> Interval | None:
    """Read a date of a query; a ``+`` that was not escaped there has arrived as a space."""
    return interval(text.replace(" ", "+"))


def _since(reading: _Reading, text: str) -> None:
    """``_since``: an instant; of a date, its beginning."""
    moment = _moment(text)
    if moment is None:
        reading.refuse("_since")
    else:
        reading.found["since"] = moment.low


def _at(reading: _Reading, text: str) -> None:
    """``_at``: a date or dateTime, with the precision that it has."""
    moment = _moment(text)
    if moment is None:
        reading.refuse("_at")
    else:
        reading.found["current"] = moment


def _count(reading: _Reading, text: str) -> None:
    """``_count``: bounded by what a page may hold; zero asks for the total alone."""
    if not _COUNT.fullmatch(text):
        reading.refuse("_count")
    elif int(text) == 0:
        reading.found["only_count"] = True
    else:
        reading.found["count"] = min(int(text), COUNT_MAX)


def _sort(reading: _Reading, text: str) -> None:
    """``_sort``: by the instant of the version, newest first unless it is said otherwise."""
    if text not in ("_lastUpdated", "-_lastUpdated"):
        reading.refuse("_sort")
    else:
        reading.found["ascending"] = text == "_lastUpdated"


def _cursor(reading: _Reading, text: str) -> None:
    """``_cursor``: the opaque place of a page, checked when it is used."""
    if not text or len(text) > CURSOR_LENGTH_MAX or not text.isascii():
        reading.issues.append(issue("search.cursor-invalid", "_cursor"))
    else:
        reading.found["cursor"] = text


READERS: Mapping[str, Callable[[_Reading, str], None]] = {
    "_since": _since,
    "_at": _at,
    "_count": _count,
    "_sort": _sort,
    "_cursor": _cursor,
}
"""The parameters of a history, by name."""


def parse(
    type: str | None, id: str | None, pairs: Sequence[tuple[str, str]], *, strict: bool
) -> HistoryQuery:
    """Understand the parameters of a history.

    An unknown one is refused when ``strict``, else left out. Raises NotSupported for ``_list``,
    Invalid with every fault at once, the name of the parameter as its expression.
    """
    reading = _Reading()
    given: list[tuple[str, str]] = []
    for name, text in pairs:
        if name in NOT_THERE_YET:
            raise NotSupported(issue("http.not-there-yet", name, what=f"_history {name}"))
        if name not in READERS:
            if strict:
                shown = name if _NAME.fullmatch(name) else "?"
                reading.issues.append(issue("http.parameter-unknown", name=shown))
        elif any(name == earlier for earlier, _ in given):
            reading.issues.append(issue("search.repeated", name, name=name))
        else:
            given.append((name, text))
            READERS[name](reading, text)
    if {"since", "current"} <= reading.found.keys():
        # The standard leaves open what both would mean.
        reading.issues.append(issue("http.history-since-and-at", "_at"))
    if reading.issues:
        raise Invalid(*reading.issues)
    return HistoryQuery(type, id, given=tuple(given), **reading.found)
