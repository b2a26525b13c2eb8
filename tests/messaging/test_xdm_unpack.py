"""Archives from outside: what opens, what is refused, and that neither costs much."""

import io
import random
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.messaging.xdm.xdm_unpack import Limits, unpack

METADATA = "IHE_XDM/SUBSET01/METADATA.XML"
DOCUMENT = "IHE_XDM/SUBSET01/DOC0001.XML"
FILES = {METADATA: b"<m/>", DOCUMENT: b"<a/>"}


def zipped(files: dict[str, bytes] | None = None, **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in {**(FILES if files is None else files), **more}.items():
            archive.writestr(name, body)
    return out.getvalue()


def with_member(info: zipfile.ZipInfo, body: bytes = b"x") -> bytes:
    out = io.BytesIO(zipped())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(info, body)
    return out.getvalue()


def refused(body: bytes, limits: Limits | None = None) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        unpack(body, limits)
    return [issue.rule for issue in refusal.value.issues]


def central(body: bytes, name: str) -> int:
    """Give where the directory's record of a member begins."""
    at = body.index(b"PK\x01\x02")
    while body[at + 46 : at + 46 + len(name)] != name.encode():
        at = body.index(b"PK\x01\x02", at + 4)
    return at


def patched(body: bytes, at: int, value: int, size: int) -> bytes:
    return body[:at] + value.to_bytes(size, "little") + body[at + size :]


def test_paths_are_read_in_any_case_and_without_folder_entries() -> None:
    archive = unpack(
        zipped({"ihe_xdm/Subset01/metadata.xml": b"<m/>", "IHE_XDM/SUBSET01/Doc0001.xml": b"<a/>"})
    )
    assert archive.metadata == b"<m/>"
    assert archive.document(" doc0001.XML ") == b"<a/>"
    assert archive.document("DOC0002.XML") is None
    assert archive.document(None) is None


def test_files_beside_the_subset_are_not_inflated() -> None:
    archive = unpack(zipped(INDEX=b"", **{"README.TXT": b"x", "IHE_XDM/NOTE.TXT": b"x"}))
    assert list(archive.documents) == ["DOC0001.XML"]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.xml",
        "IHE_XDM/SUBSET01/../../../evil.xml",
        "/etc/passwd",
        "IHE_XDM\\SUBSET01\\DOC0002.XML",
        "C:/evil.xml",
        "IHE_XDM/./DOC.XML",
        "IHE_XDM//DOC.XML",
        "a\x00b",
        "a\nb",
        "..",
        "IHE_XDM/SUBSET01/..",
    ],
)
def test_a_name_that_is_no_plain_path_is_refused(name: str) -> None:
    body = zipped({**FILES, "X" * len(name): b"x"})
    assert refused(body.replace(b"X" * len(name), name.encode()))[0] == "xdm.path"


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_special_files_are_refused(mode: int) -> None:
    info = zipfile.ZipInfo("IHE_XDM/SUBSET01/LINK")
    info.external_attr = (mode | 0o777) << 16
    assert refused(with_member(info, b"/etc/passwd")) == ["xdm.symlink"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", [DOCUMENT, DOCUMENT.lower()])
def test_two_files_of_one_name_are_refused(name: str) -> None:
    assert refused(with_member(zipfile.ZipInfo(name))) == ["xdm.duplicate"]


def test_an_encrypted_file_is_refused() -> None:
    body = zipped()
    assert refused(patched(body, central(body, DOCUMENT) + 8, 1, 2)) == ["xdm.encrypted"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method: int) -> None:
    info = zipfile.ZipInfo("IHE_XDM/SUBSET01/DOC0002.XML")
    info.compress_type = method
    assert refused(with_member(info)) == ["xdm.compression"]


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        ({}, ["xdm.no-metadata"]),
        ({DOCUMENT: b""}, ["xdm.no-metadata"]),
        ({METADATA: b""}, ["xdm.no-document"]),
        ({**FILES, "IHE_XDM/SUBSET02/METADATA.XML": b""}, ["xdm.several-subsets"]),
        ({**FILES, "IHE_XDM/SUBSET02/DOC0001.XML": b""}, ["xdm.several-subsets"]),
        ({"METADATA.XML": b"", DOCUMENT: b""}, ["xdm.no-metadata"]),
    ],
)
def test_archives_without_one_whole_subset_are_refused(
    files: dict[str, bytes], rules: list[str]
) -> None:
    assert refused(zipped(files)) == rules


