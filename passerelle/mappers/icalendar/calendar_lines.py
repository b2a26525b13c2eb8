"""The text of an iCalendar object as its events, each with the lines that it stands on.

https://www.rfc-editor.org/rfc/rfc5545#section-3.1 . Time zones that a sender defines are not read:
a definition is a rule of its own, that would have to be followed; zones are known by their names.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from passerelle.errors.refusals import Invalid, TooLarge
from passerelle.errors.rules import issue

EVENTS_MAX = 1_000
LINE_MAX = 32_000
DEPTH_MAX = 8

_NEW_LINE = re.compile(r"\r?\n")


class Block(NamedTuple):
    """One VEVENT without what is inside of it (alarms): its first line, from 1; its text."""

    line: int
    text: str


class Calendar(NamedTuple):
    """What an iCalendar object holds; ``others`` names components that are not looked at."""

    method: str | None
    events: tuple[Block, ...]
    others: tuple[str, ...]


def calendar(body: bytes) -> Calendar:
    """Split an iCalendar object. Raises Invalid for what is none, TooLarge past the bounds."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(issue("agenda.not-utf-8")) from None
    within: list[str] = []
    method, begun, opened = None, 0, 0
    gathered: list[str] = []
    events: list[Block] = []
    others: dict[str, None] = {}
    for number, line in _unfolded(text):
        name, _, value = line.partition(":")
        name, value = name.strip().upper(), value.strip()
        if name == "BEGIN":
            within.append(value.upper())
            if len(within) > DEPTH_MAX or within[0] != "VCALENDAR":
                raise _malformed(number)
            if len(within) == 1:
                begun += 1
            elif len(within) == 2:
                opened, gathered = number, []
                if within[1] not in ("VEVENT", "VTIMEZONE"):
                    others[within[1]] = None
        elif name == "END":
            if not within or within[-1] != value.upper():
                raise _malformed(number)
            if within == ["VCALENDAR", "VEVENT"]:
                events.append(Block(opened, "\r\n".join(gathered)))
            within.pop()
        elif not within:
            raise _malformed(number)
        elif within == ["VCALENDAR", "VEVENT"]:
            gathered.append(line)
        elif len(within) == 1 and name == "METHOD":
            method = value.upper()
        if begun > 1:
            raise _malformed(number)
        if len(events) > EVENTS_MAX:
            raise TooLarge(issue("agenda.too-many-events", limit=EVENTS_MAX))
    if within or not begun:
        raise _malformed(1)
    return Calendar(method, tuple(events), tuple(others)[:10])


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Give each content line with the number of its first line. Raises TooLarge."""
    parts: list[str] = []
    first, size = 1, 0
    for number, line in enumerate(_NEW_LINE.split(text), 1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            size += len(line)
        else:
            if parts:
                yield first, "".join(parts)
            parts, first, size = ([line] if line.strip() else []), number, len(line)
        if size > LINE_MAX:
            raise TooLarge(issue("agenda.line-too-long", line=first, limit=LINE_MAX))
    if parts:
        yield first, "".join(parts)


def _malformed(line: int) -> Invalid:
    return Invalid(issue("agenda.not-a-calendar", line=line))
