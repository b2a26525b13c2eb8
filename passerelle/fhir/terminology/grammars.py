"""Code systems without a list of codes: what a code of them is, is said by a rule.

https://hl7.org/fhir/R4/terminologies-systems.html : media types (BCP 13, RFC 6838), languages
(BCP 47, RFC 5646), addresses (RFC 3986), units (https://ucum.org/ucum). What is checked is how a
code is built; of a unit also that it is made of units that there are.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from passerelle.fhir.search import ucum
from passerelle.fhir.terminology.ucum_units import is_unit

CODE_MAX = 1_000
"""Characters of a code that is looked at; nothing longer is one."""

MEDIA_TYPES = "urn:ietf:bcp:13"
LANGUAGES = "urn:ietf:bcp:47"
ADDRESSES = "urn:ietf:rfc:3986"
UNITS = ucum.SYSTEM

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf'{_NAME}/{_NAME}(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[^"\\]*"))*\Z')
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"  # language, its extensions
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"  # script, region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # for private use
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]{3,8}(?:-[a-z]{3,8})?)\Z",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[!#$&-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2})+\Z")

Rule = Callable[[str], bool | None]


class Ruled(NamedTuple):
    """The codes of a system by rule; ``canonical``: only units that are measured as this one is."""

    system: str
    canonical: str | None = None

    def holds(self, code: str) -> bool | None:
        """Tell whether a code is one; None when that cannot be told here."""
        held = holds(self.system, code)
        if self.canonical is None or not held:
            return held
        return _measured(code) == _measured(self.canonical)


def ruled_systems() -> tuple[str, ...]:
    """Give the systems whose codes are said by a rule."""
    return tuple(sorted(_RULES))


def is_ruled(system: str) -> bool:
    """Tell whether the codes of a system are said by a rule."""
    return system in _RULES


def holds(system: str, code: str) -> bool | None:
    """Tell whether a code is one of such a system; None when that cannot be told here."""
    return len(code) <= CODE_MAX and _RULES[system](code)


def ruled(system: str, filters: list[tuple[str, str, str]]) -> Ruled | None:
    """Give what a system and filters (property, operator, value) take; None when not known."""
    if not filters:
        return Ruled(system)
    if system == UNITS and len(filters) == 1 and filters[0][:2] == ("canonical", "="):
        value = filters[0][2]
        return Ruled(system, value) if _measured(value) is not None else None
    return None


def _measured(code: str) -> str | None:
    """Give the canonical unit that a unit is a multiple of."""
    found = ucum.canonical(code, Decimal(1), Decimal(1))
    return None if found is None else found.code


def _built(pattern: re.Pattern[str]) -> Rule:
    return lambda code: pattern.match(code) is not None


_RULES: dict[str, Rule] = {
    MEDIA_TYPES: _built(_MEDIA_TYPE),
    LANGUAGES: _built(_LANGUAGE),
    ADDRESSES: _built(_ADDRESS),
    UNITS: is_unit,
}
