"""``Prefer: respond-async`` (https://hl7.org/fhir/R4/async.html)."""

import asyncio
import json
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from passerelle import app as wiring
from passerelle.api.rest.async_answers import AsyncAnswers
from passerelle.dossiers.async_policy import ANSWER_JOB, FORGET_JOB, AsyncPolicy
from passerelle.dossiers.pace import SECOND
from passerelle.errors.refusals import Invalid, Unavailable
from passerelle.errors.rules import issue
from passerelle.store.caller import NOBODY, SYSTEM, Caller
from tests.api.conftest import Served

pytestmark = pytest.mark.anyio
LATER = {"Prefer": "respond-async"}
TAGGED = {"tag": [{"system": "urn:async", "code": "x"}]}


@pytest.fixture
async def later(served):
    """A gateway whose worker is stepped by hand."""
    return asynchronous(served)


def asynchronous(served, **policy):
    gateway = replace(served.gateway, asynchronous=AsyncPolicy(**policy))
    served.door.fhir.gateway = gateway
    served.door.fhir.answers_later = True
    return Served(served.client, gateway, served.door)


async def filled(later, count=5):
    for number in range(count):
        patient = {"resourceType": "Patient", "id": f"p{number}", "meta": TAGGED, "active": True}
        await later.kept(patient)
        subject = {"reference": f"Patient/p{number}"}
        code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        await later.kept(
            {
                "resourceType": "Observation",
                "id": f"o{number}",
                "status": "final",
                "code": code,
                "subject": subject,
            }
        )


async def begun(later, address, method="GET", body=None, headers=None):
    answer = await later.ask(method, f"/fhir/{address}", body, LATER | (headers or {}))
    assert answer.status_code == 202, answer.text
    assert answer.headers["preference-applied"] == "respond-async"
    place = answer.headers["content-location"]
    assert place.startswith("http://127.0.0.1:8080/fhir/_async/")
    return place


async def worked(later):
    return await wiring.answering_worker(later.gateway).step()


async def manifest(later, place):
    answer = await later.ask("GET", place)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


async def fetched(later, files):
    found = []
    for file in files:
        answer = await later.ask("GET", file["url"])
        assert answer.headers["content-type"] == "application/fhir+ndjson"
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert {line["resourceType"] for line in lines} == {file["type"]}
        assert len(lines) == file["count"]
        found += lines
    return found


async def answered(later, address, **how):
    place = await begun(later, address, **how)
    assert await worked(later) == 1
    told = await manifest(later, place)
    return told, await fetched(later, told["output"])


async def test_a_search_is_accepted_asked_about_fetched_and_forgotten(later, rules):
    await filled(later)
    begin = await later.ask("GET", "/fhir/Patient?_tag=urn:async|x&_count=2", headers=LATER)
    assert (begin.status_code, rules(begin)) == (202, ["async.accepted"])
    place = begin.headers["content-location"]
    waiting = await later.ask("GET", place)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert 0 < len(waiting.headers["x-progress"]) < 100
    assert int(waiting.headers["retry-after"]) >= 1
    assert await worked(later) == 1
    done = await later.ask("GET", place)
    assert parsedate_to_datetime(done.headers["expires"])
    told = await manifest(later, place)
    assert told["request"] == "http://127.0.0.1:8080/fhir/Patient?_tag=urn:async|x&_count=2"
    assert (told["requiresAccessToken"], told["error"]) == (False, [])
    found = await fetched(later, told["output"])
    assert sorted(one["id"] for one in found) == ["p0", "p1", "p2", "p3", "p4"]
    newest = max(one["meta"]["lastUpdated"] for one in found)
    assert told["transactionTime"] >= newest
    gone = await later.ask("DELETE", place)
    assert (gone.status_code, rules(gone)) == (202, ["async.forgotten"])
    for address in (place, told["output"][0]["url"]):
        assert rules(await later.ask("GET", address)) == ["async.unknown"]
    assert (await later.ask("DELETE", place)).status_code == 404


