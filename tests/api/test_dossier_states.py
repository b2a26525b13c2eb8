"""A dossier as it was: only what changed since, and two states or two dossiers compared."""

import json
from urllib.parse import quote

import pytest

from passerelle.demo import samples
from tests.dossiers.many_dossiers import small, tag_of

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}


async def push(served, dossier):
    body = json.dumps(dossier).encode()
    answer = await served.ask("PUT", f"/dossiers/{tag_of(dossier)}", body, JSON)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["version"]


@pytest.fixture
async def changed(served):
    """A dossier pushed, then changed: a task done, an appointment new."""
    first = samples.qualified(b"%PDF-1.4 lettre")
    versions = [await push(served, first)]
    cursor = (await served.ask("GET", "/dossiers?cursor=now")).json()["next"]
    second = json.loads(json.dumps(first))
    second["tasks"][0]["status"] = "completed"
    second["appointments"].append(second["appointments"][0] | {"key": "rdv-2"})
    versions.append(await push(served, second))
    return first, second, versions, cursor


async def pull(served, dossier, query=""):
    answer = await served.ask("GET", f"/dossiers/{tag_of(dossier)}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_only_what_changed_since_is_pulled(served, changed):
    first, _, versions, cursor = changed
    whole = await pull(served, first)
    for state in (versions[0], cursor):
        found = await pull(served, first, f"?since={state}")
        assert found["tasks"] == whole["tasks"]
        assert [each["key"] for each in found["appointments"]] == ["rdv-2"]
        assert found["circle"] == []
        assert "documents" not in found
        assert found["person"] == whole["person"]
    assert (await pull(served, first, f"?since={versions[0]}&sections=tasks")).keys() >= {"tasks"}
    nothing = await pull(served, first, f"?since={versions[1]}")
    assert "tasks" not in nothing
    assert await pull(served, first, "?since=2000-01-01") == whole
    later = await pull(served, first, "?since=2999-01-01T00:00:00Z")
    assert "tasks" not in later


async def test_what_is_gone_since_is_named(served, changed):
    first, _, versions, _ = changed
    found = await served.ask("GET", f"/dossiers/{tag_of(first)}?as=fhir")
    task = next(
        each["resource"]["id"]
        for each in found.json()["entry"]
        if each["resource"]["resourceType"] == "Task"
    )
    deleted = await served.ask("DELETE", f"/fhir/Task/{task}")
    assert deleted.status_code in (200, 204)
    told = await pull(served, first, f"?since={versions[1]}")
    assert told["removed"] == [{"section": "tasks", "key": "t1"}]


async def test_only_what_is_newer_is_given_as_fhir(served, changed):
    first, _, versions, _ = changed
    found = await pull(served, first, f"?as=fhir&since={versions[0]}")
    types = {each["resource"]["resourceType"] for each in found["entry"]}
    assert {"Task", "Appointment"} <= types
    assert types.isdisjoint({"Patient", "DocumentReference", "Binary"})


@pytest.mark.parametrize(
    ("since", "status", "rule"),
    [
        ("hier", 400, "dossier.state-malformed"),
        ("0123456789abcdef", 404, "dossier.version-unknown"),
    ],
)
async def test_a_state_that_there_is_not_is_refused(served, changed, rules, since, status, rule):
    answer = await served.ask("GET", f"/dossiers/{tag_of(changed[0])}?since={quote(since)}")
    assert (answer.status_code, rules(answer)) == (status, [rule])


async def compare(served, asked):
    answer = await served.ask("POST", "/dossiers:diff", asked, JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()["changes"]


async def test_two_states_of_a_dossier_are_compared(served, changed):
    first, _, versions, _ = changed
    before = {"dossier": tag_of(first), "version": versions[0]}
    told = await compare(served, {"before": before})
    assert [(one["section"], one["key"], one["kind"]) for one in told] == [
        ("appointments", "rdv-2", "added"),
        ("tasks", "t1", "changed"),
    ]
    assert told[1]["text"] == "Tâches · t1 · status : modifié, « requested » → « completed »"
    assert told[0]["text"] == "Rendez-vous · rdv-2 : ajouté, « Réunion de concertation »"
    other = {"dossier": tag_of(first), "version": versions[1]}
    assert await compare(served, {"before": before, "after": other}) == told
    assert await compare(served, {"before": other, "after": other}) == []


async def test_what_is_to_be_sent_is_compared_with_what_is_there(served, changed):
    _, second, _, _ = changed
    assert await compare(served, {"after": second}) == []
    told = await compare(served, {"after": second | {"status": "suspended"}})
    assert [one["text"] for one in told] == [
        "Statut du dossier : modifié, « active » → « suspended »"
    ]


async def test_two_dossiers_are_compared(served):
    for number in (1, 2):
        await push(served, small(number))
    told = await compare(
        served,
        {
            side: {"dossier": tag_of(small(number))}
            for number, side in ((1, "before"), (2, "after"))
        },
    )
    assert {one["section"] for one in told} == {"id", "person"}


@pytest.mark.parametrize(
    ("asked", "status", "rule"),
    [
        ({}, 400, "dossier.comparison-malformed"),
        ({"left": {}}, 400, "dossier.comparison-malformed"),
        ({"before": 3}, 400, "dossier.comparison-malformed"),
        ({"before": {"dossier": 3}}, 400, "dossier.comparison-malformed"),
        ({"before": {"dossier": "x|y", "vers": "1"}}, 400, "dossier.comparison-malformed"),
        ({"before": {"dossier": "x|y", "version": 1}}, 400, "dossier.comparison-malformed"),
        ({"before": {"dossier": "x|y"}}, 404, "dossier.not-found"),
        ({"before": {"dossier": "x|y", "at": "2026"}}, 404, "dossier.not-found"),
        ({"after": {"format": "dossier/1"}}, 404, "dossier.not-found"),
    ],
)
async def test_what_cannot_be_compared_is_refused(served, rules, asked, status, rule):
    answer = await served.ask("POST", "/dossiers:diff", asked, JSON)
    assert (answer.status_code, rules(answer)) == (status, [rule])
