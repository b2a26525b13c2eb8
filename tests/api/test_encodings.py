"""gzip both ways: what goes out, what comes in, and the bounds of what comes out of it."""

import base64
import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.api.rest import encodings
from tests.api.conftest import BODY_LIMIT, FHIR

pytestmark = pytest.mark.anyio

LARGE = "".join(chr(97 + number * number % 26) for number in range(9_000))
SMALL = {"resourceType": "Basic", "id": "small", "code": {"text": "x"}}
BIG = {"resourceType": "Basic", "id": "big", "code": {"text": LARGE}}


async def test_a_large_answer_goes_in_gzip_to_who_reads_it(served):
    await served.kept(BIG)
    await served.kept(SMALL)
    plain = await served.ask("GET", "/fhir/Basic/big", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "accept, accept-encoding"
    for address in (
        "/fhir/Basic/big",
        "/fhir/Basic/big/_history/1",
        "/fhir/Basic",
        "/fhir/_history",
    ):
        coded = await served.ask("GET", address, headers={"accept-encoding": "br, gzip"})
        assert coded.headers["content-encoding"] == "gzip"
        assert LARGE in coded.text
        assert int(coded.headers["content-length"]) < len(coded.content)
        head = await served.ask("HEAD", address, headers={"accept-encoding": "gzip"})
        assert head.headers["content-length"] == coded.headers["content-length"]
    assert coded.headers["vary"] == "accept, accept-encoding"
    small = await served.ask("GET", "/fhir/Basic/small", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


async def test_a_resource_that_is_streamed_is_coded_and_bytes_by_themselves_are_not(served):
    data = LARGE.encode() * 3
    kind = {"content-type": "text/plain"}
    made = await served.client.post("/fhir/Binary", content=data, headers=kind)
    address = f"/fhir/Binary/{made.json()['id']}"
    coding = {"accept-encoding": "gzip"}
    bare = await served.ask("GET", address, headers=coding | {"accept": "text/plain"})
    assert bare.content == data
    assert "content-encoding" not in bare.headers
    whole = await served.ask("GET", address, headers=coding | {"accept": "application/fhir+json"})
    assert base64.b64decode(whole.json()["data"]) == data
    assert whole.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("accepted", "reads"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("identity, gzip ; q=1.0", True),
    ],
)
def test_who_reads_gzip_says_so(accepted, reads):
    assert encodings.reads_gzip(accepted.encode()) is reads


async def test_a_body_in_gzip_is_read(served):
    body = gzip.compress(b'{"resourceType":"Basic","code":{"text":"caf\xc3\xa9"}}')
    for sent in (body, gzip.compress(b" ") + body):
        headers = FHIR | {"content-encoding": "gzip"}
        made = await served.client.post("/fhir/Basic", content=sent, headers=headers)
        assert made.status_code == 201, made.text
        assert made.json()["code"]["text"] == "café"


async def test_a_body_that_is_no_gzip_or_not_whole_is_refused(served, rules):
    body = gzip.compress(b'{"resourceType":"Basic"}')
    for sent in (b"x", body[:-1], body + b"x", b"\x1f\x8b"):
        headers = FHIR | {"content-encoding": "gzip"}
        answer = await served.client.post("/fhir/Basic", content=sent, headers=headers)
        assert (answer.status_code, rules(answer)) == (400, ["answer.body-not-gzip"])


async def test_a_bomb_is_refused_before_it_is_unpacked(served, rules):
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < BODY_LIMIT
    headers = FHIR | {"content-encoding": "gzip"}
    answer = await served.client.post("/fhir/Basic", content=bomb, headers=headers)
    assert (answer.status_code, rules(answer)) == (413, ["http.body-too-large"])


async def _piece_by_piece(data: bytes, sizes: list[int]):
    position = 0
    for size in [*sizes, len(data)]:
        if data[position : position + size]:
            yield data[position : position + size]
        position += size


@given(data=st.binary(max_size=3_000), sizes=st.lists(st.integers(1, 400), max_size=12))
@settings(max_examples=50, deadline=None)
def test_what_was_packed_comes_out_however_it_is_cut(data, sizes):
    import asyncio

    async def out() -> bytes:
        chunks = _piece_by_piece(gzip.compress(data), sizes)
        return b"".join([piece async for piece in encodings.inflated(chunks, 3_000)])

    assert asyncio.run(out()) == data
    assert zlib.decompress(gzip.compress(data), 31) == data
