"""The list of dossiers, a page at a time: what people recognise them by, a row each."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from passerelle.dossiers.exchange import dossier_search
from passerelle.dossiers.exchange.dossier_record import root_keys
from passerelle.dossiers.exchange.dossier_search import DossierQuery
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.rights_columns import dossier_column
from passerelle.dossiers.search_terms import parsed
from passerelle.errors.refusals import Invalid
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.query import parse
from passerelle.mappers.native.dossier_row import row_of, tag_of
from passerelle.store.caller import Caller
from passerelle.store.contract import Page, Version

COUNTED = frozenset(
    {
        ("DocumentReference", "documents"),
        ("DocumentReference", "notes"),
        ("Encounter", "events"),
        ("Observation", "events"),
        ("QuestionnaireResponse", "forms"),
        ("Appointment", "appointments"),
        ("Task", "tasks"),
        ("Flag", "alerts"),
    }
)
"""Type and section of the resources whose number is told with a row."""


class Found(NamedTuple):
    """The root of a dossier and its person, as they stand."""

    tag: str
    episode: Resource
    patient: Resource


@dataclass(frozen=True, slots=True)
class DossierPage:
    """Some dossiers; ``next`` is the cursor of the page behind it."""

    found: tuple[Found, ...]
    next: str | None
    total: int | None = None


async def listed(gateway: Gateway, caller: Caller, query: DossierQuery) -> DossierPage:
    """Give a page of the list. Raises Invalid for a filter or a cursor that cannot be asked."""
    page = await _search(gateway, caller, query.driven_by, dossier_search.driving(query))
    if query.driven_by == "Patient":
        patients = {str(one.key): _resource(one) for one in page.matches}
        episodes = await _of_patients(gateway, caller, query, list(patients))
    else:
        patients = {str(one.key): _resource(one) for one in page.included}
        episodes = [_resource(one) for one in page.matches]
    found = [each for each in map(lambda e: _found(e, patients), episodes) if each is not None]
    if "member" in query.filters:
        found = await _with_member(gateway, caller, query, found)
    return DossierPage(tuple(found), page.next)


async def total(gateway: Gateway, caller: Caller, query: DossierQuery) -> int:
    """Give how many dossiers there are in all."""
    page = await _search(gateway, caller, "EpisodeOfCare", dossier_search.counted(query))
    return page.total or 0


async def all_of(
    gateway: Gateway, caller: Caller, query: DossierQuery
) -> AsyncIterator[DossierPage]:
    """Give the pages of the list one after another."""
    while True:
        page = await listed(gateway, caller, query)
        yield page
        if page.next is None:
            return
        query = replace(query, page=page.next)


async def rows(gateway: Gateway, caller: Caller, found: Iterable[Found]) -> list[dict[str, Any]]:
    """Give the rows of some dossiers, with how much of each section they hold."""
    held = list(found)
    counts: dict[str, dict[str, int]] = {}
    cells = [dossier_column(each.tag) for each in held]
    for count in await gateway.store.dossiers.counts(cells, caller):
        if count.element is not None and (count.type, count.element) in COUNTED:
            held_in = counts.setdefault(count.dossier, {})
            held_in[count.element] = held_in.get(count.element, 0) + count.number
    keys = [root_keys(each.tag)[1] for each in held]
    heads = await gateway.store.read_many(keys, caller)
    teams = [_resource(heads[key]) if key in heads else {} for key in keys]
    return [
        {
            **row_of(each.episode, each.patient, team),
            "counts": dict(sorted(counts.get(cell, {}).items())),
        }
        for each, cell, team in zip(held, cells, teams, strict=True)
    ]


async def _of_patients(
    gateway: Gateway, caller: Caller, query: DossierQuery, patients: list[str]
) -> list[Resource]:
    """Give the dossiers of the persons of a page, in the order of the persons."""
    if not patients:
        return []
    pairs = dossier_search.episodes_of(query, patients)
    page = await _search(gateway, caller, "EpisodeOfCare", pairs)
    place = {reference: number for number, reference in enumerate(patients)}
    episodes = [_resource(one) for one in page.matches]
    return sorted(episodes, key=lambda one: place.get(one["patient"].get("reference", ""), 0))


async def _with_member(
    gateway: Gateway, caller: Caller, query: DossierQuery, found: list[Found]
) -> list[Found]:
    """Leave out the other dossiers of a person who has the member in one of them only."""
    if not found:
        return []
    teams = {root_keys(each.tag)[1].id: each for each in found}
    criterion = dossier_search.team_criterion(query.filters["member"])
    pairs = [("_id", ",".join(teams)), criterion, ("_count", "1000")]
    page = await _search(gateway, caller, "CareTeam", pairs)
    there = {one.key.id for one in page.matches}
    return [each for id_, each in teams.items() if id_ in there]


async def _search(
    gateway: Gateway, caller: Caller, type: str, pairs: list[tuple[str, str]]
) -> Page:
    """Search; what is refused is told of the parameter of the list. Raises Invalid."""
    registry = gateway.store.parameters.registry
    try:
        query = await parsed(
            gateway,
            caller,
            lambda terms: parse(
                type,
                pairs,
                strict=True,
                base_url=gateway.base_url,
                terminology=terms,
                registry=registry,
            ),
        )
        return await gateway.store.search(query, caller)
    except Invalid as refusal:
        raise Invalid(*(replace(one, expression=None) for one in refusal.issues)) from None


def _resource(version: Version) -> Resource:
    return json_text.decode(version.body or b"{}")


def _found(episode: Resource, patients: Mapping[str, Resource]) -> Found | None:
    """Give a dossier with its person; None for what somebody else tagged with its name."""
    tag = tag_of(episode)
    patient = patients.get(episode.get("patient", {}).get("reference", ""))
    if tag is None or patient is None or Key("EpisodeOfCare", episode["id"]) not in root_keys(tag):
        return None
    return Found(tag, episode, patient)
