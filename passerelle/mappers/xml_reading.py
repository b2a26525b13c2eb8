"""The one way XML is parsed: no DOCTYPE, no entity, no network, bounded in size, depth and nodes.

https://www.w3.org/TR/xml/#sec-prolog-dtd . The DOCTYPE is looked for before the parser sees the
document, since an entity bomb is a thing to refuse, not to survive. The limits that the parser
lifts with ``huge_tree`` (needed above 10 MB of text: a CDA of level 1 around a PDF of 7.5 MB)
are held here instead.
"""

import re

from lxml import etree

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue

DEPTH_MAX = 100
NODES_MAX = 400_000
HUGE_FROM = 10_000_000
"""libxml2 refuses a text node above this unless ``huge_tree`` is set."""

_ENCODINGS = frozenset(
    {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252"}
)
_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s{0,20}=\s{0,20}["']([^"']{1,40})["']""")
_BLANKS = b" \t\r\n"


def read_xml(body: bytes, *, size_max: int) -> etree._Element:
    """Parse a document from outside and give its root; comments and instructions are dropped.

    Raises Invalid: xml.too-large, xml.encoding, xml.doctype, xml.malformed, xml.too-many-nodes,
    xml.too-deep. Nothing of the document is in the refusal.
    """
    if len(body) > size_max:
        raise Invalid(issue("xml.too-large", limit=size_max))
    body, encoding = _ascii_compatible(body)
    _refuse_doctype(body)
    if body.count(b"<") > 2 * NODES_MAX or body.count(b"=") > NODES_MAX:
        raise Invalid(issue("xml.too-many-nodes", limit=NODES_MAX))
    try:
        root = etree.fromstring(body, _parser(encoding, huge=len(body) > HUGE_FROM))  # noqa: TID251
    except etree.XMLSyntaxError:
        raise Invalid(issue("xml.malformed")) from None
    _demand_depth(root)
    return root


def _parser(encoding: str | None, *, huge: bool) -> etree.XMLParser:
    """Make the hardened parser; ``huge`` only once size, nodes and DOCTYPE have been checked."""
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=huge,
    )


def _ascii_compatible(body: bytes) -> tuple[bytes, str | None]:
    """Give the document in a form whose markup is ASCII, and the encoding to impose on it.

    The parser guesses more encodings than one can look through (UTF-7, EBCDIC, UCS-4): only those
    in which a DOCTYPE reads as itself are let in; UTF-16 is turned into UTF-8.
    """
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or body[:2] in (b"<\0", b"\0<"):
        wide = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(body[:2], "utf-16")
        try:
            return body.decode(wide).encode(), "utf-8"
        except UnicodeDecodeError:
            raise Invalid(issue("xml.encoding")) from None
    body = body.removeprefix(b"\xef\xbb\xbf")
    if body[:1] in (b" ", b"\t", b"\r", b"\n"):
        body = body.lstrip(_BLANKS)
    declared = _DECLARED.match(body)
    if declared is None:
        return body, None
    name = declared[1].decode("latin-1").lower()
    if name not in _ENCODINGS:
        raise Invalid(issue("xml.encoding"))
    return body, name


def _refuse_doctype(body: bytes) -> None:
    """Walk the prolog (blanks, comments, instructions) to the root; a ``<!`` there is a DOCTYPE."""
    at = 0
    while True:
        while body[at : at + 1] and body[at : at + 1] in b" \t\r\n":
            at += 1
        if body.startswith(b"<?", at):
            at = body.find(b"?>", at) + 2
        elif body.startswith(b"<!--", at):
            at = body.find(b"-->", at + 4) + 3
        elif body.startswith(b"<!", at):
            raise Invalid(issue("xml.doctype"))
        else:
            return
        if at < 3:  # the end was not found
            raise Invalid(issue("xml.malformed"))


def _demand_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise Invalid(issue("xml.too-deep", limit=DEPTH_MAX))


def attribute(element: etree._Element | None, name: str) -> str | None:
    """Give an attribute's value without outer blanks, or None when there is none or no element."""
    value = None if element is None else element.get(name)
    return None if value is None else value.strip() or None


def text(element: etree._Element | None) -> str | None:
    """Give the whole text inside an element, blanks collapsed; None when there is none."""
    if element is None:
        return None
    return " ".join("".join(map(str, element.itertext())).split()) or None


def unwritable(value: str) -> bool:
    """Tell whether a text has a character that XML 1.0 cannot carry (control, lone surrogate).

    https://www.w3.org/TR/xml/#charsets
    """
    return _UNWRITABLE.search(value) is not None


_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def character_issue(expression: str) -> Issue:
    """Make the issue of a value that XML cannot carry."""
    return issue("xml.character", expression)
