"""`$match`: who of the record may be the person that is described.

https://hl7.org/fhir/R4/patient-operation-match.html . Few searches find the candidates, by
identifier, by birth date with the first letters of a name (RNIV, EXI ID 17), by names; then each
is compared (``ins/matching``).
"""

from collections.abc import Iterator
from typing import NamedTuple

from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.query import parse
from passerelle.ins.matching import Match, Person, compare, person
from passerelle.store.contract import Version

CANDIDATES_MAX = 100
"""Of each search."""

IDENTIFIERS_MAX = 10
LETTERS = 3


class Matched(NamedTuple):
    """A known Patient and how alike it is."""

    version: Version
    match: Match


async def match(repository: Repository, patient: Resource) -> list[Matched]:
    """Give those who may be that person, the likeliest first; what is certainly not is left out.

    Raises Invalid: a malformed Patient, or one that tells too little to look for anybody.
    """
    if patient.get("resourceType") != "Patient":
        raise Invalid(issue("http.type-mismatch", "resourceType", type="Patient"))
    structure.demand(patient)
    asked = person(patient)
    found: dict[int, Version] = {}
    searches = list(_searches(patient, asked))
    if not searches:
        raise Invalid(issue("operation.match-needs-more", "Patient"))
    for pairs in searches:
        query = parse(
            "Patient",
            [*pairs, ("_count", str(CANDIDATES_MAX))],
            strict=True,
            base_url=repository.gateway.base_url,
        )
        page = await repository.search(query)
        found.update({version.pid: version for version in page.matches})
    allow_test = repository.gateway.ins.allow_test
    compared = [
        Matched(version, compare(asked, person(_body(version)), allow_test=allow_test))
        for version in found.values()
    ]
    likely = [each for each in compared if each.match.grade != "certainly-not"]
    return sorted(likely, key=lambda each: (-each.match.score, each.version.pid))


def _searches(patient: Resource, asked: Person) -> Iterator[list[tuple[str, str]]]:
    """Give the searches that may find the person."""
    for identifier in patient.get("identifier", ())[:IDENTIFIERS_MAX]:
        system, value = identifier.get("system"), identifier.get("value")
        if system and value:
            yield [("identifier", f"{_escaped(system)}|{_escaped(value)}")]
    traits = asked.traits
    born, family, given = patient.get("birthDate"), traits.birth_name, traits.first_given_name
    if born and family:
        yield [("birthdate", born), ("family", _escaped(family[:LETTERS]))]
    if born and given:
        yield [("birthdate", born), ("given", _escaped(given[:LETTERS]))]
    if family and given:
        yield [("family", _escaped(family)), ("given", _escaped(given))]


def _escaped(value: str) -> str:
    """Escape what has a meaning in a search (https://hl7.org/fhir/R4/search.html#escaping)."""
    for special in "\\,|$":
        value = value.replace(special, "\\" + special)
    return value


def _body(version: Version) -> Resource:
    return json_text.decode(version.body or b"{}")
