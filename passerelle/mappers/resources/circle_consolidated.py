"""The circle of a person over all its dossiers: one CareTeam made of several, never kept.

https://hl7.org/fhir/R4/careteam.html . A professional who is in several dossiers is one
participant, known by the national identifier, and so is a structure; each membership (which
dossier, which period, as whom) is told beside. Relatives are never taken for one another by their
names.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.date_interval import AFTER_ALL, BEFORE_ALL, Interval, interval
from passerelle.mappers.resources.code_systems import FINESS, IDNPS, IDNST, RPPS, SIRENE
from passerelle.mappers.resources.fhir_elements import Element, filled, parts, parts_of
from passerelle.mappers.resources.professionals_practitioner import national_id

NAME = "Cercle de soins de la personne"
NOT_IN_FORCE = frozenset({"proposed", "entered-in-error"})
"""Statuses of a CareTeam that nobody is a member by."""

_PROFESSIONALS = frozenset({"Practitioner", "PractitionerRole"})
_NATIONAL = {"professional": (RPPS, IDNPS), "structure": (IDNST, FINESS, SIRENE)}
"""Systems of the national identifiers of each kind, the one that counts most first."""


class Membership(NamedTuple):
    """One period of one member in one dossier, and what it stands for."""

    team: Resource
    participant: Element
    who: tuple[str, str]


def consolidated(
    teams: Iterable[Resource], resources: Mapping[str, Resource], patient: str, at: Interval
) -> Resource:
    """Make the CareTeam of those who are members at a moment.

    ``resources`` are the members and what they rest on, by their relative reference; ``patient``
    is the reference of the person.
    """
    people: dict[tuple[str, str], list[Membership]] = {}
    structures: dict[str, Element] = {}
    for team in teams:
        if team.get("status") in NOT_IN_FORCE or not _meets(team.get("period"), at):
            continue
        for managing in team.get("managingOrganization", ()):
            structures.setdefault(managing.get("reference", ""), managing)
        for participant in team.get("participant", ()):
            if "member" in participant and _meets(participant.get("period"), at):
                who = _who(participant["member"], resources)
                people.setdefault(who, []).append(Membership(team, participant, who))
    return filled(
        {
            "resourceType": "CareTeam",
            "status": "active",
            "name": NAME,
            "subject": {"reference": patient},
            "participant": [_participant(found) for found in people.values()],
            "managingOrganization": list(structures.values()),
        }
    )


def named_in(teams: Iterable[Resource]) -> Iterator[str]:
    """Give the references of the members of some teams."""
    for team in teams:
        for participant in team.get("participant", ()):
            yield participant.get("member", {}).get("reference", "")


def rested_on(members: Iterable[Resource]) -> Iterator[str]:
    """Give the references of what members rest on: who is in a role, where; what one is part of."""
    for member in members:
        for name in ("practitioner", "organization", "partOf"):
            yield (member.get(name) or {}).get("reference", "")


def refers_to(made: Resource) -> set[str]:
    """Give the references that the consolidated CareTeam holds, but for the person."""
    found = {one.get("reference", "") for one in made.get("managingOrganization", ())}
    for participant in made.get("participant", ()):
        found.add(participant["member"].get("reference", ""))
        for told in map(parts_of, participant["extension"]):
            found |= {told["team"]["reference"], told["member"].get("reference", "")}
    return found


def _participant(found: list[Membership]) -> Element:
    first = found[0].participant
    roles: list[Element] = []
    for one in found:
        roles += [role for role in one.participant.get("role", ()) if role not in roles]
    periods = [one.participant.get("period", {}) for one in found]
    return filled(
        {
            "extension": [_told(one) for one in found],
            "role": roles,
            "member": first["member"],
            "onBehalfOf": first.get("onBehalfOf"),
            "period": filled(
                {"start": _first(periods), "end": _last(periods)},
            ),
        }
    )


def _told(one: Membership) -> Element:
    """Tell a membership: the dossier, its team, the member there, the period."""
    identifiers = one.team.get("identifier", ())
    team = f"CareTeam/{one.team['id']}"
    told = parts(
        "circle-membership",
        {
            "dossier": ("valueIdentifier", next(iter(identifiers), None)),
            "team": ("valueReference", {"reference": team}),
            "member": ("valueReference", one.participant["member"]),
            "period": ("valuePeriod", one.participant.get("period")),
        },
    )
    assert told is not None
    return told


def _who(member: Mapping[str, Any], resources: Mapping[str, Resource]) -> tuple[str, str]:
    """Give what a member is known by: a national identifier, else the resource itself."""
    reference = str(member.get("reference", ""))
    resource = resources.get(reference, {})
    type_ = reference.partition("/")[0]
    if type_ in _PROFESSIONALS:
        kind, shared = "professional", (resource.get("practitioner") or {})
    elif type_ == "Organization":
        kind, shared = "structure", (resource.get("partOf") or {})
    else:
        return "", reference or str(member)
    rested = str(shared.get("reference", ""))
    stated: list[Element] = [
        *_identifiers(resource),
        *_identifiers(resources.get(rested, {})),
        dict(shared),
    ]
    national = [one.get("identifier", one) for one in stated]  # of a reference, what it tells
    for system in _NATIONAL[kind]:
        for one in national:
            if one.get("system") == system and one.get("value"):
                return kind, _number(kind, str(one["value"]), system)
    return kind, rested or reference


def _identifiers(resource: Mapping[str, Any]) -> list[Element]:
    return list(resource.get("identifier", ()))


def _number(kind: str, value: str, system: str) -> str:
    """Give a number in one spelling: an RPPS number goes out with and without its type."""
    return national_id(value).idnps if kind == "professional" else f"{system}|{value}"


def _meets(period: Mapping[str, Any] | None, at: Interval) -> bool:
    """Tell whether a period and a moment overlap."""
    low = interval(str((period or {}).get("start", "")))
    high = interval(str((period or {}).get("end", "")))
    begins = BEFORE_ALL if low is None else low.low
    ends = AFTER_ALL if high is None else high.high
    return begins < at.high and at.low < ends


def _first(periods: list[Element]) -> str | None:
    """Give the earliest start; none when one period has none."""
    starts = [period.get("start") for period in periods]
    known = [start for start in starts if start is not None]
    return min(known, key=_begins) if len(known) == len(starts) else None


def _last(periods: list[Element]) -> str | None:
    """Give the latest end; none when one period is open."""
    ends = [period.get("end") for period in periods]
    known = [end for end in ends if end is not None]
    return max(known, key=_ends) if len(known) == len(ends) else None


def _begins(text: str) -> int:
    found = interval(text)
    return BEFORE_ALL if found is None else found.low


def _ends(text: str) -> int:
    found = interval(text)
    return AFTER_ALL if found is None else found.high
