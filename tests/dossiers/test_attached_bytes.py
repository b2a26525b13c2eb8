"""Bytes beside what a document says of them: each read once for a commit, within a bound."""

import pytest

from passerelle.dossiers.documents import attached_bytes
from passerelle.dossiers.documents.attached_bytes import Binaries
from passerelle.dossiers.repository import Repository
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from tests import pdsm

pytestmark = pytest.mark.anyio


@pytest.fixture
async def kept(gateway):
    """A gateway with the bytes of two documents."""
    for name, data in (("b1", pdsm.TEXT), ("large", b"x" * 1_500_000)):
        binary = pdsm.binary(data) | {"id": name}
        await Repository(gateway, SYSTEM).update(Key("Binary", name), binary)
    return gateway


async def checked(gateway, document, binaries=None):
    found = await attached_bytes.check(gateway, SYSTEM, document, binaries or Binaries())
    return [(one.severity, one.rule) for one in found]


async def test_bytes_are_read_once_for_all_documents_of_a_commit(kept):
    binaries = Binaries()
    assert await checked(kept, pdsm.document(), binaries) == []
    left = binaries.left
    assert left == attached_bytes.READ_BYTES_MAX - len(pdsm.TEXT)
    wrong = pdsm.document()
    wrong["content"][0]["attachment"]["hash"] = pdsm.sha1(b"other")
    assert await checked(kept, wrong, binaries) == [("error", "document.hash-mismatch")]
    assert binaries.left == left


async def test_beyond_the_bound_the_size_alone_is_compared(kept):
    document = pdsm.document(data=b"x" * 1_500_000, url="Binary/large")
    assert await checked(kept, document) == []
    document["content"][0]["attachment"]["hash"] = pdsm.sha1(b"other")
    assert await checked(kept, document, Binaries(left=1_000_000)) == []
    assert await checked(kept, document) == [("error", "document.hash-mismatch")]
    document["content"][0]["attachment"]["size"] = 3
    assert await checked(kept, document, Binaries(left=1_000_000)) == [
        ("error", "document.size-mismatch")
    ]


async def test_where_no_hash_is_stated_no_bytes_are_read(kept):
    plain = {k: v for k, v in pdsm.document().items() if k != "meta"}
    del plain["content"][0]["attachment"]["hash"]
    binaries = Binaries()
    assert await checked(kept, plain, binaries) == []
    assert binaries.left == attached_bytes.READ_BYTES_MAX
    plain["content"] *= 50
    plain["content"] = [{"attachment": one["attachment"] | {"size": 1}} for one in plain["content"]]
    assert len(await checked(kept, plain, binaries)) == attached_bytes.ATTACHMENTS_MAX
