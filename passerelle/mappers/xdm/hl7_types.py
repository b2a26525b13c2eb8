"""The HL7 v2 data types that XDS metadata are written in: CX, XCN, XON.

IHE ITI TF-3 table 4.2.3.1.7-2 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html#4.2.3.1.7),
delimiters escaped after HL7 v2.5 chapter 2.7 (``^`` is ``\\S\\`` …).
"""

from typing import NamedTuple

NATIONAL_PERSON = "1.2.250.1.71.4.2.1"
"""OID of the national identifiers of professionals (PSIdNat)."""
NATIONAL_STRUCTURE = "1.2.250.1.71.4.2.2"
"""OID of the national identifiers of structures (StructIdNat)."""
INS_OIDS = (
    "1.2.250.1.213.1.4.8",
    "1.2.250.1.213.1.4.9",
    "1.2.250.1.213.1.4.10",
    "1.2.250.1.213.1.4.11",
)
"""INS-NIR, INS-NIA, and the INS-NIR of test and of demonstration."""

_ESCAPED = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_ESCAPES = str.maketrans(_ESCAPED)
_LITERAL = {name[1]: literal for literal, name in _ESCAPED.items()}


class Cx(NamedTuple):
    """An identifier with its assigning authority: value, OID, type (``NH``, ``PI``)."""

    value: str
    oid: str
    type: str

    def __str__(self) -> str:
        """Spell it ``value^^^&oid&ISO^type``."""
        return f"{escape(self.value)}^^^&{escape(self.oid)}&ISO^{escape(self.type)}"


class Xcn(NamedTuple):
    """A person or device: id, family name, given name, OID, name type, identifier type."""

    value: str
    family: str
    given: str
    oid: str
    name_type: str = "D"
    type: str = "IDNPS"

    def __str__(self) -> str:
        """Spell it ``id^FAMILY^Given^^^^^^&oid&ISO^D^^^IDNPS``."""
        value, family, given, oid, name_type, type_ = map(escape, self)
        return f"{value}^{family}^{given}^^^^^^&{oid}&ISO^{name_type}^^^{type_}"


class Xon(NamedTuple):
    """A structure: name, OID, identifier type, identifier."""

    name: str
    oid: str = ""
    type: str = ""
    value: str = ""

    def __str__(self) -> str:
        """Spell it ``Name^^^^^&oid&ISO^IDNST^^^id``; only the name when there is no identifier."""
        name, oid, type_, value = map(escape, self)
        return f"{name}^^^^^&{oid}&ISO^{type_}^^^{value}" if value else name


def escape(value: str) -> str:
    """Write a text so that none of its characters is a delimiter of HL7 v2."""
    return value.translate(_ESCAPES)


def unescape(value: str) -> str:
    """Read a text written by :func:`escape`; an escape that is not known stays as it is."""
    if "\\" not in value:
        return value
    out, parts = [], value.split("\\")
    at = 0
    while at < len(parts):
        out.append(parts[at])
        if at + 2 < len(parts) and parts[at + 1] in _LITERAL:
            out.append(_LITERAL[parts[at + 1]])
            at += 2
        elif at + 1 < len(parts):
            out.append("\\")
            at += 1
        else:
            break
    return "".join(out)


def read_cx(text: str) -> Cx:
    """Read a CX; what is missing is the empty string."""
    parts = _components(text, 5)
    return Cx(unescape(parts[0]), _universal_id(parts[3]), unescape(parts[4]))


def read_xcn(text: str) -> Xcn:
    """Read an XCN; what is missing is the empty string."""
    parts = _components(text, 13)
    return Xcn(
        unescape(parts[0]),
        unescape(parts[1]),
        unescape(parts[2]),
        _universal_id(parts[8]),
        unescape(parts[9]),
        unescape(parts[12]),
    )


def read_xon(text: str) -> Xon:
    """Read an XON; what is missing is the empty string."""
    parts = _components(text, 10)
    return Xon(unescape(parts[0]), _universal_id(parts[5]), unescape(parts[6]), unescape(parts[9]))


def _components(text: str, count: int) -> list[str]:
    parts = text.split("^")
    return parts + [""] * (count - len(parts))


def _universal_id(authority: str) -> str:
    """Give the universal id of an HD (``name&oid&ISO``)."""
    parts = authority.split("&")
    return unescape(parts[1]) if len(parts) > 1 else ""
