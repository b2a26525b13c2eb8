"""An event is an Encounter or a fact of life, by its kind."""

import pytest

from passerelle.dossiers.rights_columns import rights_columns
from passerelle.fhir.conformance import structure
from passerelle.mappers.native.dossier import dump
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_sections import homes
from passerelle.mappers.resources.events_homes import CLASSES, EVENT_KINDS, KINDS
from tests.mappers.test_dossier_correspondence import golden, made, of

EVENT = {
    "key": "e1",
    "kind": "hospital-stay",
    "title": "Hospitalisation pour chute",
    "text": "Fracture du poignet.",
    "start": "2026-10",
    "end": "2026-11-02T10:00:00+01:00",
    "status": "finished",
    "structure": {"name": "CH de l'Exemple", "finess": "810000000"},
    "participants": ["m1", "m2", "person", "m4"],
    "origin": "hospital",
}


def dossier_with(*events, **changes):
    return golden(events=[*events] or [{**EVENT, **changes}])


def resource(dossier, key="e1", role="primary"):
    return of(made(dossier), "events", key, role)


def back(entries):
    blobs = {one.resource["id"]: one.blob for one in entries if one.blob is not None}
    return from_fhir([one.resource for one in entries], blobs)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_type_and_its_class_and_comes_back(kind):
    dossier = dossier_with(kind=kind)
    found = resource(dossier)
    life = kind in ("move", "life-event")
    assert found["resourceType"] == ("Observation" if life else "Encounter")
    assert rights_columns(found).element == "events"
    if life:
        assert found["category"][0]["coding"][0]["code"] == "social-history"
        assert found["valueString"] == EVENT["title"]
    else:
        code = CLASSES[kind][0] if kind in CLASSES else kind
        assert found["class"]["code"] == code
        assert found["type"][0]["coding"][0]["system"] == EVENT_KINDS
    assert back(made(dossier)) == dossier


def test_a_stay_is_at_the_shared_structure_with_those_who_took_part():
    entries = made(dossier_with())
    stay = of(entries, "events", "e1")
    shared = of(entries, "events", "e1", "supporting")
    assert stay["serviceProvider"]["reference"] == f"Organization/{shared['id']}"
    assert "tag" not in shared["meta"]
    assert stay["period"] == {"start": "2026-10", "end": "2026-11-02T10:00:00+01:00"}
    assert stay["identifier"][0]["type"]["coding"][0]["code"] == "VN"
    individuals = [one.get("individual", {}).get("reference", "") for one in stay["participant"]]
    assert [one.partition("/")[0] for one in individuals] == [
        "PractitionerRole",
        "RelatedPerson",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("kind", "status", "wanted"),
    [
        ("consultation", None, "unknown"),
        ("consultation", "planned", "planned"),
        ("consultation", "in-progress", "in-progress"),
        ("consultation", "finished", "finished"),
        ("consultation", "cancelled", "cancelled"),
        ("consultation", "entered-in-error", "entered-in-error"),
        ("move", None, "unknown"),
        ("move", "planned", "registered"),
        ("move", "in-progress", "preliminary"),
        ("move", "finished", "final"),
        ("move", "cancelled", "cancelled"),
        ("move", "entered-in-error", "entered-in-error"),
    ],
)
def test_a_status_is_that_of_its_type_and_comes_back(kind, status, wanted):
    event = {name: value for name, value in EVENT.items() if name != "status"}
    dossier = dossier_with({**event, "kind": kind, **({"status": status} if status else {})})
    assert resource(dossier)["status"] == wanted
    assert back(made(dossier)) == dossier


@pytest.mark.parametrize(
    ("kind", "status", "native"),
    [
        ("emergency", "arrived", "in-progress"),
        ("emergency", "triaged", "in-progress"),
        ("hospital-stay", "onleave", "in-progress"),
        ("move", "amended", "finished"),
        ("move", "corrected", "finished"),
    ],
)
def test_a_status_that_only_others_set_is_read(kind, status, native):
    entries = made(dossier_with(kind=kind))
    of(entries, "events", "e1")["status"] = status
    (read,) = back(entries).section("events")
    assert read["status"] == native


