"""The narrative: a piece of XHTML that may be shown without fear.

https://hl7.org/fhir/R4/narrative.html#xhtml : basic formatting of HTML 4.0 (chapters 7 to 11 but
9.4, and 15), links, images and style; no scripts, forms, frames or events. Read by expat, which
fetches nothing; a document type, hence any entity of one's own, is refused.
"""

import re
from html.entities import name2codepoint
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
DEPTH_MAX = 100

_BASIC = """
    a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div
    dl dt em font h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q s samp small span strike strong
    sub sup table tbody td tfoot th thead tr tt u ul var"""
_PLAIN = """
    abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff cite class
    color colspan compact coords dir face frame headers height href hreflang hspace id lang
    longdesc name noshade nowrap rel rev rowspan rules scope shape size space span src start style
    summary tabindex target title type usemap valign value vspace width xml:lang
    xml:space"""
ELEMENTS = frozenset(_BASIC.split())
ATTRIBUTES = frozenset(_PLAIN.split())
_LINKS = frozenset({"href", "src", "cite", "longdesc", "usemap"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_IGNORED = re.compile(r"[\x00-\x20]+")  # browsers leave them out of a scheme
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "urn", "ftp"})
_STYLE = re.compile(r"url\s*\(|expression|javascript|@import|-moz-binding|behavior|\\", re.I)
_OWN_IMAGE = re.compile(
    r"url\((?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?|data:image/(?:png|gif|jpeg);base64,[A-Za-z0-9+/=]+)\)"
)
"""A picture in the style itself, or beside the page, as published guides have them."""
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})


class _Reader:
    """Reads one narrative; ``fault`` is the first rule that it breaks."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.depth = 0
        self.content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Look at an element as it opens."""
        self.depth += 1
        space, _, local = name.rpartition(" ")
        if self.depth == 1 and name != f"{XHTML} div":
            self.fault = "structure.narrative-div"
        elif space != XHTML or local not in ELEMENTS or self.depth > DEPTH_MAX:
            self.fault = self.fault or "structure.txt-1"
        elif local == "img":
            self.content = True
        for key, value in attributes.items():
            if not _harmless(key.removeprefix("http://www.w3.org/XML/1998/namespace "), value):
                self.fault = self.fault or "structure.txt-1"

    def end(self, name: str) -> None:
        """Look at an element as it closes."""
        self.depth -= 1

    def text(self, text: str) -> None:
        """Note whether there is anything to read."""
        if not self.content and not text.isspace():
            self.content = True

    def refuse(self, *_: object) -> None:
        """Refuse what an XHTML fragment may not have: a document type, an instruction."""
        self.fault = self.fault or "structure.txt-1"


def _harmless(name: str, value: str) -> bool:
    """Tell whether an attribute is one of those allowed and leads nowhere active."""
    if name not in ATTRIBUTES:
        return False
    if name == "style":
        return _STYLE.search(_OWN_IMAGE.sub("", value)) is None
    if name not in _LINKS:
        return True
    address = _IGNORED.sub("", value)
    scheme = _SCHEME.match(address)
    if scheme is None:
        return True
    word = scheme[1].lower()
    return word in _SCHEMES or (name == "src" and address.lower().startswith("data:image/"))


def _character(entity: re.Match[str]) -> str:
    """Write a named entity of HTML as its character; XML's own five stay."""
    name = entity[1]
    known = name not in _XML_ENTITIES and name in name2codepoint
    return chr(name2codepoint[name]) if known else entity[0]


def fault(div: str) -> str | None:
    """Give the rule that a narrative breaks, or None.

    ``structure.narrative-div``: not well-formed, or not one XHTML ``div``; ``structure.txt-1``:
    something in it that is not allowed; ``structure.txt-2``: nothing to read in it.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    try:
        parser.Parse(_ENTITY.sub(_character, div) if "&" in div else div, True)
    except (expat.ExpatError, UnicodeEncodeError):
        return "structure.narrative-div"
    return reader.fault or (None if reader.content else "structure.txt-2")


def is_right(div: object) -> bool:
    """Tell whether a narrative breaks no rule: the format ``xhtml`` of the quick schemas."""
    return not isinstance(div, str) or fault(div) is None
