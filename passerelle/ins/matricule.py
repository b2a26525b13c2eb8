"""The matricule INS: thirteen characters, a key of two digits and the OID that says which kind.

Guide d'implémentation de l'INS v3.0, ANS,
https://esante.gouv.fr/sites/default/files/media/document/ANS_Guide-Implementation-INS_V3.0.pdf .
The characters and the key are errors; the structure only warns, because odd ones exist. Nothing
(sex, date, place) is ever derived from the number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue

URN = "urn:oid:"


class OidKind(NamedTuple):
    """What an OID of the INS stands for, and the identifier type that goes with it (CS 0203)."""

    kind: Literal["NIR", "NIA"]
    purpose: Literal["real", "test", "demonstration"]
    type_code: str


OIDS: Mapping[str, OidKind] = {
    "1.2.250.1.213.1.4.8": OidKind("NIR", "real", "INS-NIR"),
    "1.2.250.1.213.1.4.9": OidKind("NIA", "real", "INS-NIA"),
    "1.2.250.1.213.1.4.10": OidKind("NIR", "test", "INS-NIR-TEST"),
    "1.2.250.1.213.1.4.11": OidKind("NIR", "demonstration", "INS-NIR-DEMO"),
}
"""The OIDs of the INS; the historic INS-C (…4.2) is not one of them."""

TYPE_CODES: Mapping[str, str] = {entry.type_code: oid for oid, entry in OIDS.items()}
"""Identifier type code to OID."""

_FORM = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}[0-9]{2}", re.ASCII)
_LENGTH = 15
_CORSICA = {"2A": "19", "2B": "18"}
_SEX_DIGITS = frozenset("123478")
_MONTHS = frozenset((*range(1, 13), *range(20, 43), *range(50, 100)))
"""Calendar months, then the ranges of incomplete civil-status records."""
_NO_DEPARTMENT = "00"


@dataclass(frozen=True, slots=True)
class Matricule:
    """One matricule. Who it is, is the pair (matricule, OID), never the number alone."""

    number13: str = field(repr=False)
    key: str = field(repr=False)
    oid: str

    @property
    def pair(self) -> tuple[str, str]:
        """Give the identity: the fifteen characters and the OID."""
        return self.number13 + self.key, self.oid

    @property
    def kind(self) -> OidKind:
        """Tell what the OID stands for."""
        return OIDS[self.oid]


def normal(text: str) -> str:
    """Give a matricule as typed without its blanks and in upper case (``"2790… 89"``)."""
    return "".join(text.split()).upper()


def bare_oid(system: str) -> str:
    """Give the OID of a ``urn:oid:`` URI; what is no such URI comes back as it is."""
    return system.removeprefix(URN)


def key_of(number13: str) -> str:
    """Compute the key: 97 - N mod 97, where Corsica's 2A counts as 19 and 2B as 18."""
    department = number13[5:7]
    digits = number13[:5] + _CORSICA.get(department, department) + number13[7:]
    return f"{97 - int(digits) % 97:02d}"


def _check_structure(number: str, expression: str | None) -> list[Issue]:
    """Warn of a sex digit, a month or a department that nobody knows."""
    faults = (
        ("ins.sex-digit", number[0] not in _SEX_DIGITS),
        ("ins.month", int(number[3:5]) not in _MONTHS),
        ("ins.department", number[5:7] == _NO_DEPARTMENT),
    )
    return [issue(rule, expression) for rule, wrong in faults if wrong]


def check_number(number: str, oid: str | None, expression: str | None = None) -> list[Issue]:
    """Check fifteen characters as they stand: pattern, key, structure.

    A wrong key is an error, but on the OIDs of test and demonstration a warning, since identities
    published there have wrong keys.
    """
    if len(number) != _LENGTH:
        return [issue("ins.length", expression)]
    if not _FORM.fullmatch(number):
        return [issue("ins.characters", expression)]
    issues = _check_structure(number, expression)
    if number[13:] != key_of(number[:13]):
        known = OIDS.get(oid) if oid is not None else None
        lenient = known is not None and known.purpose != "real"
        issues.insert(0, issue("ins.key-test" if lenient else "ins.key", expression))
    return issues


def check_oid(oid: str, *, allow_test: bool, expression: str | None = None) -> list[Issue]:
    """Check that an OID (without ``urn:oid:``) is one of the INS, and one that is admitted."""
    known = OIDS.get(oid)
    if known is None:
        return [issue("ins.oid-unknown", expression)]
    if known.purpose != "real" and not allow_test:
        return [issue("ins.test-oid", expression)]
    return []


def check(
    number: str, oid: str | None = None, *, key: str | None = None, allow_test: bool = False
) -> list[Issue]:
    """Check a matricule as a person types it: blanks and lower case are tolerated.

    ``key`` when it stands apart; without ``oid`` only form and key are checked.
    """
    issues = check_number(normal(number + (key or "")), oid and bare_oid(oid))
    if oid is not None:
        issues += check_oid(bare_oid(oid), allow_test=allow_test)
    return issues


def parse(number: str, oid: str, *, key: str | None = None, allow_test: bool = False) -> Matricule:
    """Make a Matricule of what a person types; raises Invalid with every error found."""
    errors = [
        found
        for found in check(number, oid, key=key, allow_test=allow_test)
        if found.severity == "error"
    ]
    if errors:
        raise Invalid(*errors)
    text = normal(number + (key or ""))
    return Matricule(text[:13], text[13:], bare_oid(oid))
