"""Forms and alerts that were pushed natively are found as FHIR clients look for them."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
LOINC = "http://loinc.org"
KINDS = "https://passerelle.example/fhir/CodeSystem/alert-kind"
DEFINITION = "https://coordination.example/Questionnaire/ppcs|1"
FORM = {
    "key": "f1",
    "definition": DEFINITION,
    "status": "completed",
    "author": "m1",
    "authoredAt": "2026-01-20T09:00:00+01:00",
    "scores": [{"code": {"system": LOINC, "code": "9269-2"}, "value": 12}],
    "answers": [{"link": "1", "values": ["aide à domicile"]}],
}
ALERT = {
    "key": "al1",
    "kind": "fall",
    "title": "Chute",
    "raisedAt": "2026-02-22T07:00:00+01:00",
    "raisedBy": "m1",
    "status": "acknowledged",
    "severity": "urgent",
    "recipients": ["m1", "m2"],
    "acks": [{"by": "m1", "at": "2026-02-22T08:00:00+01:00"}],
    "until": "2026-03",
}


@pytest.fixture
async def asked(served):
    dossier = samples.provisional(b"%PDF-1.4 test") | {"forms": [FORM], "alerts": [ALERT]}
    name = quote(f"{dossier['id']['system']}|{dossier['id']['value']}", safe="")
    body = json.dumps(dossier).encode()
    answer = await served.ask(
        "PUT", f"/dossiers/{name}", body, {"content-type": "application/json"}
    )
    assert answer.status_code == 201, answer.text

    async def found(question: str) -> list[dict[str, Any]]:
        answer = await served.ask("GET", f"/fhir/{question}", headers={"prefer": "handling=strict"})
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", ())]

    return found


PERSON = "patient.identifier=https://coordination.example/patients|9107"
QUESTIONS = (
    (f"QuestionnaireResponse?questionnaire={quote(DEFINITION, safe='')}", 1),
    (f"QuestionnaireResponse?{PERSON}&status=completed&authored=ge2026-01-20", 1),
    ("QuestionnaireResponse?author:PractitionerRole.practitioner.family=DUPONT", 1),
    (f"Observation?code={LOINC}|9269-2&value-quantity=ge12&category=survey", 1),
    ("Observation?value-quantity=gt12||{score}", 0),
    ("Observation?derived-from:QuestionnaireResponse.status=completed", 1),
    (f"Flag?{PERSON}&date=ge2026-02-25", 1),
    (f"Flag?{PERSON}&date=gt2026-04", 0),
    (f"CommunicationRequest?category={KINDS}|fall&priority=stat&status=active", 1),
    (f"CommunicationRequest?{PERSON}&_has:Communication:based-on:status=completed", 1),
    ("Communication?sent=2026-02-22&sender:PractitionerRole.practitioner.family=DUPONT", 1),
)


@pytest.mark.parametrize(("question", "count"), QUESTIONS)
async def test_what_was_pushed_is_found_by_what_r4_looks_for(asked, question, count):
    assert len(await asked(question)) == count


async def test_a_response_comes_with_its_scores_and_a_warning_with_what_was_noted(asked):
    scores = await asked("QuestionnaireResponse?_revinclude=Observation:derived-from")
    assert [one["resourceType"] for one in scores] == ["QuestionnaireResponse", "Observation"]
    noted = await asked("CommunicationRequest?status=completed&_revinclude=Communication:based-on")
    assert [one["resourceType"] for one in noted] == ["CommunicationRequest", "Communication"]
