"""The served body: three members set, nothing else touched."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.fhir.json_text import decode, encode
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.served_body import split

KEY = Key("Patient", "p-1")
VERSION, INSTANT = b"7", b"2026-01-12T09:00:00.000000Z"

names = st.text(max_size=8).filter(lambda name: name not in {"resourceType", "id", "meta"})
scalars = st.one_of(st.text(), st.booleans(), st.integers(-(2**53), 2**53), st.none())
values = st.recursive(
    st.one_of(scalars, st.decimals(allow_nan=False, allow_infinity=False, places=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
metas = st.dictionaries(
    st.sampled_from(["versionId", "lastUpdated", "_lastUpdated", "profile", "tag", "source"]),
    values,
)


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    members: dict[str, Any] = draw(st.dictionaries(names, values, max_size=5))
    members["resourceType"] = "Patient"
    if draw(st.booleans()):
        members["id"] = "sent"
    if draw(st.booleans()):
        members["meta"] = draw(metas)
    return dict(draw(st.permutations(list(members.items()))))


def body(resource: Resource) -> bytes:
    before, between, after = split(resource, KEY)
    return before + VERSION + between + INSTANT + after


@settings(max_examples=200, deadline=None)
@given(resources())
def test_three_members_are_set_and_nothing_else_changes(resource: Resource) -> None:
    sent = encode(resource)
    served = json.loads(body(resource), parse_float=Decimal)
    assert served["id"] == "p-1"
    assert served["meta"]["versionId"] == "7"
    assert served["meta"]["lastUpdated"] == INSTANT.decode()
    expected = json.loads(sent, parse_float=Decimal)
    expected["id"], meta = "p-1", dict(expected.get("meta", {}))
    meta.update(versionId="7", lastUpdated=INSTANT.decode())
    expected["meta"] = meta
    assert served == expected
    assert encode(resource) == sent


@settings(max_examples=200, deadline=None)
@given(resources())
def test_the_order_of_the_members_is_kept(resource: Resource) -> None:
    served = list(json.loads(body(resource)))
    assert [name for name in served if name in resource] == list(resource)
    place = served.index("resourceType") + 1
    missing = [name for name in ("id", "meta") if name not in resource]
    assert served[place : place + len(missing)] == missing
    if "meta" in resource:
        meta = list(json.loads(body(resource))["meta"])
        kept = [name for name in resource["meta"] if name not in {"versionId", "lastUpdated"}]
        assert meta == ["versionId", "lastUpdated", *kept]


@pytest.mark.parametrize(
    ("sent", "served"),
    [
        (
            b'{"resourceType":"Patient"}',
            b'{"resourceType":"Patient","id":"p-1","meta":{"versionId":"7","lastUpdated":"T"}}',
        ),
        (
            b'{"active":true,"resourceType":"Patient","meta":{"tag":[{"code":"a"}]},"id":"x"}',
            b'{"active":true,"resourceType":"Patient","meta":{"versionId":"7","lastUpdated":"T",'
            b'"tag":[{"code":"a"}]},"id":"p-1"}',
        ),
        (
            b'{"resourceType":"Observation","id":"x","_id":{"id":"k"},'
            b'"valueQuantity":{"value":0.40,"extension":[{"url":"u","valueDecimal":1e3}]}}',
            b'{"resourceType":"Observation","meta":{"versionId":"7","lastUpdated":"T"},"id":"p-1",'
            b'"_id":{"id":"k"},'
            b'"valueQuantity":{"value":0.40,"extension":[{"url":"u","valueDecimal":1e3}]}}',
        ),
    ],
)
def test_the_text_is_the_one_that_came_in(sent: bytes, served: bytes) -> None:
    before, between, after = split(decode(sent), KEY)
    assert before + b"7" + between + b"T" + after == served


def test_a_resource_without_its_type_is_given_the_one_of_the_key() -> None:
    assert body({"active": True}).startswith(b'{"resourceType":"Patient","id":"p-1","meta":{')
