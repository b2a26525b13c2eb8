"""Canonical addresses, and which of several versions one means.

https://hl7.org/fhir/R4/references.html#canonical : without a version, the newest.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from passerelle.fhir.resource import Resource

_NUMBERS = re.compile(r"\d+|[A-Za-z]+")
_NUMBERED = re.compile(r"\d{1,4}(?:\.\d+)+(?:[-+].*)?\Z")

T = TypeVar("T")


class Canonical(NamedTuple):
    """An address, and the version of what stands there when one is named."""

    url: str
    version: str | None = None

    def __str__(self) -> str:
        """Spell it ``url|version``."""
        return self.url if self.version is None else f"{self.url}|{self.version}"


def parse(text: str) -> Canonical:
    """Read ``url|version``; what follows ``#`` is a place inside, and left out."""
    url, _, version = text.partition("#")[0].partition("|")
    return Canonical(url, version or None)


def best(found: Sequence[Resource], version: str | None) -> Resource | None:
    """Give the one of that version, or the newest; None when there is none.

    Versions that are numbered alike are compared as numbers (1.10.0 is after 1.9.0); where numbers
    and dates are mixed, the date of the resource decides. A version may be named by its beginning
    (``4.0`` for 4.0.1). Of several contents of one version the first that is handed in counts.
    """
    first = {str(each.get("version")): each for each in reversed(found) if each.get("version")}
    found = [each for each in found if first.get(str(each.get("version")), each) is each]
    if version is not None:
        exact = [each for each in found if each.get("version") == version]
        begun = [each for each in found if str(each.get("version")).startswith(version + ".")]
        found = exact or begun
    return max(found, key=order_of(found), default=None)


def order_of(found: Sequence[Resource]) -> Callable[[Resource], tuple[object, ...]]:
    """Give the key that puts resources of one canonical in the order of their versions."""
    alike = len({_is_numbered(each) for each in found}) < 2

    def key(each: Resource) -> tuple[object, ...]:
        version = _parts(str(each.get("version", "")))
        date = str(each.get("date", ""))[:10]
        return (version, date) if alike else (date, version)

    return key


def _is_numbered(resource: Resource) -> bool:
    return _NUMBERED.match(str(resource.get("version", ""))) is not None


def _parts(version: str) -> tuple[tuple[int, int, str], ...]:
    """Take a version apart; a label comes before none (2.0.0-ballot before 2.0.0)."""
    number, dash, label = version.partition("-") if _NUMBERED.match(version) else (version, "", "")
    parts = [_part(text) for text in _NUMBERS.findall(number)]
    return (*parts, (-1, 0, "") if dash else (0, 0, ""), *map(_part, _NUMBERS.findall(label)))


def _part(text: str) -> tuple[int, int, str]:
    return (2, int(text[:30]), "") if text.isdigit() else (1, 0, text)


def shown(url: str) -> str:
    """Give an address as it may stand in a text: bounded, without control characters."""
    return "".join(char for char in url[:200] if char.isprintable())
