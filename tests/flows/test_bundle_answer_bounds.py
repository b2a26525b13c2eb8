"""A small bundle that asks much: the answer is bounded, and so is the memory that it takes."""

import httpx

LIMIT = 4_000_000
LARGE = 1_000_000
ENTRIES = 200


def test_a_bundle_that_asks_for_200_mb_is_answered_within_its_bound(gateway, database_url):
    process = gateway(database_url, "--no-worker", answer_limit=str(LIMIT)).wait_ready()
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"text": "x" * LARGE}]}
    asking = {"request": {"method": "GET", "url": "Patient/p1"}}
    patching = {
        "request": {"method": "PATCH", "url": "Patient/p1"},
        "resource": {
            "resourceType": "Parameters",
            "parameter": [
                {
                    "name": "operation",
                    "part": [
                        {"name": "type", "valueCode": "replace"},
                        {"name": "path", "valueString": "Patient.name[0].text"},
                        {"name": "value", "valueString": "y"},
                    ],
                }
            ],
        },
    }
    with httpx.Client(base_url=process.url, timeout=120) as client:
        assert client.put("/fhir/Patient/p1", json=patient, headers=FHIR).status_code == 201
        client.post("/fhir", json=bundle(asking), headers=FHIR)
        peak = process.peak_bytes()
        answer = client.post("/fhir", json=bundle(*[asking] * ENTRIES), headers=FHIR)
        assert answer.status_code == 200
        assert len(answer.content) < 2 * LIMIT
        statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
        assert statuses == ["200"] * 3 + ["413"] * (ENTRIES - 3)
        assert process.peak_bytes() - peak < 10 * LIMIT
        # What is written is done all the same, and nothing of it is held to be shown.
        written = client.post(
            "/fhir",
            json=bundle(*[asking] * 4, patching),
            headers=FHIR | {"prefer": "return=representation"},
        )
        assert written.json()["entry"][-1]["response"]["status"] == "200 OK"
        assert client.get("/fhir/Patient/p1").json()["name"] == [{"text": "y"}]


FHIR = {"content-type": "application/fhir+json"}


def bundle(*entries):
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}
