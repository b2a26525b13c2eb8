"""Calendars: out as iCalendar, of a dossier, of a person, of a professional."""

import json
from base64 import b64decode
from typing import Any
from urllib.parse import quote

import icalendar
import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
MEETING = {
    "key": "a1",
    "uid": "réunion-1@coordination.example",
    "title": "RCP, avec la famille; puis visite",
    "text": "Salle 2\nÉtage 3",
    "start": "2026-03-10T13:00:00Z",
    "end": "2026-03-10T15:00:00+01:00",
    "status": "booked",
    "place": "Maison de santé",
    "organiser": "m1",
    "participants": [{"member": "m2", "answer": "accepted"}, {"member": "person"}],
    "rrule": "FREQ=WEEKLY;COUNT=5\nEXDATE:20260317T130000Z",
}
MOVED = {
    "key": "a1@20260324T130000Z",
    "uid": MEETING["uid"],
    "title": "RCP déplacée",
    "start": "2026-03-25T14:00:00+01:00",
    "status": "proposed",
}
ALONE = {
    "key": "a2",
    "title": "Visite",
    "start": "2026-04-01T09:00:00+02:00",
    "status": "cancelled",
    "cancelReason": {"text": "absence"},
}


@pytest.fixture
def dossier():
    return samples.qualified(b"%PDF-1.4 test") | {"appointments": [MEETING, MOVED, ALONE]}


def address(dossier: dict[str, Any], rest: str = "") -> str:
    return "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "") + rest


async def pushed(served, dossier) -> None:
    answer = await served.ask("PUT", address(dossier), json.dumps(dossier).encode(), JSON)
    assert answer.status_code in (200, 201), answer.text
    assert not [one for one in answer.json()["issues"] if one["severity"] == "error"]


def events(body: bytes) -> list[icalendar.Event]:
    read = icalendar.Calendar.from_ical(body)
    return [part for part in read.walk("VEVENT") if not part.errors]


async def key_of(served, type: str) -> str:
    found = (await served.ask("GET", f"/fhir/{type}")).json()["entry"]
    return str(found[0]["resource"]["id"])


async def test_a_dossier_is_a_calendar(served, dossier):
    await pushed(served, dossier)
    answer = await served.ask("GET", address(dossier, "?as=ical"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert max(map(len, answer.content.split(b"\r\n"))) <= 75
    meeting, moved, alone = events(answer.content)
    assert meeting["UID"] == MEETING["uid"]
    assert meeting["DTSTART"].to_ical() == b"20260310T140000"
    assert meeting["DTSTART"].params["TZID"] == "Europe/Paris"
    assert meeting["DTEND"].to_ical() == b"20260310T150000"
    assert (meeting["STATUS"], meeting["SEQUENCE"]) == ("CONFIRMED", 0)
    assert meeting["SUMMARY"] == MEETING["title"]
    assert meeting["DESCRIPTION"] == MEETING["text"]
    assert meeting["LOCATION"] == MEETING["place"]
    assert meeting["RRULE"].to_ical() == b"FREQ=WEEKLY;COUNT=5"
    assert meeting["EXDATE"].to_ical() == b"20260317T140000"
    assert meeting["ORGANIZER"].params["X-PASSERELLE-REFERENCE"].startswith("PractitionerRole/")
    doctor, person = meeting["ATTENDEE"]
    assert doctor.params["PARTSTAT"] == "ACCEPTED"
    assert person.params["X-PASSERELLE-REFERENCE"].startswith("Patient/")
    assert "PARTSTAT" not in person.params
    assert (moved["UID"], moved["STATUS"]) == (MEETING["uid"], "TENTATIVE")
    assert moved["RECURRENCE-ID"].to_ical() == b"20260324T140000"
    assert "RRULE" not in moved
    assert "DTEND" not in moved
    assert alone["STATUS"] == "CANCELLED"
    assert len(alone["UID"]) == 36
    zones = icalendar.Calendar.from_ical(answer.content).walk("VTIMEZONE")
    assert [zone["TZID"] for zone in zones] == ["Europe/Paris"]
    again = await served.ask(
        "GET", address(dossier, "?as=ical"), headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304


async def test_what_changes_counts_up_the_sequence(served, dossier):
    await pushed(served, dossier)
    await pushed(served, dossier | {"appointments": [MEETING | {"place": "Ailleurs"}]})
    answer = await served.ask("GET", address(dossier, "?as=ical"))
    assert events(answer.content)[0]["SEQUENCE"] == 1


async def test_a_person_and_a_professional_have_their_calendars(served, dossier):
    await pushed(served, dossier)
    for type_ in ("Patient", "Practitioner", "PractitionerRole"):
        id_ = await key_of(served, type_)
        answer = await served.ask("GET", f"/fhir/{type_}/{id_}/$agenda")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        uids = [str(event["UID"]) for event in events(answer.content)]
        assert MEETING["uid"] in uids
        assert len(uids) == (3 if type_ == "Patient" else 1)


async def test_between_two_days_each_time_stands_on_its_own(served, dossier):
    await pushed(served, dossier)
    place = f"/fhir/Patient/{await key_of(served, 'Patient')}/$agenda"
    answer = await served.ask("GET", f"{place}?start=2026-03-12&end=2026-04-01")
    found = events(answer.content)
    assert sorted(event["DTSTART"].to_ical().decode() for event in found) == [
        "20260325T140000",
        "20260331T140000",
        "20260401T090000",
    ]
    assert all("RRULE" not in event for event in found)
    assert found[0]["RECURRENCE-ID"].to_ical() == b"20260331T140000"


@pytest.mark.parametrize("query", ["?end=2026-03-12", "?start=2026-03-12&end=2026-03-01",
                                   "?start=2026&end=2030"])  # fmt: skip
async def test_a_period_that_is_none_is_refused(served, dossier, query, rules):
    await pushed(served, dossier)
    place = f"/fhir/Patient/{await key_of(served, 'Patient')}/$agenda{query}"
    answer = await served.ask("GET", place)
    assert answer.status_code == 400
    assert rules(answer) == ["agenda.window"]


async def test_who_asks_for_fhir_has_the_calendar_as_a_binary(served, dossier):
    await pushed(served, dossier)
    place = f"/fhir/Patient/{await key_of(served, 'Patient')}/$agenda"
    answer = await served.ask("GET", place, headers={"accept": "application/fhir+json"})
    binary = answer.json()
    assert binary["resourceType"] == "Binary"
    assert len(events(b64decode(binary["data"]))) == 3
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": place.removeprefix("/fhir/")}}],
    }
    answer = await served.ask("POST", "/fhir", batch)
    assert answer.json()["entry"][0]["resource"]["resourceType"] == "Binary"


async def test_nobody_has_no_calendar(served):
    answer = await served.ask("GET", "/fhir/Patient/none/$agenda")
    assert answer.status_code == 404
    answer = await served.ask("GET", "/dossiers/https%3A%2F%2Fa.example%7CD?as=ical")
    assert answer.status_code == 404
