"""Every row of the table of bad input, sent to a gateway in a process of its own."""

import json

import httpx
import pytest

from tests.flows import bad_input
from tests.flows.bad_input import Answer, Case, Door, Fault, Text
from tests.flows.bad_sections import SECTIONS
from tests.flows.bad_texts import FAULTS, TEXTS
from tests.flows.bad_xml import XML_TEXTS
from tests.flows.tried import Tried


def ask(
    tried: Tried, method: str, path: str, content: bytes | None, headers: dict[str, str]
) -> httpx.Response:
    request = tried.client.build_request(method, path, content=content, headers=headers)
    return tried.client.send(request)


def demand(answer: httpx.Response, wanted: Answer, place: str | None = None) -> None:
    """See that an answer is the refusal that is wanted, and holds nothing of what was sent."""
    assert answer.status_code == wanted.status, answer.text[:2000]
    assert answer.headers["content-type"].startswith("application/fhir+json")
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    issues = {
        issue["details"]["coding"][0]["code"]: issue.get("expression", [""])[0]
        for issue in reversed(outcome["issue"])
    }
    assert wanted.rule in issues, outcome
    if place is not None:
        assert issues[wanted.rule] == place
    assert bad_input.CANARY not in answer.text
    assert bad_input.CANARY not in str(answer.headers)


@pytest.mark.parametrize("door", bad_input.DOORS, ids=lambda door: door.title)
@pytest.mark.parametrize("text", TEXTS + XML_TEXTS, ids=lambda text: text.title)
def test_a_body_at_fault_is_refused_at_every_door(tried: Tried, door: Door, text: Text) -> None:
    before = tried.counts()
    given = {"content-type": door.media} | dict(text.headers)
    headers = {name: value for name, value in given.items() if value is not None}
    answer = ask(tried, door.method, door.path, text.change(door.body()), headers)
    demand(answer, text.otherwise.get(door.title, text.answer))
    assert tried.counts() == before


@pytest.mark.parametrize("door", bad_input.RESOURCES, ids=lambda door: door.title)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)
def test_a_resource_at_fault_is_refused_at_its_place(
    tried: Tried, door: Door, fault: Fault
) -> None:
    before = tried.counts()
    resource = bad_input.patient() | dict(fault.changes)
    inside = bad_input.transaction(bad_input.creation(resource))
    body = inside if door is bad_input.BUNDLE else resource
    headers = {"content-type": door.media}
    answer = ask(tried, door.method, door.path, json.dumps(body).encode(), headers)
    demand(answer, fault.answer, door.prefix + fault.place)
    assert tried.counts() == before


CASES = [case for _, cases in SECTIONS for case in cases]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_request_at_fault_is_refused(tried: Tried, case: Case) -> None:
    before = tried.counts()
    body = case.body
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    media = {"content-type": bad_input.FHIR_JSON} if body is not None else {}
    answer = ask(tried, case.method, case.path, content, media | dict(case.headers))
    demand(answer, case.answer, case.place)
    assert tried.counts() == before
