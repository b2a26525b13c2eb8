"""The lines of the correspondence that are not obvious, on a dossier that shows them."""

import json
from base64 import b64encode
from hashlib import sha1
from pathlib import Path

import pytest

from passerelle.errors.refusals import Unprocessable
from passerelle.fhir.conformance import structure
from passerelle.mappers.native.dossier import normal
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_naming import merge_tags
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from passerelle.mappers.resources.code_systems import IDNPS, RPPS, TRE_A07, TRE_A08, TRE_R260
from passerelle.mappers.resources.contact_points import EMAIL_TYPE, MAILBOX_METADATA
from passerelle.mappers.resources.dossier_episode import with_history

GOLDENS = Path(__file__).resolve().parents[1] / "goldens"


def golden(name="coordination", **changes):
    content = json.loads((GOLDENS / f"dossier-{name}.json").read_text(encoding="utf-8"))
    return normal({**content, **changes})


def made(dossier, **options):
    return to_fhir(dossier, known_ids={}, **options)


def of(entries, section, key, role="primary"):
    return next(
        one.resource for one in entries if (one.section, one.key, one.role) == (section, key, role)
    )


def of_type(entries, type):
    return [one.resource for one in entries if one.resource["resourceType"] == type]


def test_the_team_bears_the_identifier_of_the_dossier_and_a_participant_for_each_period():
    team = of(made(golden()), "dossier", "D-2026-000001", "supporting")
    assert team["identifier"] == [
        {"system": "https://coordination.example/dossiers", "value": "D-2026-000001"}
    ]
    types = [one["member"]["reference"].partition("/")[0] for one in team["participant"]]
    assert types == [
        "PractitionerRole",
        "RelatedPerson",
        "PractitionerRole",
        "PractitionerRole",
        "Organization",
    ]
    assert [one["period"] for one in team["participant"][2:4]] == [
        {"start": "2026-01-15", "end": "2026-02-01"},
        {"start": "2026-02-20"},
    ]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("proposed", "proposed"),
        ("active", "active"),
        ("suspended", "suspended"),
        ("closed", "inactive"),
        ("merged", "inactive"),
        ("entered-in-error", "entered-in-error"),
    ],
)
def test_a_closed_or_merged_dossier_is_an_inactive_team(status, wanted):
    into = {"system": "urn:oid:1.2.3", "value": "D-9"}
    dossier = golden("clos", status=status, mergedInto=into)
    entries = made(dossier)
    (team,) = of_type(entries, "CareTeam")
    assert team["status"] == wanted
    assert from_fhir([one.resource for one in entries], {}).content["status"] == status


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("proposed", "planned"),
        ("active", "active"),
        ("suspended", "onhold"),
        ("closed", "finished"),
        ("merged", "cancelled"),
        ("entered-in-error", "entered-in-error"),
    ],
)
def test_the_dossier_is_an_episode_of_care_with_its_team_and_its_pathways(status, wanted):
    pathway = {"key": "p1", "kind": {"text": "Parcours gériatrique"}, "start": "2025-03"}
    into = {"system": "urn:oid:1.2.3", "value": "D-9"}
    entries = made(golden("clos", status=status, pathways=[pathway], mergedInto=into))
    episode, (team,) = of(entries, "dossier", "81/2025/7"), of_type(entries, "CareTeam")
    assert (episode["resourceType"], episode["status"]) == ("EpisodeOfCare", wanted)
    assert episode["identifier"] == team["identifier"]
    assert episode["team"] == [{"reference": f"CareTeam/{team['id']}"}]
    assert [type["text"] for type in episode["type"]] == ["Parcours gériatrique"]
    assert episode["patient"] == team["subject"]


def test_a_merged_dossier_is_linked_to_the_one_that_took_it_over():
    survivor = {"system": "https://coordination.example/dossiers", "value": "D-9"}
    (linkage,) = of_type(made(golden("clos", status="merged", mergedInto=survivor)), "Linkage")
    named = [(item["type"], item["resource"]["identifier"]["value"]) for item in linkage["item"]]
    assert named == [("source", "D-9"), ("alternate", "81/2025/7")]


def test_a_dossier_keeps_the_statuses_that_it_has_been_through():
    def episode(status, updated_at):
        dossier = golden(status=status, updatedAt=updated_at)
        return of(made(dossier), "dossier", "D-2026-000001")

    active = episode("active", "2026-02-01T08:00:00+01:00")
    onhold = with_history(active, episode("suspended", "2026-03-01T08:00:00+01:00"))
    assert [one["status"] for one in onhold["statusHistory"]] == ["active"]
    assert onhold["statusHistory"][0]["period"] == {
        "start": active["period"]["start"],
        "end": "2026-03-01T08:00:00+01:00",
    }
    assert with_history(onhold, episode("suspended", "2026-03-01T08:00:00+01:00")) == onhold
    again = with_history(onhold, episode("active", "2026-02-28T08:00:00+01:00"))
    assert [one["period"] for one in again["statusHistory"]][1:] == [
        {"start": "2026-03-01T08:00:00+01:00", "end": "2026-03-01T08:00:00+01:00"}
    ]
    assert structure.check(again) == []


