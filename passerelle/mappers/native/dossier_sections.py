"""The sections of the native form, one line each: what their entries name, how they end,
and the resource types that they become.

``dossier.schema.json`` gives their shape, ``dossier_mappings`` their mappers.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from passerelle.mappers.native.dossier import SECTIONS, Dossier, Entry, Path
from passerelle.mappers.native.dossier_dates import ends_before
from passerelle.mappers.resources import events_homes

ANY = SECTIONS
"""A name that any entry may bear."""


class Named(NamedTuple):
    """A place in an entry where another is named: the sections it may stand in, or the person.

    ``only_where`` (member, value) says of which entries alone the place names another.
    """

    path: Path
    sections: tuple[str, ...]
    person: bool = False
    only_where: tuple[str, str] | None = None

    def names_in(self, entry: Entry) -> bool:
        """Tell whether the place of an entry names another."""
        return self.only_where is None or entry.get(self.only_where[0]) == self.only_where[1]


class Section(NamedTuple):
    """One section. ``types``: the resource types of its entries, the entry's own first; those that
    stand on the dossier's own resource have none. ``chain``: the member that names an entry of the
    same section, and may not lead back. ``end``: what becomes of an entry that is gone from the
    section sent whole; None for a section that is never sent whole. ``type_of``: which of the types
    is the entry's own, where not always the first.
    """

    types: tuple[str, ...] = ()
    names: tuple[Named, ...] = ()
    chain: str | None = None
    end: Callable[[Entry, str], Entry] | None = None
    type_of: Callable[[Entry], str] | None = None


def member(*path: str) -> Named:
    """Give a place that names a member of the circle or the person."""
    return Named(path, ("circle",), person=True)


ONLY_FOR = member("audience", "onlyFor", "*")


def _leave(entry: Entry, updated_at: str) -> Entry:
    """End the open periods of a member when the dossier was updated, not before they began."""
    return {
        **entry,
        "periods": [
            period if "end" in period else {**period, "end": _end(period["start"], updated_at)}
            for period in entry["periods"]
        ],
    }


def _end(start: str, updated_at: str) -> str:
    return start if ends_before(start, updated_at) else updated_at


def withdraw(entry: Entry, updated_at: str) -> Entry:
    """End an entry that has a status of its own."""
    return {**entry, "status": "entered-in-error"}


TABLE: Mapping[str, Section] = {
    "pathways": Section(),
    "sharing": Section(
        types=("Consent",),
        names=(
            member("givenBy"),
            member("collectedBy"),
            Named(("target",), ("circle",), only_where=("scope", "member")),
            Named(("target",), ("documents",), only_where=("scope", "document")),
        ),
    ),
    "circle": Section(
        types=("CareTeam", "PractitionerRole", "RelatedPerson", "Organization"),
        names=(member("invitedBy"),),
        end=_leave,
    ),
    "documents": Section(
        types=("DocumentReference", "Binary"),
        names=(
            member("author"),
            member("depositor"),
            ONLY_FOR,
            Named(("replaces",), ("documents",)),
        ),
        chain="replaces",
        end=withdraw,
    ),
    "notes": Section(
        types=("DocumentReference", "Binary"),
        names=(
            member("author"),
            member("readBy", "*", "member"),
            ONLY_FOR,
            Named(("replyTo",), ("notes",)),
        ),
        chain="replyTo",
        end=withdraw,
    ),
    "events": Section(
        types=("Encounter", "Observation"),
        type_of=events_homes.type_of,
        names=(
            member("participants", "*"),
            ONLY_FOR,
            Named(("documents", "*"), ("documents",)),
        ),
        end=withdraw,
    ),
    "forms": Section(
        types=("QuestionnaireResponse", "Observation"),
        names=(
            member("author"),
            ONLY_FOR,
            Named(("answers", "*", "**items", "values", "*", "entry"), ANY, person=True),
        ),
        end=withdraw,
    ),
    "appointments": Section(
        types=("Appointment",),
        names=(member("organiser"), member("participants", "*", "member")),
        end=withdraw,
    ),
    "tasks": Section(
        types=("Task",),
        names=(
            member("requester"),
            member("owner"),
            member("comments", "*", "by"),
            ONLY_FOR,
            Named(("parent",), ("tasks",)),
            Named(("about",), ANY, person=True),
        ),
        chain="parent",
        end=withdraw,
    ),
    "alerts": Section(
        types=("Flag", "CommunicationRequest", "Communication"),
        names=(
            member("raisedBy"),
            member("recipients", "*"),
            member("acks", "*", "by"),
            Named(("about",), ANY, person=True),
        ),
        end=withdraw,
    ),
    "messages": Section(
        types=("Communication",),
        names=(
            member("by"),
            member("onBehalfOf"),
            Named(("documents", "*"), ("documents",)),
        ),
        end=withdraw,
    ),
}
"""Section to what there is to know of it."""

assert tuple(TABLE) == SECTIONS


def homes(dossier: Dossier) -> dict[tuple[str, str], str]:
    """Give the type of each entry, by (section, key), in sections where it hangs on the entry."""
    return {
        (name, entry["key"]): section.type_of(entry)
        for name, section in TABLE.items()
        if section.type_of is not None
        for entry in dossier.section(name)
    }


ENDED = frozenset(name for name, section in TABLE.items() if section.end is not None)
"""The sections that may be sent whole."""

WITH_THE_ROOT = frozenset({"pathways", "sharing", "circle"})
"""The sections that are read and written with the root, whole."""

BY_ENTRY = frozenset(SECTIONS) - WITH_THE_ROOT
"""The sections whose entries have resources of their own: a push leaves alone what it lacks."""
