"""Strings that break programs, as values and as values of searches; and the entries of batches."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.flows import bad_input
from tests.flows.tried import Tried

FORM = {"content-type": "application/x-www-form-urlencoded", "prefer": "handling=strict"}
NOT_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
SQLISH = (
    "'; DROP TABLE resource; --",
    "' OR '1'='1",
    '") UNION SELECT body FROM version --',
    "%' ESCAPE '!",
    "_%_%",
    "$1",
    "{0} {family} %s %(a)s :a ?",
    "\\\\x00",
    "é" * 300,
    "e\u0301le\u0301onore",
    "\u202eevil",
    "\U0001f9d1\u200d\U0001f4bb",
    "a\tb",
    "../../etc/passwd",
    "<script>alert(1)</script>",
)


def naughty(shared: Path) -> list[str]:
    found = json.loads((shared / "data/json/naughty-strings.json").read_bytes())
    return list(dict.fromkeys([*SQLISH, *found]))


def test_a_string_is_kept_as_it_is_or_refused_by_rule(tried: Tried, shared: Path) -> None:
    headers = {"content-type": bad_input.FHIR_JSON}
    for text in naughty(shared):
        patient = bad_input.patient(id="string", name=[{"family": text}])
        answer = tried.client.put(
            "/fhir/Patient/string", content=json.dumps(patient), headers=headers
        )
        if answer.status_code in (200, 201):
            assert tried.client.get("/fhir/Patient/string").json()["name"] == patient["name"]
            continue
        assert answer.status_code == 400
        assert not text.strip() or NOT_ALLOWED.search(text), ascii(text)


def test_a_search_for_a_string_finds_what_has_it_and_nothing_else(
    tried: Tried, shared: Path
) -> None:
    """The patients are those of the test above, kept again for its own sake."""
    strings = [text for text in naughty(shared) if text.strip() and text.isprintable()]
    names = [{"family": text} for text in strings]
    tried.keep("/fhir/Patient/strings", bad_input.patient(id="strings", name=names))
    for text in strings:
        escaped = re.sub(r"([\\,$|])", r"\\\1", text)
        answer = tried.client.post(
            "/fhir/Patient/_search",
            data={"family:exact": escaped, "_count": "1000"},
            headers={"prefer": "handling=strict"},
        )
        if answer.status_code == 400:  # nothing is left of it once punctuation is dropped
            rules = [i["details"]["coding"][0]["code"] for i in answer.json()["issue"]]
            assert set(rules) <= {"search.value-invalid", "search.value-too-long"}
            continue
        found = [entry["resource"] for entry in answer.json().get("entry", ())]
        assert "strings" in [patient["id"] for patient in found], ascii(text)
        for patient in found:
            assert text in [name.get("family") for name in patient["name"]]


@pytest.mark.parametrize(
    "name", ["name", "identifier", "birthdate", "organization", "_id", "_sort"]
)
def test_a_string_is_no_fault_of_the_gateway_as_a_value_of_any_kind_of_parameter(
    tried: Tried, shared: Path, name: str
) -> None:
    for text in [*SQLISH, *naughty(shared)[::5]]:
        answer = tried.client.post("/fhir/Patient/_search", data={name: text})
        assert answer.status_code in (200, 400), ascii(text)


def test_every_malformed_text_of_the_parsing_suite_is_refused(tried: Tried, shared: Path) -> None:
    before = tried.counts()
    headers = {"content-type": bad_input.FHIR_JSON}
    for file in sorted((shared / "data/json/test_parsing").glob("*.json")):
        answer = tried.client.put(
            "/fhir/Patient/bad-input", content=file.read_bytes(), headers=headers
        )
        assert answer.status_code == 400, file.name
    assert tried.counts() == before


def test_a_huge_count_is_a_page_of_the_largest_size(tried: Tried) -> None:
    answer = tried.client.get("/fhir/Patient?_count=999999999")
    (self_link,) = [one["url"] for one in answer.json()["link"] if one["relation"] == "self"]
    assert self_link.endswith("_count=1000")


def test_a_faulty_entry_of_a_batch_keeps_no_other_from_being_done(tried: Tried) -> None:
    good = {
        "resource": bad_input.patient(id="batched"),
        "request": {"method": "PUT", "url": "Patient/batched"},
    }
    bad: list[Any] = [
        bad_input.CANARY,
        None,
        {"resource": bad_input.patient()},
        {"resource": bad_input.patient(), "request": bad_input.CANARY},
        {"resource": bad_input.CANARY, "request": {"method": "POST", "url": "Patient"}},
        bad_input.creation(bad_input.patient(surname=bad_input.CANARY)),
        {"request": {"method": "GET", "url": "Patient/nowhere"}},
        {"request": {"method": "GET", "url": f"Patient?surname={bad_input.CANARY}&_count=x"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [*bad, good]}
    answers = post(tried, bundle)
    assert [answer["status"][:3] for answer in answers] == [
        *["400"] * 6,
        "404",
        "400",
        "201" if answers[-1]["etag"] == 'W/"1"' else "200",
    ]
    for answer in answers[:-1]:
        assert answer["outcome"]["resourceType"] == "OperationOutcome"
        assert bad_input.CANARY not in json.dumps(answer)


def test_a_read_that_fails_in_a_transaction_does_not_hide_what_was_written(tried: Tried) -> None:
    answers = post(
        tried,
        bad_input.transaction(
            bad_input.creation(bad_input.patient()),
            {"request": {"method": "GET", "url": "Patient/nowhere"}},
        ),
    )
    assert [answer["status"][:3] for answer in answers] == ["201", "404"]
    written = tried.client.get(f"/fhir/{answers[0]['location']}")
    assert written.status_code == 200


def post(tried: Tried, bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Post a bundle that is answered entry by entry."""
    headers = {"content-type": bad_input.FHIR_JSON}
    answer = tried.client.post("/fhir", content=json.dumps(bundle), headers=headers)
    assert answer.status_code == 200, answer.text
    return [entry["response"] for entry in answer.json()["entry"]]