def test_a_record_without_an_episode_is_read_from_its_team():
    dossier = golden("clos")
    resources = [one.resource for one in made(dossier)]
    episode = next(one for one in resources if one["resourceType"] == "EpisodeOfCare")
    others = [one for one in resources if one["resourceType"] != "EpisodeOfCare"]
    for one in others:
        if one["resourceType"] == "CareTeam":
            one["extension"] = episode["extension"]
    assert from_fhir(others, {}) == dossier


def test_an_rpps_number_goes_out_twice_however_it_was_written():
    shared = of(made(golden()), "circle", "m1", "supporting")
    other = of(made(golden()), "circle", "m3", "supporting")
    for practitioner, number in ((shared, "10001234567"), (other, "10003456789")):
        found = {one["system"]: one["value"] for one in practitioner["identifier"]}
        assert found[RPPS] == number
        assert found[IDNPS] == "8" + number


def test_two_dossiers_of_a_platform_share_the_professional_the_structure_and_the_person():
    first = made(golden())
    second = made(golden(id={"system": "https://coordination.example/dossiers", "value": "D-2"}))
    for type in ("Practitioner", "Patient"):
        assert [one["id"] for one in of_type(first, type)] == [
            one["id"] for one in of_type(second, type)
        ]
    shared = {one["id"] for one in of_type(first, "Organization") if "tag" not in one["meta"]}
    assert shared == {
        one["id"] for one in of_type(second, "Organization") if "tag" not in one["meta"]
    }
    for type in ("PractitionerRole", "CareTeam", "Task", "DocumentReference"):
        ids = {one["id"] for one in of_type(first, type)}
        assert ids.isdisjoint(one["id"] for one in of_type(second, type))


def test_the_person_shared_by_two_dossiers_carries_both_tags():
    first = of(made(golden()), "person", "person")
    other = golden(id={"system": "https://coordination.example/dossiers", "value": "D-2"})
    second = of(made(other), "person", "person")
    merged = merge_tags(first, second)
    assert [tag["code"] for tag in merged["meta"]["tag"]] == [golden().tag, other.tag]
    assert merge_tags(merged, first)["meta"]["tag"] == merged["meta"]["tag"]
    resources = [one.resource for one in made(other)]
    assert (
        from_fhir([merged if r["id"] == merged["id"] else r for r in resources], _blobs(other))
        == other
    )


def test_equal_structures_share_one_organisation_and_none_overwrites_another():
    entries = made(golden())
    role = of(entries, "circle", "m1")
    (team,) = of_type(entries, "CareTeam")
    assert role["organization"]["reference"] == team["managingOrganization"][0]["reference"]
    member = of(entries, "circle", "m4")
    assert member["partOf"]["reference"] != role["organization"]["reference"]
    assert member["name"] == "SSIAD de l'Exemple"


def test_a_relative_without_a_telephone_says_that_it_is_unknown():
    relative = of(made(golden()), "circle", "m2")
    (telecom,) = relative["telecom"]
    assert telecom["system"] == "phone"
    assert telecom["_value"]["extension"][0]["valueCode"] == "unknown"
    assert relative["relationship"][0]["coding"][0] == {"system": TRE_R260, "code": "NOK"}


def test_a_role_outside_the_french_classes_is_not_dressed_up_as_one():
    content = golden().content
    circle = [{**one, "role": {"text": "aidante"}} for one in content["circle"]]
    relative = of(made(golden(circle=circle)), "circle", "m2")
    (coding,) = relative["relationship"][0]["coding"]
    assert coding["system"] == TRE_R260
    assert "code" not in coding
    assert relative["relationship"][0]["text"] == "aidante"


def test_a_secure_mailbox_is_marked_as_the_directory_marks_it():
    (telecom,) = of(made(golden()), "circle", "m1")["telecom"]
    assert telecom["value"] == "dac81@demo.mssante.fr"
    urls = {one["url"]: one for one in telecom["extension"]}
    assert urls[EMAIL_TYPE]["valueCoding"]["code"] == "MSSANTE"
    (type,) = urls[MAILBOX_METADATA]["extension"]
    assert type["valueCodeableConcept"]["coding"][0]["code"] == "ORG"