async def test_whatever_reads_at_length_can_be_answered_later(later):
    await filled(later, 3)
    inputs = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_count", "valueInteger": 1}],
    }
    form = {"content-type": "application/x-www-form-urlencoded"}
    for address, how, types in (
        ("Observation?_include=Observation:subject&_count=1", {}, {"Observation", "Patient"}),
        ("Patient/p1/Observation", {}, {"Observation"}),
        ("Patient/_search", {"method": "POST", "body": b"_id=p1,p2", "headers": form}, {"Patient"}),
        ("_search", {"method": "POST", "body": b"_type=Patient", "headers": form}, {"Patient"}),
        ("?_type=Patient,Observation", {}, {"Observation", "Patient"}),
        ("Patient/p1/$everything?_count=1", {}, {"Observation", "Patient"}),
        ("Patient/p1/$everything", {"method": "POST", "body": inputs}, {"Observation", "Patient"}),
        ("Observation/$lastn?patient=Patient/p1", {}, {"Observation"}),
        ("Patient/_history?_count=2", {}, {"Bundle"}),
        ("Patient/p1/_history", {}, {"Bundle"}),
        ("_history", {}, {"Bundle"}),
        ("Patient?_summary=count", {}, {"Bundle"}),
        ("Patient?_id=nobody", {}, set()),
    ):
        told, found = await answered(later, address, **how)
        assert {one["resourceType"] for one in found} == types, address
        assert told["error"] == [], address


async def test_pages_are_followed_whatever_is_written_meanwhile(later):
    await filled(later, 4)
    inner = later.door.fhir.answer_inner
    changes = iter(range(100))

    async def writing(repository, request, segments):
        number = next(changes)
        await later.kept({"resourceType": "Patient", "id": f"new{number}"})
        return await inner(repository, request, segments)

    place = await begun(later, "Patient?_tag=urn:async|x&_count=1")
    worker = wiring.answering_worker(later.gateway)
    worker.handlers = {ANSWER_JOB: AsyncAnswers(writing).answer}
    await worker.step()
    found = await fetched(later, (await manifest(later, place))["output"])
    assert sorted(one["id"] for one in found) == ["p0", "p1", "p2", "p3"]


async def test_what_is_wrong_is_told_at_once_or_in_the_place_of_the_answer(later, rules):
    bad = await later.ask("GET", "/fhir/Patient?birthdate=never", headers=LATER)
    assert (bad.status_code, rules(bad)) == (400, ["search.value-invalid"])
    strict = {"Prefer": "respond-async, handling=strict"}
    bad = await later.ask("GET", "/fhir/Patient?colour=red", headers=strict)
    assert bad.status_code == 400
    bad = await later.ask("GET", "/fhir/Patient?_outputFormat=text/csv", headers=LATER)
    assert (bad.status_code, rules(bad)) == (400, ["async.output-format"])
    assert (await later.ask("GET", "/fhir/Patient/$nothing", headers=LATER)).status_code == 501
    for address in ("Patient/%00/$everything", "Patient/a%20b/_history", "Patient/%00/Task"):
        bad = await later.ask("GET", f"/fhir/{address}", headers=LATER)
        assert (bad.status_code, rules(bad)) == (400, ["http.id-malformed"])
    place = await begun(later, "Patient/nobody/$everything")
    await worked(later)
    failed = await later.ask("GET", place)
    assert failed.status_code == 404
    assert rules(failed) == ["record.not-found"]
    in_xml = await later.ask("GET", place, headers={"Accept": "application/fhir+xml"})
    assert b"<OperationOutcome" in in_xml.content
    assert (await later.ask("DELETE", place)).status_code == 202


async def test_what_was_left_out_of_a_search_is_told_once_among_the_errors(later):
    await filled(later)
    place = await begun(later, "Patient?colour=red&_count=1&_outputFormat=ndjson")
    await worked(later)
    told = await manifest(later, place)
    (outcome,) = await fetched(later, told["error"])
    (said,) = outcome["issue"]
    assert said["details"]["coding"][0]["code"] == "http.parameter-ignored"
    assert len(await fetched(later, told["output"])) == 5


async def test_the_answer_has_a_bound_and_says_so_and_its_files_too(served):
    later = asynchronous(served, file_bytes=400, answer_bytes=900)
    await filled(later, 9)
    place = await begun(later, "Patient?_count=1")
    await worked(later)
    told = await manifest(later, place)
    found = await fetched(later, told["output"])
    assert 1 < len(told["output"]) <= len(found) < 9
    (outcome,) = await fetched(later, told["error"])
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "async.answer-cut"


async def test_the_answer_takes_so_long_at_most_and_says_so(served):
    later = asynchronous(served, answer_seconds=10)
    await filled(later, 3)
    place = await begun(later, "Patient?_count=1")
    now, ticks = later.gateway.clock(), iter(range(100))
    hasty = replace(later.gateway, clock=lambda: now + next(ticks) * 6 * SECOND)
    await wiring.answering_worker(hasty).step()
    told = await manifest(later, place)
    (outcome,) = await fetched(later, told["error"])
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "async.time-over"
    assert 1 <= len(await fetched(later, told["output"])) < 3


