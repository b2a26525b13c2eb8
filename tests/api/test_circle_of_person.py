"""The circle of a person over all of its dossiers, at the door of each database."""

import copy
import json

import pytest

from passerelle.demo import samples
from passerelle.fhir.conformance import structure

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
OWN = "https://passerelle.example/fhir/StructureDefinition/circle-membership"


def two_dossiers():
    """Give two dossiers of one person, with members in common under other keys."""
    first = samples.qualified(b"%PDF-1.4 test") | {"openedAt": "2024-01-01"}
    for member in first["circle"]:
        member["periods"] = [{"start": "2024-02-03"}]
    second = copy.deepcopy(first)
    second["id"]["value"] = "D-2026-0099"
    coordinator, doctor, relative = second["circle"]
    coordinator["key"], doctor["key"], relative["key"] = "a", "b", "c"
    number = coordinator["professional"]["nationalId"]
    coordinator["professional"]["nationalId"] = number if len(number) == 12 else "8" + number
    coordinator["periods"] = [{"start": "2023-01-01", "end": "2030"}]
    doctor["periods"] = [{"start": "2024-01-01", "end": "2024-12-31"}]
    for name in ("documents", "appointments", "tasks"):
        second.pop(name, None)
    for each in (first, second):
        each["circle"].append(
            {
                "key": "s",
                "kind": "structure",
                "periods": [{"start": "2024"}],
                "structure": {"name": f"SSIAD {each['id']['value']}", "finess": "810000017"},
            }
        )
    return first, second


async def push(served, content):
    name = f"{content['id']['system']}|{content['id']['value']}"
    answer = await served.ask("PUT", f"/dossiers/{name}", json.dumps(content).encode(), JSON)
    assert answer.status_code == 201, answer.text
    entries = answer.json()["entries"]
    return next(one["reference"] for one in entries if one["section"] == "person")


@pytest.fixture
async def person(served):
    references = [await push(served, content) for content in two_dossiers()]
    assert len(set(references)) == 1
    return references[0]


async def circle(served, person, query=""):
    answer = await served.ask("GET", f"/fhir/{person}/$cercle-de-soins{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["type"] == "collection"
    assert structure.check(body) == []
    return body


def told(bundle):
    """Give, by name, how many memberships each participant has."""
    team = bundle["entry"][0]["resource"]
    return {
        one["member"]["display"]: [each["url"] for each in one["extension"]].count(OWN)
        for one in team.get("participant", ())
    }


def names():
    first, _ = two_dossiers()
    parts = ("title", "givenName", "familyName")
    return [
        " ".join(filter(None, (member[member["kind"]].get(part) for part in parts)))
        for member in first["circle"][:3]
    ]


async def test_a_professional_of_two_dossiers_is_one_participant(served, person):
    bundle = await circle(served, person, "?at=2024-06-01")
    coordinator, doctor, relative = names()
    structures = {name: n for name, n in told(bundle).items() if name.startswith("SSIAD")}
    assert list(structures.values()) == [2]
    people = {name: n for name, n in told(bundle).items() if not name.startswith("SSIAD")}
    assert people == {coordinator: 2, doctor: 2, relative: 1}
    team = bundle["entry"][0]["resource"]
    relatives = [one for one in team["participant"] if "RelatedPerson" in str(one["member"])]
    assert len(relatives) == 2
    assert team["subject"]["reference"] == person
    assert "id" not in team


async def test_who_left_is_no_member_now(served, person):
    now = await circle(served, person)
    coordinator, doctor, _ = names()
    assert told(now)[coordinator] == 2
    assert told(now)[doctor] == 1
    before = await circle(served, person, "?at=2023-06")
    assert list(told(before)) == []  # the dossier was opened later
    none = await circle(served, person, "?at=1990")
    assert [entry["resource"]["resourceType"] for entry in none["entry"]] == ["CareTeam"]


async def test_each_membership_tells_dossier_team_member_and_period(served, person):
    bundle = await circle(served, person, "?at=2024-06-01")
    team = bundle["entry"][0]["resource"]
    coordinator = team["participant"][0]
    held = [
        {part["url"]: part for part in extension["extension"]}
        for extension in coordinator["extension"]
    ]
    dossiers = [one["dossier"]["valueIdentifier"]["value"] for one in held]
    assert dossiers == [content["id"]["value"] for content in two_dossiers()]
    assert [one["period"]["valuePeriod"] for one in held] == [
        {"start": "2024-02-03"},
        {"start": "2023-01-01", "end": "2030"},
    ]
    assert coordinator["period"] == {"start": "2023-01-01"}
    there = {entry["fullUrl"].rpartition("/fhir/")[2] for entry in bundle["entry"][1:]}
    for one in held:
        assert one["team"]["valueReference"]["reference"] in there
        assert one["member"]["valueReference"]["reference"] in there
    types = {entry["resource"]["resourceType"] for entry in bundle["entry"][1:]}
    assert types == {
        "CareTeam",
        "PractitionerRole",
        "Practitioner",
        "RelatedPerson",
        "Organization",
    }


async def test_a_dossier_that_is_not_in_force_has_no_members(served, person):
    first, second = two_dossiers()
    for status, more in (("proposed", {}), ("entered-in-error", {})):
        name = f"{second['id']['system']}|{second['id']['value']}"
        body = json.dumps({**second, "status": status, **more}).encode()
        answer = await served.ask("PUT", f"/dossiers/{name}", body, JSON)
        assert answer.status_code == 200
        bundle = await circle(served, person, "?at=2024-06-01")
        assert set(told(bundle).values()) == {1}
    assert first["id"] != second["id"]


async def test_teams_that_others_wrote_are_read_as_they_are(served, person):
    role = {
        "resourceType": "CareTeam",
        "id": "hospital",
        "status": "active",
        "subject": {"reference": person},
        "participant": [
            {"member": {"reference": "Practitioner/nobody", "display": "Dr Absent"}},
            {
                "member": {
                    "identifier": {"system": "urn:x", "value": "1"},
                    "display": "Sans adresse",
                }
            },
            {"role": [{"text": "sans personne"}]},
        ],
    }
    await served.kept(role)
    bundle = await circle(served, person)
    assert told(bundle)["Dr Absent"] == told(bundle)["Sans adresse"] == 1


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("Patient/nobody/$cercle-de-soins", 404),
        ("Patient/{id}/$cercle-de-soins?at=hier", 400),
        ("Practitioner/{id}/$cercle-de-soins", 501),
    ],
)
async def test_what_cannot_be_answered_is_refused(served, person, address, status):
    asked = "/fhir/" + address.replace("{id}", person.partition("/")[2])
    assert (await served.ask("GET", asked)).status_code == status


async def test_too_many_circles_are_refused_and_never_cut_short(served, person, monkeypatch, rules):
    from passerelle.dossiers.operations import circle_of_person

    monkeypatch.setattr(circle_of_person, "TEAMS_MAX", 1)
    answer = await served.ask("GET", f"/fhir/{person}/$cercle-de-soins")
    assert answer.status_code == 422
    assert rules(answer) == ["operation.too-many-teams"]