def test_the_bytes_of_a_file_stand_on_a_binary_without_data():
    dossier = golden()
    entries = made(dossier)
    binary = next(one for one in entries if one.blob is not None)
    reference = of(entries, "documents", "d1")
    attachment = reference["content"][0]["attachment"]
    assert "data" not in binary.resource
    assert binary.resource["contentType"] == "application/pdf"
    assert binary.resource["securityContext"]["reference"] == f"DocumentReference/{reference['id']}"
    assert attachment["url"] == f"Binary/{binary.resource['id']}"
    assert attachment["size"] == len(binary.blob)
    assert attachment["hash"] == b64encode(sha1(binary.blob).digest()).decode()
    assert attachment["language"] == "fr-FR"


def test_the_hash_of_an_empty_file_is_the_one_that_the_guide_gives():
    document = {
        **golden().content["documents"][0],
        "files": [{"mimeType": "text/plain", "data": ""}],
    }
    reference = of(made(golden(documents=[document])), "documents", "d1")
    assert reference["content"][0]["attachment"]["hash"] == "2jmj7l5rSw0yVb/vlWAYkK/YBwk="


def test_further_files_stand_on_references_that_append_to_the_first():
    dossier = golden("clos")
    entries = made(dossier)
    first = of(entries, "documents", "d/1")
    further = of(entries, "documents", "d/1", "supporting")
    assert further["relatesTo"] == [
        {
            "code": "appends",
            "target": {
                "reference": f"DocumentReference/{first['id']}",
                "identifier": first["identifier"][0],
            },
        }
    ]
    assert first["context"]["related"][0]["reference"] == f"DocumentReference/{further['id']}"


def test_a_file_that_the_document_no_longer_has_is_not_read_back():
    content = golden("clos").content
    document = {**content["documents"][0], "files": content["documents"][0]["files"][:1]}
    now = golden("clos", documents=[document])
    stale = of(made(golden("clos")), "documents", "d/1", "supporting")
    assert from_fhir([*(one.resource for one in made(now)), stale], {}) == now


def test_a_file_given_by_its_address_has_no_hash_and_says_so():
    attachment = of(made(golden("clos")), "documents", "d/1")["content"][0]["attachment"]
    assert attachment["url"] == "files/d1.txt"
    assert "hash" not in attachment
    assert attachment["_hash"]["extension"][0]["valueCode"] == "unknown"


def test_without_the_bytes_a_file_is_named_by_its_binary():
    dossier = golden()
    resources = [one.resource for one in made(dossier)]
    (file,) = from_fhir(resources, None).section("documents")[0]["files"]
    assert "data" not in file
    assert file["url"].startswith("Binary/")


def test_who_it_is_hidden_from_goes_out_as_security_labels():
    reference = of(made(golden()), "documents", "d1")
    labels = [(c["system"], c["code"]) for one in reference["securityLabel"] for c in one["coding"]]
    assert labels == [(TRE_A08, "N"), (TRE_A07, "MASQUE_PS")]


def test_a_document_of_the_person_is_an_expression_of_the_patient():
    reference = of(made(golden("clos")), "documents", "d/1")
    assert reference["author"] == [{"reference": "#patient"}]
    assert reference["context"]["facilityType"]["coding"][0]["code"] == "EXP_PATIENT"
    assert reference["category"][0]["coding"][0]["code"] == "90"


def test_the_contained_patient_tells_nothing_but_its_local_identifier():
    reference = of(made(golden()), "documents", "d1")
    patient = next(one for one in reference["contained"] if one["id"] == "patient")
    assert patient.keys() == {"resourceType", "id", "identifier"}
    assert [one["value"] for one in patient["identifier"]] == ["8842"]


def test_a_professional_takes_part_in_an_appointment_twice_and_the_person_is_told():
    appointment = of(made(golden()), "appointments", "a1")
    actors = [
        one["actor"].get("reference", "").partition("/")[0] for one in appointment["participant"]
    ]
    assert actors == [
        "PractitionerRole",
        "Practitioner",
        "PractitionerRole",
        "Practitioner",
        "",
        "Patient",
    ]
    assert appointment["participant"][-1]["required"] == "information-only"


@pytest.mark.parametrize(("status", "standard"), [("cancelled", True), ("booked", False)])
def test_a_reason_is_a_cancelation_reason_only_where_r4_admits_one(status, standard):
    content = golden().content["appointments"][0]
    appointment = {**content, "status": status, "cancelReason": {"text": "hospitalisation"}}
    assert (
        "cancelationReason" in of(made(golden(appointments=[appointment])), "appointments", "a1")
    ) is (standard)


def test_a_comment_of_a_professional_is_by_the_practitioner_and_by_the_member():
    (note,) = of(made(golden()), "tasks", "t1")["note"]
    assert note["authorReference"]["reference"].startswith("Practitioner/")
    assert note["extension"][0]["valueReference"]["reference"].startswith("PractitionerRole/")


