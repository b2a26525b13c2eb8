"""From a code to those of another system, by concept maps, both ways.

https://hl7.org/fhir/R4/conceptmap-operation-translate.html
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.canonicals import Canonical, parse
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.term_source import TermSource

NO_MATCH = frozenset({"unmatched", "disjoint"})
MATCHES_MAX = 1_000
OTHER_MAPS_MAX = 5
"""As many maps as may refer on to one another for what they do not map."""

REVERSED = {
    "wider": "narrower",
    "narrower": "wider",
    "subsumes": "specializes",
    "specializes": "subsumes",
}
"""https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html : what is not here is symmetric."""


class Match(NamedTuple):
    """One translation; ``map`` is the canonical of the concept map that has it.

    ``products`` are values of other elements that come with it: each with its property.
    """

    equivalence: str
    coded: Coded | None
    map: str | None
    products: tuple[tuple[str, Coded], ...] = ()


class Wanted(NamedTuple):
    """What is to be translated: a code, perhaps only to one target system.

    ``dependencies`` are values of other elements, each with its property: what depends on others
    is no translation (https://hl7.org/fhir/R4/conceptmap-definitions.html , dependsOn).
    """

    code: str
    system: str | None
    target_system: str | None = None
    reverse: bool = False
    dependencies: tuple[tuple[str, Coded], ...] = ()


async def translate(
    maps: Sequence[Resource], wanted: Wanted, source: TermSource
) -> tuple[Match, ...]:
    """Give every translation that the maps hold, in their order."""
    found: dict[Match, None] = {}
    for each in maps:
        for match in await _by_map(each, wanted, source, OTHER_MAPS_MAX):
            found[match] = None
            if len(found) >= MATCHES_MAX:
                return tuple(found)
    return tuple(found)


def is_translated(matches: Sequence[Match]) -> bool:
    """Tell whether any of the matches is one."""
    return any(match.equivalence not in NO_MATCH and match.coded for match in matches)


async def _by_map(
    concept_map: Resource, wanted: Wanted, source: TermSource, others: int
) -> list[Match]:
    url = concept_map.get("url")
    found: list[Match] = []
    for group in concept_map.get("group", ()):
        if not _is_between(group, wanted):
            continue
        reading = _backward if wanted.reverse else _forward
        matches = list(reading(group, wanted, url))
        if not wanted.reverse and not _is_mapped(group, wanted.code):
            matches = await _unmapped(group, wanted, url, source, others)
        found += matches
    return found


def _is_between(group: Resource, wanted: Wanted) -> bool:
    here, there = group.get("source"), group.get("target")
    if wanted.reverse:
        here, there = there, here
    return (wanted.system is None or here is None or here == wanted.system) and (
        wanted.target_system is None or there is None or there == wanted.target_system
    )


def _is_mapped(group: Resource, code: str) -> bool:
    return any(element.get("code") == code for element in group.get("element", ()))


def _forward(group: Resource, wanted: Wanted, url: str | None) -> Iterator[Match]:
    system = group.get("target", "")
    for element in group.get("element", ()):
        if element.get("code") != wanted.code:
            continue
        for target in element.get("target", ()):
            if not _applies(target, wanted):
                continue
            code = target.get("code")
            coded = None if code is None else Coded(system, code, target.get("display"))
            products = tuple(_dependencies(target.get("product", ())))
            yield Match(target.get("equivalence", "relatedto"), coded, url, products)


def _applies(target: Resource, wanted: Wanted) -> bool:
    """Tell whether everything that a mapping depends on was given."""
    return all(
        any(
            property_ == name and said.code == needed.code and needed.system in ("", said.system)
            for name, said in wanted.dependencies
        )
        for property_, needed in _dependencies(target.get("dependsOn", ()))
    )


def _dependencies(listed: Sequence[Resource]) -> Iterator[tuple[str, Coded]]:
    for each in listed:
        coded = Coded(each.get("system", ""), str(each.get("value", "")), each.get("display"))
        yield str(each.get("property", "")), coded


def _backward(group: Resource, wanted: Wanted, url: str | None) -> Iterator[Match]:
    system = group.get("source", "")
    for element in group.get("element", ()):
        code = element.get("code")
        for target in element.get("target", ()):
            if target.get("code") == wanted.code and code is not None:
                said = target.get("equivalence", "relatedto")
                coded = Coded(system, code, element.get("display"))
                yield Match(REVERSED.get(said, said), coded, url)


async def _unmapped(
    group: Resource, wanted: Wanted, url: str | None, source: TermSource, others: int
) -> list[Match]:
    """Do what a group says of codes that it does not map."""
    unmapped = group.get("unmapped", {})
    system = group.get("target", "")
    mode = unmapped.get("mode")
    if mode == "provided":
        return [Match("equal", Coded(system, wanted.code), url)]
    if mode == "fixed" and isinstance(unmapped.get("code"), str):
        coded = Coded(system, unmapped["code"], unmapped.get("display"))
        return [Match("inexact", coded, url)]
    if mode != "other-map" or not others or not isinstance(unmapped.get("url"), str):
        return []
    canonical: Canonical = parse(unmapped["url"])
    found: list[Match] = []
    for other in await source.concept_maps(canonical=canonical):
        found += await _by_map(other, wanted, source, others - 1)
    return found
