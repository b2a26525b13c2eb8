"""What operations ask of the record beside searches, and what they are told; no SQL here.

https://hl7.org/fhir/R4/patient-operation-everything.html ,
https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from dataclasses import dataclass
from typing import NamedTuple


class Marks(NamedTuple):
    """Profiles, and (system, code) of the tags and security labels, that resources bear."""

    profiles: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    security: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is about a Patient, an Encounter or an EpisodeOfCare, a page at a time.

    ``id`` None asks about every Patient. ``types`` are those to give (empty: all). ``start`` and
    ``end`` bound the dates of care, ``since`` the instant of the last change, all in microseconds
    since 1970 UTC, half-open.
    """

    focus: str
    id: str | None
    count: int
    types: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    since: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class LifeLine:
    """What is dated about a person, in the order of its dates, a page at a time.

    ``patients`` are the ids of the Patients that are that person. ``kinds`` narrows it to sections
    of a dossier (empty: all). ``start`` and ``end`` in microseconds since 1970 UTC, half-open.
    """

    patients: tuple[str, ...]
    count: int
    kinds: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    latest_first: bool = False
    cursor: str | None = None
