"""Searches that ask the terminology of the record."""

import pytest

pytestmark = pytest.mark.anyio


def keys(answer):
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in entries]


async def test_a_value_set_that_is_not_known_is_refused_by_name(served, rules):
    answer = await served.ask("GET", "/fhir/CareTeam?category:in=http://example.org/none")
    assert (answer.status_code, rules(answer)) == (400, ["search.value-set-unknown"])


async def test_a_value_set_of_the_record_tells_which_codes_are_meant(served):
    concepts = [{"code": "a"}, {"code": "b", "concept": [{"code": "c"}]}]
    system = {"resourceType": "CodeSystem", "id": "s", "url": "http://example.org/s"}
    system |= {"status": "active", "content": "complete", "hierarchyMeaning": "is-a"}
    await served.kept(system | {"concept": concepts})
    included = {"include": [{"system": "http://example.org/s", "concept": [{"code": "a"}]}]}
    values = {"resourceType": "ValueSet", "id": "v", "url": "http://example.org/v"}
    await served.kept(values | {"status": "active", "compose": included})
    for id in "abc":
        coding = [{"system": "http://example.org/s", "code": id}]
        await served.kept({"resourceType": "CareTeam", "id": id, "category": [{"coding": coding}]})

    async def found(name, text):
        return keys(await served.ask("GET", f"/fhir/CareTeam?{name}={text}"))

    assert await found("category:in", "http://example.org/v") == ["CareTeam/a"]
    assert await found("category:not-in", "http://example.org/v") == ["CareTeam/b", "CareTeam/c"]
    assert await found("category:below", "http://example.org/s%7Cb") == ["CareTeam/b", "CareTeam/c"]
    assert await found("category:above", "http://example.org/s%7Cc") == ["CareTeam/b", "CareTeam/c"]
    assert await found("_filter", "category%20in%20http://example.org/v") == ["CareTeam/a"]
    not_in = "category%20ni%20http://example.org/v"
    assert await found("_filter", not_in) == ["CareTeam/b", "CareTeam/c"]
    # What the value subsumes is below it, what it is subsumed by is above.
    assert await found("_filter", "category%20ss%20http://example.org/s%7Cc") == ["CareTeam/c"]
    subsumes = ["CareTeam/b", "CareTeam/c"]
    assert await found("_filter", "category%20ss%20http://example.org/s%7Cb") == subsumes
    assert await found("_filter", "category%20sb%20http://example.org/s%7Cb") == ["CareTeam/b"]


async def test_a_condition_may_ask_the_terminology(served, rules):
    concepts = [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}]
    system = {"resourceType": "CodeSystem", "id": "s", "url": "http://example.org/s"}
    system |= {"status": "active", "content": "complete", "hierarchyMeaning": "is-a"}
    await served.kept(system | {"concept": concepts})
    coding = [{"system": "http://example.org/s", "code": "b"}]
    team = {"resourceType": "CareTeam", "category": [{"coding": coding}]}
    await served.kept({**team, "id": "t"})
    below = "category:below=http://example.org/s%7Ca"
    kept = await served.ask("POST", "/fhir/CareTeam", team, {"if-none-exist": below})
    assert (kept.status_code, kept.json()["id"]) == (200, "t")
    other = "category:below=http://example.org/s%7Cc"
    made = await served.ask("POST", "/fhir/CareTeam", team, {"if-none-exist": other})
    assert made.status_code == 201
    await served.ask("DELETE", f"/fhir/CareTeam/{made.json()['id']}")
    updated = await served.ask("PUT", f"/fhir/CareTeam?{below}", {**team, "name": "équipe"})
    assert (updated.status_code, updated.json()["id"]) == (200, "t")
    asked = {"method": "POST", "url": "CareTeam", "ifNoneExist": below}
    entry = {"resource": team, "request": asked}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = await served.ask("POST", "/fhir", bundle)
    assert answer.json()["entry"][0]["response"]["status"].startswith("200")
    gone = await served.ask("DELETE", f"/fhir/CareTeam?{below}")
    assert gone.status_code in (200, 204)
    assert (await served.ask("GET", "/fhir/CareTeam/t")).status_code == 410
    nobody = "category:in=http://example.org/none"
    refused = await served.ask("POST", "/fhir/CareTeam", team, {"if-none-exist": nobody})
    assert (refused.status_code, rules(refused)) == (400, ["search.value-set-unknown"])
