"""The flows of GAP 3.0.0: calendars, availabilities, appointments, answers.

https://interop.esante.gouv.fr/ig/fhir/gap/
"""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples
from tests.flows.canonical_equality import differences

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
FR = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
ROLE = {
    "resourceType": "PractitionerRole",
    "id": "role",
    "practitioner": {"reference": "Practitioner/doc"},
    "specialty": [{"coding": [{"system": R38, "code": "SM26"}]}],
}
DOCTOR = {"resourceType": "Practitioner", "id": "doc", "name": [{"family": "Martin"}]}


def schedule(*times: tuple[str, str, str]) -> dict[str, Any]:
    """Give a calendar with its availabilities: type, start, end."""
    return {
        "resourceType": "Schedule",
        "id": "agenda",
        "extension": [
            {
                "url": FR + "fr-core-schedule-availability-time",
                "extension": [
                    {"url": "type", "valueCode": kind},
                    {"url": "start", "valueDateTime": start},
                    {"url": "end", "valueDateTime": end},
                ],
            }
            for kind, start, end in times
        ],
        "actor": [{"reference": "PractitionerRole/role"}, {"reference": "Practitioner/doc"}],
    }


def slot(id: str, status: str, hour: int) -> dict[str, Any]:
    return {
        "resourceType": "Slot",
        "id": id,
        "schedule": {"reference": "Schedule/agenda"},
        "status": status,
        "start": f"2026-03-10T{hour:02}:00:00+01:00",
        "end": f"2026-03-10T{hour:02}:30:00+01:00",
    }


def appointment(**facts: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "identifier": [{"system": "https://hopital.example/rdv", "value": "R-1"}],
        "status": "proposed",
        "description": "Consultation",
        "created": "2026-03-01T10:00:00+01:00",
        "priority": 1,
        "slot": [{"reference": "Slot/free"}],
        "start": "2026-03-10T09:00:00+01:00",
        "end": "2026-03-10T09:30:00+01:00",
        "participant": [
            {"actor": {"reference": "PractitionerRole/role"}, "status": "needs-action"},
            {"actor": {"reference": "Practitioner/doc"}, "status": "needs-action"},
        ],
    } | facts


async def planned(served) -> None:
    morning = ("free", "2026-03-10T09:00:00+01:00", "2026-03-10T12:00:00+01:00")
    for resource in (DOCTOR, ROLE, schedule(morning), slot("free", "free", 9),
                     slot("busy", "busy", 10), slot("late", "free", 18)):  # fmt: skip
        await served.kept(resource)


def found(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [
        (one["search"]["mode"], f"{one['resource']['resourceType']}/{one['resource']['id']}")
        for one in answer.json().get("entry", ())
    ]


async def test_flow_2_and_3_a_calendar_its_availabilities_and_an_absence(served):
    await planned(served)
    morning = ("free", "2026-03-10T09:00:00+01:00", "2026-03-10T12:00:00+01:00")
    absence = ("busy-unavailable", "2026-03-11T00:00:00+01:00", "2026-03-13T00:00:00+01:00")
    answer = await served.ask("PUT", "/fhir/Schedule/agenda", schedule(morning, absence))
    assert answer.status_code == 200
    held = (await served.ask("GET", "/fhir/Schedule/agenda")).json()
    assert [one["extension"][0]["valueCode"] for one in held["extension"]] == [
        "free",
        "busy-unavailable",
    ]
    await served.kept(schedule(absence) | {"id": "other"})
    assert (await served.ask("DELETE", "/fhir/Schedule/other")).status_code in (200, 204)


async def test_flow_4a_free_times_are_found_through_who_holds_them(served):
    await planned(served)
    asked = (
        "/fhir/Slot?_include=Slot:schedule&_include=Schedule:actor&start=ge2026-03-10T08:00:00%2B01:00"
        f"&start=le2026-03-10T12:00:00%2B01:00&schedule.actor:PractitionerRole.specialty={R38}%7CSM26"
        "&status=free"
    )
    answer = await served.ask("GET", asked)
    told = found(answer)
    assert [each for each in told if each[0] == "match"] == [("match", "Slot/free")]
    assert ("include", "Schedule/agenda") in told
    other = asked.replace("SM26", "SM01")
    assert found(await served.ask("GET", other)) == []


async def test_flow_6_and_4b_an_appointment_is_asked_for_moved_confirmed_and_cancelled(served):
    await planned(served)
    answer = await served.ask("POST", "/fhir/Appointment", appointment())
    assert answer.status_code == 201, answer.text
    id_ = answer.json()["id"]
    named = "identifier=https://hopital.example/rdv%7CR-1"
    later = {"start": "2026-03-10T18:00:00+01:00", "end": "2026-03-10T18:30:00+01:00"}
    steps = [
        {"status": "booked"},
        {"status": "booked", "slot": [{"reference": "Slot/late"}], **later},
        {"status": "cancelled", "cancelationReason": {"text": "patient absent"}, **later},
    ]
    for number, facts in enumerate(steps, 2):
        answer = await served.ask("PUT", f"/fhir/Appointment?{named}", appointment(**facts))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["id"], answer.json()["meta"]["versionId"]) == (id_, str(number))
    for query in (
        named,
        "date=2026-03-10",
        "created=ge2026-03-01&priority=1",
        "status=cancelled&description=consultation",
        "start=ge2026-03-10T17:00:00%2B01:00",
        f"actor:PractitionerRole.specialty={R38}%7CSM26",
        "actor=Practitioner/doc",
    ):
        assert found(await served.ask("GET", f"/fhir/Appointment?{query}")) == [
            ("match", f"Appointment/{id_}")
        ], query