def test_a_task_may_be_about_what_only_the_record_holds():
    task = {**golden().content["tasks"][0], "about": "d9"}
    dossier = golden(tasks=[task])
    with pytest.raises(KeyError):
        made(dossier)
    focus = of(made(dossier, known=frozenset({("documents", "d9")})), "tasks", "t1")["focus"]
    assert focus["reference"].startswith("DocumentReference/")


def test_a_known_id_is_used_wherever_the_resource_is_named():
    local = golden().content["person"]["identifiers"][0]
    known = {("Patient", local["system"], local["value"]): "p1"}
    entries = to_fhir(golden(), known_ids=known)
    assert of(entries, "person", "person")["id"] == "p1"
    assert of(entries, "dossier", "D-2026-000001")["patient"]["reference"] == "Patient/p1"
    resources = [one.resource for one in entries]
    assert from_fhir(resources, _blobs(golden(), known_ids=known)) == golden()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("D", "a/b"), ("D/a", "b")),
        (("D", "a%2Fb"), ("D", "a/b")),
        (("D%", "a"), ("D%25", "a")),
    ],
)
def test_no_two_entries_share_a_name(one, two):
    def task_id(value, key):
        task = {k: v for k, v in golden().content["tasks"][0].items() if k != "about"}
        dossier = golden(
            id={"system": "https://coordination.example/dossiers", "value": value},
            tasks=[{**task, "key": key}],
        )
        return of(made(dossier), "tasks", key)["id"]

    assert task_id(*one) != task_id(*two)


def test_dossiers_of_two_domains_with_one_value_share_no_name():
    first, second = (
        golden(id={"system": system, "value": "1"})
        for system in ("https://coordination.example/dossiers", "urn:oid:1.2.3")
    )
    ids = {one["id"] for one in of_type(made(first), "Task")}
    assert ids.isdisjoint(one["id"] for one in of_type(made(second), "Task"))


def test_members_are_read_back_though_the_shared_practitioner_changed_its_name():
    resources = [one.resource for one in made(golden())]
    for practitioner in (r for r in resources if r["resourceType"] == "Practitioner"):
        practitioner["name"] = [{"family": "AUTRE"}]
    assert from_fhir(resources, _blobs(golden())) == golden()


def test_sections_may_be_asked_for_alone():
    resources = [one.resource for one in made(golden())]
    read = from_fhir(resources, None, sections={"tasks"})
    assert read.section("tasks") == golden().section("tasks")
    assert read.section("circle") == read.section("documents") == ()
    assert read.content["person"] == golden().content["person"]


@pytest.mark.parametrize("type", ["CareTeam", "Patient"])
def test_a_record_without_its_team_or_its_patient_is_refused(type):
    resources = [r for one in made(golden()) if (r := one.resource)["resourceType"] != type]
    with pytest.raises(Unprocessable) as refusal:
        from_fhir(resources, None)
    assert [issue.rule for issue in refusal.value.issues] == ["dossier.record-incomplete"]


def _blobs(dossier, **options):
    entries = to_fhir(dossier, **{"known_ids": {}, **options})
    return {one.resource["id"]: one.blob for one in entries if one.blob is not None}


def test_an_alert_warns_each_recipient_and_what_was_noted_leads_to_its_warning():
    (alert,) = golden().section("alerts")
    entries = made(golden(alerts=[{**alert, "raisedBy": "m2"}]))
    flag = of(entries, "alerts", "al1")
    assert flag["status"] == "active"
    assert flag["category"][0]["coding"][1]["code"] == "safety"
    assert "author" not in flag, "R4 admits no relative as the author of a Flag"
    warnings = of_type(entries, "CommunicationRequest")
    assert [(one["status"], one["priority"]) for one in warnings] == [
        ("completed", "stat"),
        ("active", "stat"),
    ]
    assert {one["requester"]["reference"].partition("/")[0] for one in warnings} == {
        "RelatedPerson"
    }
    noted = of(entries, "alerts", "al1", "supporting")
    assert noted in warnings
    (said,) = (
        one for one in of_type(entries, "Communication") if "about" in one and "basedOn" in one
    )
    assert said["basedOn"][0]["reference"] == f"CommunicationRequest/{warnings[0]['id']}"
    assert said["about"][0]["reference"] == f"Flag/{flag['id']}"


def test_a_form_is_a_response_and_its_scores_are_found_as_quantities():
    entries = made(golden())
    response = of(entries, "forms", "f1")
    assert response["_questionnaire"]["extension"][0]["valueString"] == "PPCS"
    (score,) = of_type(entries, "Observation")
    assert score["category"][0]["coding"][0]["code"] == "survey"
    assert score["valueQuantity"]["code"] == "{score}"
    assert score["status"] == "final"
