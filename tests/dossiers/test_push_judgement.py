"""A push refers to nothing that is not there, by the policy that holds for every write."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.dossiers import keeping
from passerelle.dossiers.exchange.push_judgement import Judged, judge
from passerelle.dossiers.exchange.push_places import Places
from passerelle.dossiers.exchange.push_plan import Made
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.errors.refusals import Unprocessable
from passerelle.fhir.resource import Key
from passerelle.fhir.search.registry import STANDARD
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Put, Version

PLACES = Places(json.dumps({"tasks": [{"key": str(n)} for n in range(12)]}).encode())
OUTSIDE = ("there", "gone")


class Shelf:
    """As much of a record as is asked: one resource is there."""

    async def living(self, keys: Sequence[Key], caller: Caller) -> frozenset[Key]:
        return frozenset(key for key in keys if key.id == "there")


def gateway_of(references: Any) -> Gateway:
    shelf: Any = Shelf()
    return Gateway(
        store=shelf,
        clock=lambda: 0,
        new_id=lambda: "1",
        base_url="http://x/fhir",
        writing=WritingPolicy(references=references),
    )


def made(name: str, refers: Sequence[str], *, sound: bool = True, before: bool = False) -> Made:
    key = Key("Basic", name)
    resource = {
        "resourceType": "Basic",
        "id": name,
        "code": {"text": "a"},
        "extension": [
            {"url": f"urn:x:{n}", "valueReference": {"reference": f"Basic/{each}"}}
            for n, each in enumerate(refers)
        ],
    }
    if not refers:
        del resource["extension"]
    head = Version(key, 1, 1, 1, "PUT", b"{}", None, None, "a", 1, 1) if before else None
    put = Put(keeping.draft(key, resource, registry=STANDARD))
    judged = resource if sound else resource | {"zz": 1}
    return Made("tasks", name, "primary", judged, put, head, None)


def judged(references: str, *ones: Made, strict: bool = False) -> Judged:
    async def run() -> Judged:
        return await judge(gateway_of(references), SYSTEM, list(ones), PLACES, strict=strict)

    return anyio.run(run)


def told(given: Any) -> list[tuple[str, str | None]]:
    return [(said.rule, said.expression) for said in given.issues]


def names(some: Sequence[Made]) -> list[str]:
    return [one.key for one in some]


def test_what_leads_to_nothing_is_refused_warned_of_or_not_looked_at():
    ones = made("0", ["gone"]), made("1", ["there", "0"]), made("2", ["there"])
    enforced = judged("enforce", *ones)
    assert names(enforced.kept) == ["2"]
    assert enforced.refused == {("tasks", "0"), ("tasks", "1")}
    assert enforced.present == (Key("Basic", "there"),)
    assert told(enforced) == [("reference.missing", "/tasks/0"), ("reference.missing", "/tasks/1")]
    warned = judged("warn", *ones)
    assert (names(warned.kept), warned.refused) == (["0", "1", "2"], frozenset())
    assert told(warned) == [("reference.not-there", "/tasks/0")]
    unseen = judged("off", *ones)
    assert (names(unseen.kept), unseen.present, unseen.issues) == (["0", "1", "2"], (), ())


def test_what_an_unsound_entry_would_have_made_is_not_there_unless_it_was():
    for before, kept in ((False, []), (True, ["1"])):
        found = judged("enforce", made("0", [], sound=False, before=before), made("1", ["0"]))
        assert names(found.kept) == kept


def test_a_strict_push_is_refused_whole_and_says_everything_at_once():
    with pytest.raises(Unprocessable) as refusal:
        judged("enforce", made("0", [], sound=False), made("1", ["0"]), strict=True)
    assert told(refusal.value)[-1] == ("reference.missing", "/tasks/1")
    assert len(refusal.value.issues) == 2
    with pytest.raises(Unprocessable):
        judged("enforce", replace(made("0", ["gone"]), section="person", key="person"))


GRAPHS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([*map(str, range(8)), *OUTSIDE]), max_size=4),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(GRAPHS)
def test_nothing_that_is_kept_refers_to_what_is_not_there(graph):
    ones = [
        made(str(number), refers, sound=sound, before=before)
        for number, (refers, sound, before) in enumerate(graph)
    ]
    found = judged("enforce", *ones)
    kept = {one.key for one in found.kept}
    there = kept | {one.key for one in ones if one.head is not None} | {"there"}
    assert kept | {key for _, key in found.refused} == {one.key for one in ones}
    for number, (refers, sound, _) in enumerate(graph):
        leads = all(each in there or each == str(number) for each in refers)
        if str(number) in kept:
            assert sound
            assert leads
    dropped = {one.key: one for one in ones if one.key not in kept}
    for name in dropped:  # never without a reason
        refers, sound, _ = graph[int(name)]
        assert not sound or any(each not in there for each in refers if each != name)


@pytest.mark.anyio
async def test_a_push_goes_through_where_references_are_enforced(gateway, sample):
    enforcing = replace(gateway, writing=WritingPolicy(references="enforce"))
    content = json.loads(dump(sample))

    async def push() -> list[str]:
        body = dump(Dossier(content))
        given = {"if_match": None, "strict": True, "dry_run": False}
        receipt = await receive(enforcing, SYSTEM, sample.tag, body, **given)
        assert receipt.issues == ()
        return [entry.action for entry in receipt.entries]

    assert set(await push()) == {"created"}
    assert set(await push()) == {"unchanged"}
    (document,) = content["documents"]
    content["documents"] = [document | {"key": "d2", "replaces": document["key"]}]
    content |= {"complete": [], "tasks": [], "appointments": []}
    assert "created" in await push()