async def test_an_answer_moves_the_participant_and_is_kept(served, rules):
    await planned(served)
    await served.kept({"resourceType": "Patient", "id": "p"})
    id_ = (await served.ask("POST", "/fhir/Appointment", appointment())).json()["id"]
    answer = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{id_}"},
        "actor": {"reference": "Practitioner/doc"},
        "participantStatus": "accepted",
    }
    place = f"/fhir/Appointment/{id_}/$respond"
    for _ in range(2):
        done = await served.ask("POST", place, answer)
        assert done.status_code == 200, done.text
        assert [one["status"] for one in done.json()["participant"]] == ["accepted", "accepted"]
        assert done.json()["meta"]["versionId"] == "2"
    declined = answer | {"participantStatus": "declined"}
    done = await served.ask(
        "POST", place, declined | {"actor": {"reference": "PractitionerRole/role"}}
    )
    assert [one["status"] for one in done.json()["participant"]] == ["declined", "declined"]
    kept = await served.ask("GET", f"/fhir/AppointmentResponse?appointment=Appointment/{id_}")
    assert len(kept.json()["entry"]) == 2
    wrong = [
        ({"actor": {"reference": "Patient/p"}}, "agenda.not-a-participant"),
        ({"appointment": {"reference": "Appointment/other"}}, "agenda.response-to-another"),
        ({"participantStatus": "completed"}, "agenda.answer-unknown"),
    ]
    for facts, rule in wrong:
        refused = await served.ask("POST", place, answer | facts)
        assert (refused.status_code, rules(refused)) == (422, [rule])


async def test_answers_that_come_together_are_all_kept(served):
    await planned(served)
    people = [{"resourceType": "Patient", "id": f"p{number}"} for number in range(5)]
    for person in people:
        await served.kept(person)
    asked = [
        {"actor": {"reference": f"Patient/{one['id']}"}, "status": "needs-action"} for one in people
    ]
    made = await served.ask("POST", "/fhir/Appointment", appointment(participant=asked))
    id_ = made.json()["id"]
    answers = [
        {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{id_}"},
            "actor": one["actor"],
            "participantStatus": "accepted",
        }
        for one in asked
    ]
    done = await asyncio.gather(
        *(served.ask("POST", f"/fhir/Appointment/{id_}/$respond", one) for one in answers)
    )
    assert {one.status_code for one in done} == {200}
    held = (await served.ask("GET", f"/fhir/Appointment/{id_}")).json()
    assert {one["status"] for one in held["participant"]} == {"accepted"}


async def test_an_answer_over_fhir_is_the_answer_of_the_native_form(served):
    dossier = samples.qualified(b"%PDF-1.4 test")
    address = "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "")
    await served.ask("PUT", address, json.dumps(dossier).encode(), JSON)
    (entry,) = (await served.ask("GET", "/fhir/Appointment")).json()["entry"]
    kept = entry["resource"]
    doctor = next(
        one["actor"] for one in kept["participant"]
        if one["status"] == "accepted" and "type" in one
        and one["type"][0]["coding"][0]["code"] == "PART"
    )  # fmt: skip
    answer = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{kept['id']}"},
        "actor": {"reference": doctor["reference"]},
        "participantStatus": "tentative",
    }
    done = await served.ask("POST", f"/fhir/Appointment/{kept['id']}/$respond", answer)
    assert done.status_code == 200, done.text
    native = (await served.ask("GET", address)).json()["appointments"][0]
    assert native["participants"] == [{"member": "m2", "answer": "tentative"}]


async def test_a_gap_appointment_and_the_native_one_are_the_same_resource(served):
    """Written over FHIR as GAP has it: both PractitionerRole and Practitioner, and the patient."""
    dossier = samples.qualified(b"%PDF-1.4 test")
    dossier["appointments"][0]["participants"].append({"member": "person", "answer": "accepted"})
    address = "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "")
    await served.ask("PUT", address, json.dumps(dossier).encode(), JSON)
    (entry,) = (await served.ask("GET", "/fhir/Appointment")).json()["entry"]
    kept = entry["resource"]
    assert "passerelle.example/fhir/StructureDefinition" not in json.dumps(kept)
    name = f"{kept['identifier'][0]['system']}|{kept['identifier'][0]['value']}"
    sent = {key: value for key, value in kept.items() if key != "id"}
    sent["meta"] = {key: kept["meta"][key] for key in ("source", "profile", "tag")}
    moved = sent | {"start": "2026-12-11T14:00:00+01:00", "end": "2026-12-11T15:00:00+01:00"}
    place = f"/fhir/Appointment?identifier={quote(name, '')}"
    answer = await served.ask("PUT", place, moved)
    assert answer.status_code == 200, answer.text
    by_fhir = answer.json()
    pulled = (await served.ask("GET", address)).json()
    assert pulled["appointments"][0]["start"] == moved["start"]
    again = await served.ask("PUT", address, json.dumps(pulled).encode(), JSON)
    said = {one["action"] for one in again.json()["entries"] if one["section"] == "appointments"}
    assert said == {"unchanged"}
    await served.ask("PUT", address, json.dumps(dossier).encode(), JSON)
    native = (await served.ask("GET", f"/fhir/Appointment/{kept['id']}")).json()
    assert differences([native], [kept]) == ([], [])
    assert differences([by_fhir], [kept]) != ([], [])
