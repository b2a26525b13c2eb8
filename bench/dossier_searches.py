"""Searches that go from one resource to another: they need whole dossiers, not patients alone."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from bench.dossiers import STAYS, id_of
from bench.patients import IPP, born, gender_of, ipp


def _identifier(system: str, value: str) -> str:
    return quote(f"{system}|{value}", safe="")


def _polled(number: int) -> str:
    return f"Task?_lastUpdated=gt{2000 + number % 20}-01-01&_sort=_lastUpdated&_count=10"


SEARCHES: Mapping[str, Callable[[int], str]] = {
    "chained search": lambda n: f"Task?patient.identifier={_identifier(IPP, ipp(n))}",
    "search by _has": lambda n: (
        f"Patient?_has:Encounter:patient:identifier={_identifier(STAYS, f'S{n}')}"
    ),
    "search with _include": lambda n: (
        f"DocumentReference?patient={id_of('Patient', n)}"
        "&_include=DocumentReference:patient&_include=DocumentReference:author"
    ),
    "search with _revinclude": lambda n: (
        f"Patient?identifier={_identifier(IPP, ipp(n))}"
        "&_revinclude=Task:patient&_revinclude=DocumentReference:patient"
    ),
    "search of a year, sorted, 10 given": lambda n: (
        f"Patient?birthdate={born(n)[:4]}&gender={gender_of(n)}&_sort=birthdate&_count=10"
    ),
    "poll by _lastUpdated, 10 given": _polled,
}
"""By the name of their line: what is sent for a patient of that number."""
