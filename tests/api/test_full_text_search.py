"""`_text` and `_content` over HTTP: claimed, answered right after the write, refused when off."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


def patient(id: str, said: str) -> dict[str, Any]:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{said}</p></div>'
    return {
        "resourceType": "Patient",
        "id": id,
        "text": {"status": "additional", "div": div},
        "name": [{"family": "Lefèvre"}],
    }


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return sorted(e["resource"]["id"] for e in entries if e["search"]["mode"] == "match")


async def test_what_was_just_written_is_found_by_its_words(served: Any) -> None:
    await served.kept(patient("a", "Chute à l'hôpital"))
    await served.kept(patient("b", "Éléonore va bien"))
    assert ids(await served.ask("GET", "/fhir/Patient?_text=hopital")) == ["a"]
    assert ids(await served.ask("GET", "/fhir/Patient?_content=lefevre%20AND%20elé*")) == ["b"]
    assert ids(await served.ask("GET", "/fhir?_type=Patient,Group&_text=not%20chute")) == ["b"]
    await served.ask("DELETE", "/fhir/Patient/a")
    assert ids(await served.ask("GET", "/fhir/Patient?_content=lefevre")) == ["b"]


async def test_the_self_link_says_what_was_understood(served: Any) -> None:
    answer = await served.ask("GET", "/fhir/Patient?_text=a%20or%20b")
    (link,) = [each["url"] for each in answer.json()["link"] if each["relation"] == "self"]
    assert "_text=a+or+b" in link or "_text=a%20or%20b" in link


@pytest.mark.parametrize("text", ['"', "(", "a)", "*", "NOT", "\\", "%C3%A9 OR"])
async def test_what_is_no_expression_is_refused(served: Any, rules: Any, text: str) -> None:
    answer = await served.ask("GET", f"/fhir/Patient?_text={text}")
    assert answer.status_code == 400
    assert rules(answer) == ["search.full-text-invalid"]


@pytest.mark.parametrize("text", ["{a}: b", "a NEAR b", "-a", "narrative:a", "a' | 'b", "a:* & !b"])
async def test_what_the_databases_could_read_otherwise_is_words(served: Any, text: str) -> None:
    answer = await served.client.get("/fhir/Patient", params={"_text": text})
    assert ids(answer) == []


async def test_a_condition_is_not_decided_by_it(served: Any, rules: Any) -> None:
    headers = {"If-None-Exist": "_text=a"}
    body = {"resourceType": "Patient"}
    answer = await served.ask("POST", "/fhir/Patient", body, headers)
    assert rules(answer) == ["search.full-text-condition"]


async def test_without_a_full_text_they_are_neither_claimed_nor_answered(
    served: Any, rules: Any
) -> None:
    def claimed(answer: Any) -> set[str]:
        (patient,) = [r for r in answer.json()["rest"][0]["resource"] if r["type"] == "Patient"]
        return {each["name"] for each in patient["searchParam"]} & {"_text", "_content"}

    served.gateway.store.full_text.on = False
    assert claimed(await served.ask("GET", "/fhir/metadata")) == set()
    answer = await served.ask("GET", "/fhir/Patient?_content=a")
    assert (answer.status_code, rules(answer)) == (400, ["search.parameter-not-supported"])


async def test_both_are_claimed(served: Any) -> None:
    answer = await served.ask("GET", "/fhir/metadata")
    for each in answer.json()["rest"][0]["resource"]:
        assert {"_text", "_content"} <= {one["name"] for one in each["searchParam"]}
