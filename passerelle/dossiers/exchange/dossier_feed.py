"""The feed of changes: which dossiers changed after a place, in the order of the commits.

The order and the horizon are those of all feeds (docs/decisions/2611-feeds-stay-below-the-horizon):
who goes on from ``next`` misses nothing and is told nothing twice. A dossier changes when a
resource of its own does, or a Patient, Practitioner or Organization that one of these refers to:
whenever its version does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from passerelle.dossiers.exchange.dossier_record import RESTS_ON, read_record
from passerelle.dossiers.exchange.dossier_standing import Standing, standing
from passerelle.dossiers.exchange.feed_place import FeedPlace, dump_place, parse_place
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import PACKAGE
from passerelle.fhir.instants import dump_instant
from passerelle.store.caller import Caller
from passerelle.store.dossier_readings import Change

LIMIT_MAX = 200
"""Lines of a page."""

WINDOW = 500
"""Versions that are looked through at a time."""

WINDOWS_MAX = 10
"""Windows of one page: however few dossiers they speak of, the next page goes on from there."""

SECTION_OF_SHARED = {"Patient": "person", "Practitioner": "circle", "Organization": "circle"}


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One dossier that changed: how it stands now, in which sections, when it last did."""

    standing: Standing
    sections: tuple[str, ...]
    at: int

    def as_json(self) -> dict[str, Any]:
        """Give it as it is answered."""
        now = self.standing
        change: Literal["changed", "removed"] = "removed" if now.removed else "changed"
        line: dict[str, Any] = {"dossier": now.tag, "change": change}
        if now.removed:
            line["reason"] = now.removed
        if now.etag is not None:
            line["version"] = now.etag
        if now.status is not None:
            line["status"] = now.status
        return {**line, "sections": list(self.sections), "at": dump_instant(self.at)}


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some lines of the feed; ``next`` goes on from there, ``more`` says that it would not wait."""

    lines: tuple[FeedLine, ...]
    next: str
    more: bool

    def as_json(self) -> dict[str, Any]:
        """Give it as it is answered."""
        changes = [line.as_json() for line in self.lines]
        return {"changes": changes, "next": self.next, "more": self.more}


@dataclass(slots=True)
class _Touched:
    """A dossier that a page speaks of, by the cell that names it."""

    sections: set[str] = field(default_factory=set)
    at: int = 0


class _Gathering:
    """The dossiers of one page, in the order of their last change, and how far it has come."""

    def __init__(self, gateway: Gateway, caller: Caller, place: FeedPlace, limit: int) -> None:
        self.readings = gateway.store.dossiers
        self.caller = caller
        self.place = place
        self.limit = limit
        self.touched: dict[str, _Touched] = {}

    async def gather(self) -> bool:
        """Go through the feed until the page is full; tell whether there may be more."""
        for _ in range(WINDOWS_MAX):
            window = await self.readings.changes(self.caller, after=self.place.mark, limit=WINDOW)
            for change in _whole(window):
                if not await self._take(change):
                    return True
            if len(window) < WINDOW:
                return False
        return True

    async def _take(self, change: Change) -> bool:
        """Take a change in; False when the page has no room for all of its dossiers."""
        cells = await self._cells(change)
        fresh = [cell for cell in cells if cell not in self.touched]
        room = self.limit - len(self.touched)
        if len(fresh) > room and self.touched:
            return False
        for cell in cells[: self.limit]:
            found = self.touched.pop(cell, None) or _Touched()
            found.sections.add(_section(change))
            found.at = change.at
            self.touched[cell] = found
        if len(fresh) > room:
            self.place = FeedPlace(self.place.mark, cells[self.limit - 1])
            return False
        self.place = FeedPlace(change.mark)
        return True

    async def _cells(self, change: Change) -> list[str]:
        """Give the dossiers that a change is of, one more than a page holds at most."""
        if change.element == PACKAGE:
            return []
        found = set() if change.dossier is None else {change.dossier}
        if change.key.type in RESTS_ON:
            # Only where a page left off in the midst of one change is there an ``after``.
            after = self.place.after
            found.update(
                await self.readings.of_shared(
                    change, self.caller, after=after, limit=self.limit + 1
                )
            )
        return sorted(cell for cell in found if cell > self.place.after)


async def feed(gateway: Gateway, caller: Caller, *, cursor: str, limit: int) -> FeedPage:
    """Give the dossiers that changed after a cursor, ``limit`` at most, each once.

    ``cursor`` is ``start``, ``now`` or the ``next`` of a page. Raises Invalid for another one.
    """
    gathering = _Gathering(gateway, caller, await parse_place(gateway, caller, cursor), limit)
    more = await gathering.gather()
    lines = []
    for cell, found in gathering.touched.items():
        stands = await standing(await read_record(gateway, caller, cell), gateway, caller)
        if stands is not None:
            lines.append(FeedLine(stands, tuple(sorted(found.sections)), found.at))
    return FeedPage(tuple(lines), dump_place(gateway, caller, gathering.place), more)


def _whole(window: Sequence[Change]) -> Sequence[Change]:
    """Leave out the last transaction of a full window, which may go on behind it.

    One that is as long as the window itself is told in parts.
    """
    if len(window) < WINDOW:
        return window
    last = window[-1].at
    return [change for change in window if change.at != last] or window


def _section(change: Change) -> str:
    return SECTION_OF_SHARED.get(change.key.type) or change.element or "dossier"
