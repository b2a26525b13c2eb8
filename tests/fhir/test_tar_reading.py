"""Archives that came from outside."""

import contextlib
import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.fhir.packages.tar_reading import Limits, members
from tests.made_packages import tgz

PATHS = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=60),
    min_size=1,
    max_size=5,
).map("/".join)


def refusal(body, limits=None):
    with pytest.raises(Invalid) as caught:
        list(members(body, limits))
    return caught.value.issues[0].rule


def packed(*entries, format=tarfile.PAX_FORMAT):
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=format) as tar:
        for name, kind, data in entries:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(data), "elsewhere"
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(body.getvalue())


@given(
    st.dictionaries(PATHS, st.binary(max_size=2_000), max_size=6),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)
@settings(max_examples=50, deadline=None)
def test_what_was_packed_is_what_is_read_however_long_its_name(files, format):
    body = packed(*((path, tarfile.REGTYPE, data) for path, data in files.items()), format=format)
    assert {each.path: each.body for each in members(body)} == files


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "a\\..\\x", "a//b", "package/\x01"]
)
def test_a_path_that_leads_out_is_refused(path):
    assert refusal(packed((path, tarfile.REGTYPE, b""))) == "package.path"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_a_link_or_a_device_is_refused(kind):
    assert refusal(packed(("package/x", kind, b""))) == "package.link"


def test_a_name_twice_is_refused():
    twice = ("package/x", tarfile.REGTYPE, b"1")
    assert refusal(packed(twice, twice)) == "package.duplicate"


def test_a_bomb_is_refused_before_it_is_inflated_whole():
    bomb = packed(("package/x", tarfile.REGTYPE, bytes(30_000_000)))
    assert len(bomb) < 100_000
    assert refusal(bomb) == "package.ratio"


def test_every_bound_is_kept():
    body = tgz({f"package/{n}": b"12345" for n in range(3)})
    assert refusal(body, Limits(archive_bytes=10)) == "package.too-large"
    assert refusal(body, Limits(members=2)) == "package.too-many-members"
    assert refusal(body, Limits(member_bytes=4)) == "package.member-too-large"
    assert refusal(body, Limits(total_bytes=600)) == "package.total-too-large"


def test_what_is_no_archive_or_is_cut_short_is_refused():
    assert refusal(b"PK\x03\x04") == "package.not-a-tgz"
    whole = packed(("package/x", tarfile.REGTYPE, bytes(range(256)) * 400))
    inner = gzip.decompress(whole)
    assert refusal(gzip.compress(inner[:2_000])) == "package.corrupt"
    assert refusal(whole[: len(whole) // 2]) == "package.corrupt"
    spoiled = bytearray(inner)
    spoiled[0] ^= 1
    assert refusal(gzip.compress(bytes(spoiled))) == "package.corrupt"


@given(st.binary(max_size=3_000))
@settings(max_examples=100, deadline=None)
def test_any_bytes_in_a_gzip_are_read_or_refused(inner):
    with contextlib.suppress(Invalid):
        list(members(gzip.compress(inner), Limits(total_bytes=10_000)))
