"""`$cercle-de-soins`: who cares for a person now, over all of its dossiers.

A view made for the asking (docs/decisions/2611-the-line-and-the-circle.md): the consolidated
CareTeam first, then the CareTeams that it is made of, their members, and what these rest on.
"""

from collections.abc import Iterable
from dataclasses import replace

from passerelle.dossiers.operations.life_line import PATIENT, patients_of
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.date_interval import Interval
from passerelle.fhir.search.query import parse
from passerelle.mappers.resources.circle_consolidated import (
    consolidated,
    named_in,
    refers_to,
    rested_on,
)
from passerelle.store.contract import Version

TEAMS_MAX = 200
"""CareTeams of one person; with more, the view is refused, never cut short."""

PAGE = 100


async def circle_of(
    repository: Repository, id: str, at: Interval
) -> tuple[Resource, tuple[Version, ...]]:
    """Give the consolidated CareTeam of a Patient, and the versions that it is made of.

    Raises NotFound or Gone when the Patient is not there, Unprocessable for too many teams.
    """
    patients = await patients_of(repository, id)
    teams = await _teams(repository, patients)
    bodies = [_resource(team) for team in teams]
    members = await _read(repository, named_in(bodies))
    rested = await _read(repository, rested_on(map(_resource, members)))
    there = {str(version.key): version for version in (*teams, *members, *rested)}
    resources = {name: _resource(version) for name, version in there.items()}
    made = consolidated(bodies, resources, f"{PATIENT}/{id}", at)
    named = refers_to(made)
    kept = {name: version for name, version in there.items() if name in named}
    along = {reference for reference in rested_on(resources[name] for name in kept)}
    kept |= {name: there[name] for name in sorted(along & there.keys())}
    return made, tuple(kept.values())


async def _teams(repository: Repository, patients: tuple[str, ...]) -> list[Version]:
    """Give all CareTeams of some Patients, page by page."""
    gateway = repository.gateway
    named = ",".join(f"{PATIENT}/{each}" for each in patients)
    query = parse(
        "CareTeam",
        [("patient", named), ("_count", str(PAGE))],
        strict=True,
        base_url=gateway.base_url,
        registry=gateway.store.parameters.registry,
    )
    found: list[Version] = []
    while True:
        page = await repository.search(query)
        found += page.matches
        if len(found) > TEAMS_MAX:
            raise Unprocessable(issue("operation.too-many-teams", limit=TEAMS_MAX))
        if page.next is None:
            return found
        query = replace(query, cursor=page.next)


async def _read(repository: Repository, references: Iterable[str]) -> list[Version]:
    """Read what some references lead to, as far as it is there."""
    base = repository.gateway.base_url
    keys: dict[Key, None] = {}
    for reference in references:
        key = key_of(reference, base) if reference else None
        if key is not None:
            keys[key] = None
    heads = await repository.gateway.store.read_many(tuple(keys), repository.caller)
    return [heads[key] for key in keys if key in heads and heads[key].body is not None]


def _resource(version: Version) -> Resource:
    found: Resource = json_text.decode(version.body or b"{}")
    return found