def test_the_limits_hold() -> None:
    noise = random.Random(1).randbytes(3000)
    body = zipped({**FILES, "A": noise, "B": noise})
    assert refused(body, Limits(archive_bytes=100)) == ["xdm.too-large"]
    assert refused(body, Limits(members=3)) == ["xdm.too-many-members"]
    assert refused(body, Limits(member_bytes=2999)) == ["xdm.member-too-large"]
    assert refused(body, Limits(total_bytes=6000)) == ["xdm.total-too-large"]
    unpack(body, Limits(archive_bytes=10_000, members=4, member_bytes=3000, total_bytes=6100))


def test_all_faults_of_the_directory_are_told_at_once() -> None:
    info = zipfile.ZipInfo("XX/evil")
    info.external_attr = stat.S_IFLNK << 16
    body = with_member(info, b"x" * 200).replace(b"XX/evil", b"../evil")
    assert refused(body, Limits(member_bytes=100)) == [
        "xdm.path",
        "xdm.symlink",
        "xdm.member-too-large",
    ]


def test_a_bomb_of_a_hundred_megabytes_costs_nothing() -> None:
    bomb = zipped({METADATA: b"<m/>", DOCUMENT: bytes(100_000_000)})
    assert len(bomb) < 200_000
    tracemalloc.start()
    assert refused(bomb) == ["xdm.member-too-large", "xdm.ratio", "xdm.total-too-large"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_small_bomb_is_told_by_its_ratio() -> None:
    assert refused(zipped({METADATA: b"<m/>", DOCUMENT: bytes(1_000_000)})) == ["xdm.ratio"]


@pytest.mark.parametrize("announced", [10, 99_999])
def test_a_file_that_is_not_of_the_announced_size_is_refused(announced: int) -> None:
    body = zipped({METADATA: b"<m/>", DOCUMENT: b"a" * 5000})
    lying = patched(body, central(body, DOCUMENT) + 24, announced, 4)
    tracemalloc.start()
    assert refused(lying) == ["xdm.corrupt"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_bomb_that_announces_little_never_inflates_beyond_it() -> None:
    body = zipped({METADATA: b"<m/>", DOCUMENT: bytes(50_000_000)})
    lying = patched(body, central(body, DOCUMENT) + 24, 1000, 4)
    tracemalloc.start()
    assert refused(lying) == ["xdm.corrupt"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_wrong_check_sum_is_refused() -> None:
    body = zipped()
    assert refused(patched(body, central(body, DOCUMENT) + 16, 1, 4)) == ["xdm.corrupt"]


def test_members_that_share_bytes_are_refused() -> None:
    body = zipped()
    shared_offset = int.from_bytes(body[(at := central(body, METADATA)) + 42 : at + 46], "little")
    assert "xdm.overlap" in refused(patched(body, central(body, DOCUMENT) + 42, shared_offset, 4))


def test_zip64_is_refused() -> None:
    body = zipped()
    end = body.index(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    assert refused(body[:end] + locator + body[end:]) == ["xdm.zip64"]


def test_a_directory_of_many_members_is_refused_before_it_is_parsed() -> None:
    body = zipped()
    end = body.index(b"PK\x05\x06")
    assert refused(patched(body, end + 10, 60_000, 2)) == ["xdm.too-many-members"]
    assert refused(patched(body, end + 12, 30_000_000, 4)) == ["xdm.too-many-members"]


@pytest.mark.parametrize("body", [b"", b"PK", b"PK\x05\x06", b"%PDF", bytes(100_000)])
def test_what_is_no_zip_is_refused(body: bytes) -> None:
    assert refused(body) == ["xdm.not-a-zip"]


def damage(body: bytes, draw: random.Random) -> bytes:
    """Change, cut or move a few bytes."""
    ways: list[Callable[[], bytes]] = [
        lambda: patched(body, draw.randrange(len(body)), draw.randrange(256), 1),
        lambda: body[: draw.randrange(len(body))],
        lambda: body[draw.randrange(len(body)) :],
        lambda: patched(body, draw.randrange(len(body) - 4), draw.randrange(2**32), 4),
    ]
    return draw.choice(ways)()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_archive_opens_or_is_refused(seed: int) -> None:
    draw = random.Random(seed)
    whole = zipped({**FILES, "README.TXT": b"x" * 300})
    for _ in range(1000):
        body = damage(whole, draw)
        if draw.random() < 0.5 and len(body) > 4:
            body = damage(body, draw)
        try:
            unpack(body)
        except Invalid as refusal:
            rules = {issue.rule for issue in refusal.issues}
            assert all(rule.startswith("xdm.") for rule in rules)


def test_real_archives_open(shared: Path) -> None:
    paths = sorted((shared / "data/xdm").glob("*.zip"))
    assert len(paths) == 7
    for path in paths:
        assert list(unpack(path.read_bytes()).documents) == ["DOC0001.XML"]