async def test_writes_reads_and_heads_are_answered_in_place(later):
    await filled(later, 1)
    entry = {"request": {"method": "GET", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    patient = {"resourceType": "Patient"}
    for method, address, body in (
        ("GET", "Patient/p0", None),
        ("HEAD", "Patient", None),
        ("GET", "metadata", None),
        ("POST", "Patient", patient),
        ("POST", "", bundle),
        ("POST", "Patient/p0/$meta-add", {"resourceType": "Parameters", "parameter": []}),
    ):
        answer = await later.ask(method, f"/fhir/{address}", body, LATER)
        assert answer.status_code != 202, address
        assert "preference-applied" not in answer.headers


async def test_without_a_worker_a_request_is_answered_in_place(served):
    answer = await served.ask("GET", "/fhir/Patient", headers=LATER)
    assert (answer.status_code, answer.json()["type"]) == (200, "searchset")
    assert "respond-async" not in (await served.ask("GET", "/fhir/metadata")).text


async def test_the_capability_statement_tells_of_it(later):
    (rest,) = (await later.ask("GET", "/fhir/metadata")).json()["rest"]
    assert "respond-async" in rest["documentation"]


async def test_a_request_is_its_callers_alone(later, rules):
    await filled(later, 1)
    place = await begun(later, "Patient")
    await worked(later)
    file = (await manifest(later, place))["output"][0]["url"]

    class AnotherDoor:
        def caller(self, headers):
            return Caller("another")

    later.door.security = AnotherDoor()
    for method, address in (("GET", place), ("GET", file), ("DELETE", place)):
        answer = await later.ask(method, address)
        assert (answer.status_code, rules(answer)) == (404, ["async.unknown"])


async def test_it_is_answered_with_the_rights_of_its_caller(later):
    await filled(later, 2)

    class Nobodys:
        def caller(self, headers):
            return NOBODY

    later.door.security = Nobodys()
    told, found = await answered(later, "Patient")
    assert (told["output"], found, told["requiresAccessToken"]) == ([], [], True)


async def test_a_caller_has_so_many_and_is_told_to_wait(served, rules):
    later = asynchronous(served, unfinished_max=2)
    places = [await begun(later, "Patient") for _ in range(2)]
    refused = await later.ask("GET", "/fhir/Patient", headers=LATER)
    assert (refused.status_code, rules(refused)) == (429, ["async.too-many"])
    assert int(refused.headers["retry-after"]) > 0
    assert (await later.ask("DELETE", places[0])).status_code == 202
    await begun(later, "Patient")


async def test_what_is_over_is_forgotten_and_swept(served, rules):
    later = asynchronous(served, kept_seconds=1000)
    await filled(later, 1)
    place = await begun(later, "Patient")
    await worked(later)
    file = (await manifest(later, place))["output"][0]["url"]
    now = later.gateway.clock()
    moved = replace(later.gateway, clock=lambda: now + 1001 * SECOND)
    later.door.fhir.gateway = moved
    for address in (place, file):
        assert rules(await later.ask("GET", address)) == ["async.unknown"]
    id_ = place.rsplit("/", 1)[-1]
    requests = moved.store.async_requests
    assert await requests.find(id_) is not None
    assert await worked(replace(later, gateway=moved)) == 1
    assert await requests.find(id_) is None
    assert await requests.part(id_, 1, 0, 0) is None
    assert await moved.store.job_counts() == {(ANSWER_JOB, "done"): 1, (FORGET_JOB, "done"): 1}


async def test_a_request_that_is_forgotten_while_it_is_answered_leaves_nothing(later):
    await filled(later, 3)
    place = await begun(later, "Patient?_count=1")
    inner = later.door.fhir.answer_inner
    asked = []

    async def forgetting(repository, request, segments):
        asked.append(segments)
        await later.ask("DELETE", place)
        return await inner(repository, request, segments)

    worker = wiring.answering_worker(later.gateway)
    worker.handlers = {ANSWER_JOB: AsyncAnswers(forgetting).answer}
    await worker.step()
    assert len(asked) == 1
    assert (await later.ask("GET", place)).status_code == 404
    assert await later.gateway.store.job_counts() == {(ANSWER_JOB, "done"): 1}


async def failing(later, fault):
    """Let each attempt fail; give the status after each, until one has ended it."""

    async def inner(repository, request, segments):
        raise fault

    place = await begun(later, "Patient")
    seen, ahead = [], 0
    for _ in range(10):
        ahead += 3600 * SECOND
        gateway = replace(later.gateway, clock=lambda late=ahead: wiring.clock() + late)
        worker = wiring.answering_worker(gateway)
        worker.handlers = {ANSWER_JOB: AsyncAnswers(inner).answer}
        await worker.step()
        answer = await later.ask("GET", place)
        seen.append(answer)
        if answer.status_code != 202:
            return seen
    return seen


async def test_a_fault_of_ours_is_told_by_a_number_and_not_by_what_it_says(later, rules):
    (answer,) = await failing(later, RuntimeError("Jean DUPONT"))
    assert (answer.status_code, rules(answer)) == (500, ["http.internal"])
    assert "DUPONT" not in answer.text


async def test_a_refusal_ends_it_with_its_own_status(later, rules):
    (answer,) = await failing(later, Invalid(issue("http.if-none-match-write")))
    assert (answer.status_code, rules(answer)) == (400, ["http.if-none-match-write"])


async def test_a_record_that_is_away_is_tried_again_and_given_up_in_the_end(later):
    seen = await failing(later, Unavailable(issue("record.unavailable")))
    assert [each.status_code for each in seen] == [202, 202, 202, 503]


async def test_a_worker_that_is_stopped_gives_its_request_back(later):
    await filled(later, 2)
    place = await begun(later, "Patient")
    begun_ = asyncio.Event()

    async def endless(repository, request, segments):
        begun_.set()
        await asyncio.Event().wait()

    worker = wiring.answering_worker(later.gateway)
    worker.grace_seconds = 0.0
    worker.handlers = {ANSWER_JOB: AsyncAnswers(endless).answer}
    running = asyncio.create_task(worker.run())
    await begun_.wait()
    worker.stop()
    await running
    assert (await later.ask("GET", place)).status_code == 202
    assert await worked(later) == 1
    assert len(await fetched(later, (await manifest(later, place))["output"])) == 2


async def test_an_attempt_that_was_taken_for_dead_spoils_nothing(later):
    """A second worker answers while the first is still at it: there is one answer, and whole."""
    await filled(later, 3)
    place = await begun(later, "Patient?_count=1")
    inner = later.door.fhir.answer_inner
    waiting, going_on = asyncio.Event(), asyncio.Event()

    async def slow(repository, request, segments):
        if not waiting.is_set():
            waiting.set()
            await going_on.wait()
        return await inner(repository, request, segments)

    first = wiring.answering_worker(later.gateway)
    first.handlers = {ANSWER_JOB: AsyncAnswers(slow).answer}
    stepping = asyncio.create_task(first.step())
    await waiting.wait()
    now = later.gateway.clock()
    after = replace(later.gateway, clock=lambda: now + 3600 * SECOND)
    assert await wiring.answering_worker(after).step() == 1
    told = await manifest(later, place)
    going_on.set()
    await stepping
    assert await manifest(later, place) == told
    assert len(await fetched(later, told["output"])) == 3
    assert await later.gateway.store.async_requests.part(place.rsplit("/", 1)[-1], 1, 0, 0) is None


async def test_an_entry_of_a_bundle_is_no_way_to_them(later):
    place = await begun(later, "Patient")
    entry = {"request": {"method": "GET", "url": place.partition("/fhir/")[2]}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    answer = await later.ask("POST", "/fhir", bundle)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["entry"][0]["response"]["status"].startswith("4")


async def test_addresses_that_are_none_are_refused(later):
    for method, address in (
        ("GET", "_async"),
        ("GET", "_async/x"),
        ("GET", "_async/x/0"),
        ("GET", "_async/x/0/1"),
        ("GET", "_async/x/y"),
        ("GET", "_async/%00"),
        ("GET", "_async/%ED%A0%80/0"),
        ("DELETE", "_async/" + "x" * 65),
        ("DELETE", "_async/x/0"),
        ("POST", "_async/x"),
    ):
        answer = await later.ask(method, f"/fhir/{address}", headers=LATER)
        assert answer.status_code in (404, 405), address


async def test_a_file_of_a_request_that_waits_or_that_it_has_not_is_not_there(later, rules):
    await filled(later, 1)
    place = await begun(later, "Patient")
    assert rules(await later.ask("GET", f"{place}/0")) == ["async.unknown"]
    await worked(later)
    assert (await later.ask("GET", f"{place}/0")).status_code == 200
    for number in ("1", "x", "-1", "00000000", "%D9%A0"):
        answer = await later.ask("GET", f"{place}/{number}")
        assert (answer.status_code, rules(answer)) == (404, ["async.unknown"]), number


async def test_what_was_asked_is_not_told_once_it_is_answered(later):
    place = await begun(later, "Patient?family=DUPONT")
    id_ = place.rsplit("/", 1)[-1]
    requests = later.gateway.store.async_requests
    assert b"DUPONT" in await requests.asked(id_)
    assert "DUPONT" not in place
    await worked(later)
    assert await requests.asked(id_) == b""
    assert (await requests.find(id_)).caller == SYSTEM