@pytest.mark.parametrize(
    ("kind", "changes", "read"),
    [
        ("emergency", {}, ("emergency", "Autre événement")),
        ("other", {"class": {"code": "SS"}}, ("hospital-stay", "Autre événement")),
        ("respite", {"type": [{"text": "accueil de jour"}]}, ("other", "accueil de jour")),
        ("move", {"code": {"coding": [{"display": "Deuil"}]}}, ("life-event", "Deuil")),
    ],
)
def test_what_others_write_without_our_kind_and_title_has_one(kind, changes, read):
    entries = made(dossier_with(kind=kind))
    found = of(entries, "events", "e1")
    for name in ("type", "category", "extension", "valueString"):
        found.pop(name, None)
    found.pop("class", None) if kind == "respite" else found.get("class", {}).pop("display", None)
    found.update(changes)
    (event,) = back(entries).section("events")
    assert (event["kind"], event["title"]) == read


def test_an_encounter_is_of_the_episode_of_its_dossier():
    dossier = dossier_with()
    episode = of(made(dossier), "dossier", dossier.value)
    stay = resource(dossier)
    assert stay["episodeOfCare"] == [{"reference": f"EpisodeOfCare/{episode['id']}"}]


def test_events_of_both_types_keep_their_order():
    keys = ("e1", "e2", "e3")
    events = [
        {**EVENT, "key": key, "kind": kind}
        for key, kind in zip(keys, ("move", "respite", "life-event"), strict=True)
    ]
    dossier = dossier_with(*events)
    assert back(made(dossier)) == dossier


@pytest.mark.parametrize(("before", "now"), [("move", "respite"), ("respite", "move")])
def test_an_event_that_changes_its_type_leaves_what_it_was_in_error(before, now):
    first, second = dossier_with(kind=before), dossier_with(kind=now)
    entries = made(second, held=homes(first))
    of_events = [one for one in entries if one.section == "events"]
    supporting = [one.resource for one in of_events if one.role == "supporting"]
    (left,) = [one for one in supporting if one["resourceType"] in ("Encounter", "Observation")]
    assert left["id"] == resource(first)["id"]
    assert left["status"] == "entered-in-error"
    assert structure.check(left) == []
    moved = left["extension"][-1]["valueReference"]["reference"]
    assert moved == f"{resource(second)['resourceType']}/{resource(second)['id']}"
    assert back(entries) == second
    again = made(second, held=homes(second))
    assert [one for one in again if one.resource["id"] == left["id"]] == []


def test_a_task_may_be_about_an_event_that_only_the_record_holds():
    task = {**golden().content["tasks"][0], "about": "e9"}
    for kind, type_ in (("move", "Observation"), ("respite", "Encounter")):
        held = homes(dossier_with({**EVENT, "key": "e9", "kind": kind}))
        entries = made(golden(tasks=[task]), known=frozenset({("events", "e9")}), held=held)
        assert of(entries, "tasks", "t1")["focus"]["reference"].startswith(type_ + "/")


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        ({"end": "2026-09-01"}, "dossier.period-order", "/events/0/end"),
        ({"documents": ["d99"]}, "dossier.reference-unresolved", "/events/0/documents/0"),
        ({"participants": ["m99"]}, "dossier.reference-unresolved", "/events/0/participants/0"),
        ({"start": "hier"}, "dossier.date", "/events/0/start"),
    ],
)
def test_an_event_at_fault_is_refused_at_its_place(change, rule, place):
    parsed = parse(dump(dossier_with(**change)))
    assert (rule, place) in {(one.rule, one.expression) for one in parsed.issues}
    assert parsed.refused == {("events", "e1")}
