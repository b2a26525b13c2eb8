"""Calendars come in: upserted by UID, every fault with its line, answers, bounds."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
CALENDAR = {"content-type": "text/calendar; charset=utf-8"}
STRICT = CALENDAR | {"prefer": "handling=strict"}
MEETING = {
    "key": "a1",
    "title": "RCP",
    "kind": {"text": "concertation"},
    "start": "2026-03-10T13:00:00Z",
    "end": "2026-03-10T15:00:00+01:00",
    "status": "arrived",
    "place": "Maison de santé",
    "organiser": "m1",
    "participants": [{"member": "m2", "answer": "accepted"}, {"member": "person"}],
    "rrule": "COUNT=5;FREQ=WEEKLY\nEXDATE:20260317T130000Z",
}
MOVED = {
    "key": "a1@20260324T130000Z",
    "title": "RCP déplacée",
    "start": "2026-03-25T14:00:00+01:00",
    "status": "proposed",
}


@pytest.fixture
def dossier():
    return samples.qualified(b"%PDF-1.4 test") | {"appointments": [MEETING]}


def address(dossier: dict[str, Any], rest: str = "") -> str:
    return "/dossiers/" + quote(f"{dossier['id']['system']}|{dossier['id']['value']}", "") + rest


def ics(*events: str, method: str = "") -> bytes:
    blocks = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//FR\n"
    return (head + (f"METHOD:{method}\n" if method else "") + blocks + "END:VCALENDAR\n").encode()


async def pushed(served, dossier) -> None:
    answer = await served.ask("PUT", address(dossier), json.dumps(dossier).encode(), JSON)
    assert answer.status_code in (200, 201), answer.text
    assert not [one for one in answer.json()["issues"] if one["severity"] == "error"]


async def pulled(served, dossier) -> dict[str, Any]:
    found = (await served.ask("GET", address(dossier, "?sections=appointments"))).json()
    return {one["key"]: one for one in found.get("appointments", ())}


async def take(served, dossier, body: bytes, query: str = "", headers=CALENDAR) -> Any:
    return await served.ask("POST", address(dossier, f":agenda{query}"), body, headers)


async def uid(served, dossier) -> str:
    body = (await served.ask("GET", address(dossier, "?as=ical"))).text
    return next(line[4:] for line in body.splitlines() if line.startswith("UID:"))


async def test_a_calendar_that_comes_back_as_it_went_out_changes_nothing(served, dossier):
    moved = MOVED | {"uid": "x@y"}
    meeting = MEETING | {"uid": "x@y"}
    whole = dossier | {"appointments": [meeting, moved]}
    await pushed(served, whole)
    before = await pulled(served, whole)
    body = (await served.ask("GET", address(whole, "?as=ical"))).content
    answer = await take(served, whole, body, headers=STRICT)
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert {one["action"] for one in receipt["entries"]} == {"unchanged"}
    assert receipt["issues"] == []
    assert await pulled(served, whole) == before


async def test_events_are_appointments_and_are_found_again_by_their_uid(served, dossier):
    await pushed(served, dossier)
    event = (
        "UID:new@stranger\nSUMMARY:Visite\\, à domicile\n"
        "DTSTART;TZID=Europe/Paris:20260402T090000\n"
        "DURATION:PT45M\nSTATUS:TENTATIVE\nLOCATION:Chez\n  elle\n"
        "ATTENDEE;PARTSTAT=DECLINED:mailto:nobody@example.org"
    )
    dry = await take(served, dossier, ics(event), "?dryRun=true")
    assert dry.json()["dryRun"] is True
    assert len(await pulled(served, dossier)) == 1
    answer = await take(served, dossier, ics(event))
    assert answer.status_code == 200, answer.text
    (said,) = answer.json()["issues"]
    assert (said["rule"], said["path"]) == ("agenda.attendee-unknown", "VEVENT[0].ATTENDEE[0]")
    assert "Ligne 4" in said["text"]
    found = await pulled(served, dossier)
    (key,) = found.keys() - {"a1"}
    assert found[key] == {
        "key": key,
        "uid": "new@stranger",
        "title": "Visite, à domicile",
        "start": "2026-04-02T09:00:00+02:00",
        "end": "2026-04-02T09:45:00+02:00",
        "status": "proposed",
        "place": "Chez elle",
    }
    later = "UID:new@stranger\nDTSTART:20260403T070000Z\nSTATUS:CONFIRMED"
    answer = await take(served, dossier, ics(later))
    assert answer.status_code == 200, answer.text
    found = await pulled(served, dossier)
    assert len(found) == 2
    assert found[key]["title"] == "Visite, à domicile"
    assert (found[key]["start"], found[key]["status"]) == ("2026-04-03T09:00:00+02:00", "booked")


async def test_a_cancellation_and_a_reply_move_what_is_there_and_nothing_else(served, dossier):
    await pushed(served, dossier)
    name = await uid(served, dossier)
    doctor = next(
        one["resource"]["id"]
        for one in (await served.ask("GET", "/fhir/PractitionerRole")).json()["entry"]
        if one["resource"]["identifier"][0]["value"].endswith("m2")
    )
    reply = (
        f"UID:{name}\nATTENDEE;PARTSTAT=DECLINED;"
        f"X-PASSERELLE-REFERENCE=PractitionerRole/{doctor}:mailto:a@b.example"
    )
    answer = await take(served, dossier, ics(reply, method="REPLY"))
    assert answer.status_code == 200, answer.text
    expected = {"member": "m2", "answer": "declined"}
    held = await pulled(served, dossier)
    assert held["a1"] == MEETING | {"participants": [expected, {"member": "person"}]}
    appointment = (await served.ask("GET", "/fhir/Appointment")).json()["entry"][0]["resource"]
    assert [one["status"] for one in appointment["participant"]].count("declined") == 2
    answer = await take(served, dossier, ics(f"UID:{name}", method="CANCEL"))
    assert answer.status_code == 200, answer.text
    assert (await pulled(served, dossier))["a1"]["status"] == "cancelled"
    answer = await take(served, dossier, ics("UID:other", method="CANCEL"))
    assert answer.status_code == 422
    answer = await take(served, dossier, ics("UID:other", method="COUNTER"))
    assert answer.status_code == 422


async def test_all_faults_are_told_with_their_lines_and_the_rest_is_taken(served, dossier):
    await pushed(served, dossier)
    good = "UID:g\nSUMMARY:Bon\nDTSTART:20260501T080000Z"
    bad = [
        "SUMMARY:x\nDTSTART:20260501T080000Z",
        "UID:b1\nDTSTART:20260501T080000Z",
        "UID:b2\nSUMMARY:x",
        "UID:b3\nSUMMARY:x\nDTSTART;TZID=Nowhere/Atlantis:20260501T080000",
        "UID:b4\nSUMMARY:x\nDTSTART:99990101T000000Z\nSTATUS:WHATEVER",
        "UID:b5\nSUMMARY:x\nDTSTART:20260501T080000Z\nRRULE:FREQ=SECONDLY",
        "UID:b6\nSUMMARY:x\nDTSTART:20260501T080000Z\nDTEND:20260501T070000Z",
        "UID:g\nSUMMARY:x\nDTSTART:20260501T080000Z",
        "UID:b7\nSUMMARY:x\nDTSTART:nonsense",
    ]
    answer = await take(served, dossier, ics(good, *bad))
    assert answer.status_code == 200, answer.text
    issues = answer.json()["issues"]
    assert sorted((one["rule"], one["path"]) for one in issues) == [
        ("agenda.ends-before", "VEVENT[7].DTEND"),
        ("agenda.property-malformed", "VEVENT[5].DTSTART"),
        ("agenda.property-malformed", "VEVENT[5].STATUS"),
        ("agenda.property-malformed", "VEVENT[9].DTSTART"),
        ("agenda.recurrence-not-admitted", "VEVENT[6].RRULE"),
        ("agenda.start-missing", "VEVENT[3]"),
        ("agenda.summary-missing", "VEVENT[2]"),
        ("agenda.uid-missing", "VEVENT[1].UID"),
        ("agenda.uid-twice", "VEVENT[8]"),
        ("agenda.zone-unknown", "VEVENT[4].DTSTART"),
    ]
    assert {one["text"].split(" ")[1] for one in issues} >= {"9", "13", "17"}
    assert len(await pulled(served, dossier)) == 2
    answer = await take(served, dossier, ics(good, *bad), headers=STRICT)
    assert answer.status_code == 422
    assert len(answer.json()["issue"]) == 10


async def test_what_falls_together_is_told_and_taken(served, dossier):
    await pushed(served, dossier)
    again = MEETING | {"key": "b", "uid": "b@c", "start": "2026-03-24T14:30:00+01:00"}
    again |= {"end": "2026-03-24T15:30:00+01:00"}
    del again["rrule"]
    await pushed(served, dossier | {"appointments": [again]})
    body = (await served.ask("GET", address(dossier, "?as=ical"))).content
    answer = await take(served, dossier, body.replace(b"SUMMARY:RCP", b"SUMMARY:RCP bis"))
    assert [one["rule"] for one in answer.json()["issues"]] == ["agenda.overlap"]
    assert {one["title"] for one in (await pulled(served, dossier)).values()} == {"RCP bis"}


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        (b"hello", 400, "agenda.not-a-calendar"),
        (b"", 400, "agenda.not-a-calendar"),
        (b"\xff\xfe", 400, "agenda.not-utf-8"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", 400, "agenda.not-a-calendar"),
        (b"BEGIN:VCALENDAR\n" * 9, 400, "agenda.not-a-calendar"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR", 400,
         "agenda.not-a-calendar"),
        (b"BEGIN:VCALENDAR\nX:" + b"a" * 40_000 + b"\nEND:VCALENDAR", 413, "agenda.line-too-long"),
        (ics(*["UID:x"] * 1_001), 413, "agenda.too-many-events"),
        (ics(), 422, "agenda.no-event"),
        (ics("UID:x\nSUMMARY:x\nDTSTART:20260501T080000Z\n"
             + "\n".join(["ATTENDEE:mailto:a@b.fr"] * 201)), 422, "agenda.too-many-attendees"),
    ],
)  # fmt: skip
async def test_a_hostile_calendar_is_refused(served, dossier, rules, body, status, rule):
    await pushed(served, dossier)
    answer = await take(served, dossier, body)
    assert (answer.status_code, rules(answer)) == (status, [rule])


async def test_a_zone_that_a_stranger_defines_is_never_followed(served, dossier):
    await pushed(served, dossier)
    zone = (
        b"BEGIN:VTIMEZONE\nTZID:Evil\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        b"RRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    body = ics("UID:x\nSUMMARY:x\nDTSTART;TZID=Evil:20260501T080000")
    answer = await take(served, dossier, body.replace(b"BEGIN:VEVENT", zone + b"BEGIN:VEVENT"))
    assert answer.status_code == 422
    assert "agenda.zone-unknown" in answer.text


async def test_who_sends_something_else_or_to_nobody_is_told(served, dossier, rules):
    answer = await take(served, dossier, ics("UID:x"))
    assert answer.status_code == 404
    await pushed(served, dossier)
    answer = await take(served, dossier, b"{}", headers=JSON)
    assert (answer.status_code, rules(answer)) == (415, ["agenda.media"])
    answer = await take(
        served, dossier, ics("UID:x\nSUMMARY:x\nDTSTART:20260501T080000Z"),
        headers=CALENDAR | {"if-match": '"other"'},
    )  # fmt: skip
    assert answer.status_code == 412
