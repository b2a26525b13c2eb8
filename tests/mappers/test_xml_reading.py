"""What the one XML parser lets in, and what it refuses before it costs anything."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid
from passerelle.mappers.xml_reading import DEPTH_MAX, NODES_MAX, attribute, read_xml, text

SIZE_MAX = 60_000_000
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(
        b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10 if n > 1 else b"&lol;" * 10)
        for n in range(1, 10)
    )
    + b"]><lolz>&lol9;</lolz>"
)
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/x.dtd"> %x;]><a/>'
ATTRIBUTE = b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 1000 + b'">]><a b="' + b"&x;" * 1000 + b'"/>'


def refused(body: bytes, size_max: int = SIZE_MAX) -> str:
    with pytest.raises(Invalid) as refusal:
        read_xml(body, size_max=size_max)
    (issue,) = refusal.value.issues
    return issue.rule


@pytest.mark.parametrize("body", [LAUGHS, EXTERNAL, PARAMETER, ATTRIBUTE])
@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"<!-- a comment --><?a pi?>\n  ",
        b"<!-- <a/> --><!-- -->",
        b"\xef\xbb\xbf",
    ],
)
def test_a_document_with_a_doctype_is_refused(before: bytes, body: bytes) -> None:
    if before and body.startswith(b"<?xml"):
        body = body[body.index(b"?>") + 2 :]
    assert refused(before + body) == "xml.doctype"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_doctype_does_not_hide_in_utf_16(encoding: str) -> None:
    assert refused(EXTERNAL.decode().encode(encoding)) == "xml.doctype"


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        b'<?xml version="1.0" encoding="cp037"?><a/>',
        b'<?xml version="1.0" encoding="EUC-JP"?><a/>',
        b"\xff\xfea",
    ],
)
def test_other_encodings_are_refused(body: bytes) -> None:
    assert refused(body) in ("xml.encoding", "xml.malformed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"no xml",
        b"<a>",
        b"<a></b>",
        b"<!--",
        b"<?a",
        b"<a>&nbsp;</a>",
        b"<a>\x00</a>",
        b"<a>\xe9</a>",
        b"<a/><b/>",
        "<a/>".encode("utf-32"),
        "<?xml version='1.0'?><a/>".encode("cp037"),
    ],
)
def test_what_is_not_well_formed_is_refused(body: bytes) -> None:
    assert refused(body) in ("xml.malformed", "xml.encoding")


def test_size_depth_and_nodes_are_bounded() -> None:
    assert refused(b"<a/>", size_max=3) == "xml.too-large"
    assert refused(b"<a>" * 101 + b"</a>" * 101) == "xml.too-deep"
    assert refused(b"<a>" * 100_000) in ("xml.malformed", "xml.too-deep")
    assert refused(b"<a>" + b"<b/>" * (2 * NODES_MAX) + b"</a>") == "xml.too-many-nodes"
    wide = b"<a " + b" ".join(b'a%d=""' % n for n in range(NODES_MAX + 1)) + b"/>"
    assert refused(wide) == "xml.too-many-nodes"
    read_xml(b"<a>" * DEPTH_MAX + b"</a>" * DEPTH_MAX, size_max=SIZE_MAX)


def test_a_bomb_costs_no_memory() -> None:
    tracemalloc.start()
    assert refused(LAUGHS) == "xml.doctype"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_depth_is_bounded_in_a_huge_document_too() -> None:
    filler = b"<t>" + b"A" * 10_100_000 + b"</t>"
    deep = b"<a>" + filler + b"<b>" * 300 + b"</b>" * 300 + b"</a>"
    assert refused(deep) in ("xml.too-deep", "xml.malformed")


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", True),
        ("utf-8", False),
        ("utf-8-sig", False),
        ("iso-8859-1", True),
        ("windows-1252", True),
        ("utf-16", False),
    ],
)
def test_the_encodings_in_use_are_read(encoding: str, declared: bool) -> None:
    prolog = f'<?xml version="1.0" encoding="{encoding}"?>' if declared else ""
    root = read_xml(f"{prolog}<a b=' é '> Zoé  É </a>".encode(encoding), size_max=SIZE_MAX)
    assert (text(root), attribute(root, "b")) == ("Zoé É", "é")


def test_blanks_before_the_root_are_forgiven() -> None:
    assert read_xml(b"  \r\n <a/>", size_max=SIZE_MAX).tag == "a"


def test_a_doctype_in_a_comment_or_a_text_is_none() -> None:
    body = b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>"
    assert text(read_xml(body, size_max=SIZE_MAX)) == "<!DOCTYPE a>"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text("<>!-?a&;=\"' \n[]", max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read_xml(body, size_max=100)
    except Invalid as refusal:
        assert {issue.rule.partition(".")[0] for issue in refusal.issues} == {"xml"}  # noqa: PT017
