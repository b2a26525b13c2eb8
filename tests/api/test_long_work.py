"""What is long to look at keeps nobody waiting, and what would fill the memory is refused."""

import asyncio
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.dossiers.turns import HEAVY_PARTS, is_heavy
from passerelle.errors.refusals import Invalid
from passerelle.fhir import json_text

LARGE = {"resourceType": "Patient", "name": [{"use": "zz", "given": ["a"] * 3}] * 2_000}
GZIP = {"content-encoding": "gzip"}
PARAMETERS = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": LARGE}]}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": LARGE, "request": {"method": "POST", "url": "Patient"}}],
}
LONG = {
    "create": ("POST", "/fhir/Patient", LARGE, 400),
    "update": ("PUT", "/fhir/Patient/p2", LARGE | {"id": "p2"}, 400),
    "transaction": ("POST", "/fhir", BUNDLE, 400),
    "validate": ("POST", "/fhir/Patient/$validate", PARAMETERS, 200),
}


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.mark.anyio
@pytest.mark.parametrize("what", LONG)
async def test_others_are_answered_while_a_large_resource_is_looked_at(served, what):
    """The first one is begun before; it would be done before as well, were it done at one go."""
    await served.kept({"resourceType": "Patient", "id": "p1"})
    method, address, body, status = LONG[what]
    order = []

    async def ask(name, *asked):
        answer = await served.ask(*asked)
        order.append(name)
        return answer

    long = asyncio.create_task(ask("long", method, address, body))
    short = asyncio.create_task(ask("short", "GET", "/fhir/Patient/p1"))
    assert (await short).status_code == 200
    assert (await long).status_code == status
    assert order == ["short", "long"]


def walked(value):
    """Count as ``is_heavy`` does, to the end."""
    some = value.values() if isinstance(value, dict) else value
    count = 0
    for each in some:
        count += 1
        if isinstance(each, str):
            count += len(each) >> 10
        elif isinstance(each, dict | list):
            count += walked(each)
    return count


PIECES = st.recursive(
    st.one_of(st.integers(0, 9), st.integers(0, 2_000_000).map(lambda n: "x" * n)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=3), st.integers(0, 3_000))
def test_what_is_heavy_is_told_by_its_parts_and_its_texts(pieces, more):
    resource = {"a": pieces, "b": [1] * more}
    assert is_heavy(resource) == (walked(resource) > HEAVY_PARTS)


@pytest.mark.anyio
async def test_a_body_that_unfolds_beyond_what_text_gives_is_refused(served, rules):
    bomb = gzip.compress(b'{"resourceType":"Patient","name":[' + b"{}," * 1_500_000)
    answer = await served.ask("PUT", "/fhir/Binary/b", bomb, GZIP | {"content-type": "image/png"})
    assert (answer.status_code, rules(answer)) == (413, ["http.body-inflates"])


@pytest.mark.anyio
async def test_a_body_of_text_unfolds_as_far_as_it_may(served):
    names = [{"family": f"Nom{n % 97}", "given": [f"P{n % 89}"]} for n in range(3_000)]
    body = gzip.compress(json.dumps({"resourceType": "Patient", "id": "g", "name": names}).encode())
    assert (await served.ask("PUT", "/fhir/Patient/g", body, GZIP)).status_code == 201


def test_more_values_than_any_bundle_has_are_refused_before_they_are_made():
    text = b'{"resourceType":"Patient","name":[' + b"{}," * 2_600_000 + b"{}]}"
    with pytest.raises(Invalid) as refusal:
        json_text.decode(text)
    assert refusal.value.issues[0].rule == "json.too-many-parts"
    few = json_text.decode(b'{"resourceType":"Patient","a":"' + b"a" * 6_000_000 + b'"}')
    assert len(few["a"]) == 6_000_000
