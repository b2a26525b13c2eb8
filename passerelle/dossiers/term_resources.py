"""Terminology resources of the record by their canonical: from packages or put by anyone.

Implements :class:`passerelle.fhir.terminology.term_source.TermSource`. Conformance resources speak
of nobody: they are read as the system, whoever asks.
"""

from collections.abc import Sequence

from passerelle.dossiers.gateway import Gateway
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.query import parse
from passerelle.fhir.terminology import canonicals
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.fhir.terminology.code_system import USABLE, CodeSystem
from passerelle.fhir.terminology.members import Expansion
from passerelle.fhir.terminology.term_source import ValueSetFound
from passerelle.store.caller import SYSTEM

VERSIONS_MAX = 50
"""Resources of one canonical that are looked at."""

_ESCAPED = str.maketrans({char: "\\" + char for char in "\\,|$"})


class TermResources:
    """The terminology resources at one state of the record (``stamp``)."""

    def __init__(self, gateway: Gateway, stamp: int) -> None:
        self._gateway = gateway
        self._stamp = stamp

    async def code_system(
        self, canonical: Canonical, *, as_of: str | None = None
    ) -> CodeSystem | None:
        """Give a code system that holds concepts; a whole one rather than a part.

        Without a version, ``as_of`` leaves out what is dated later, as long as anything is left.
        """
        as_of = as_of if canonical.version is None else None
        key = ("CodeSystem", canonical, as_of)
        made: CodeSystem | None = self._gateway.terms.get(key, self._stamp)
        if made is not None:
            return made
        found = await self._of("CodeSystem", "url", canonical.url)
        usable = [each for each in found if each.get("content") in USABLE]
        if as_of is not None:
            then = [each for each in usable if str(each.get("date", ""))[: len(as_of)] <= as_of]
            usable = then or usable
        whole = [each for each in usable if each.get("content") == "complete"]
        chosen = canonicals.best(whole, canonical.version)
        chosen = chosen or canonicals.best(usable, canonical.version)
        if chosen is None:
            return None
        made = CodeSystem(chosen, await self.supplements(chosen))
        self._gateway.terms.keep(key, self._stamp, made, len(made.concepts) + 10)
        return made

    async def supplements(self, system: Resource) -> list[Resource]:
        """Give the newest of each supplement of a code system, of that version or of any."""
        by_url: dict[str, list[Resource]] = {}
        for each in await self._of("CodeSystem", "supplements", str(system.get("url", ""))):
            said = canonicals.parse(str(each.get("supplements", "")))
            fits = said.version in (None, system.get("version"))
            if fits and each.get("content") == "supplement":
                by_url.setdefault(str(each.get("url")), []).append(each)
        newest = (canonicals.best(found, None) for found in by_url.values())
        return [each for each in newest if each is not None]

    async def structure(self, canonical: Canonical) -> Resource | None:
        """Give a StructureDefinition."""
        found = await self._of("StructureDefinition", "url", canonical.url)
        return canonicals.best(found, canonical.version)

    async def value_set(self, canonical: Canonical) -> ValueSetFound | None:
        """Give a value set, and beside it one of its version that has an expansion."""
        key = ("ValueSet", canonical)
        made: ValueSetFound | None = self._gateway.terms.get(key, self._stamp)
        if made is not None:
            return made
        found = await self._of("ValueSet", "url", canonical.url)
        chosen = canonicals.best([each for each in found if "compose" in each], canonical.version)
        chosen = chosen or canonicals.best(found, canonical.version)
        if chosen is None:
            return None
        version = chosen.get("version")
        published = (
            each for each in found if "expansion" in each and each.get("version") == version
        )
        made = ValueSetFound(chosen, next(published, None))
        self._gateway.terms.keep(key, self._stamp, made, 100)
        return made

    async def concept_maps(
        self,
        *,
        canonical: Canonical | None = None,
        source: Canonical | None = None,
        target: Canonical | None = None,
        system: str | None = None,
        target_system: str | None = None,
    ) -> Sequence[Resource]:
        """Give concept maps: that one, those between value sets, or those from or to a system."""
        key = ("ConceptMap", canonical, source, target, system, target_system)
        made: tuple[Resource, ...] | None = self._gateway.terms.get(key, self._stamp)
        if made is not None:
            return made
        if canonical is not None:
            found = await self._of("ConceptMap", "url", canonical.url)
            best = canonicals.best(found, canonical.version)
            made = () if best is None else (best,)
        elif source is not None or target is not None:
            made = await self._between(source, target)
        elif system is not None:
            made = tuple(await self._of("ConceptMap", "source-system", system))
        elif target_system is not None:
            made = tuple(await self._of("ConceptMap", "target-system", target_system))
        else:
            made = ()
        self._gateway.terms.keep(key, self._stamp, made, 100 * len(made) + 10)
        return made

    def kept(self, canonical: Canonical) -> tuple[Resource, Expansion] | None:
        """Give a value set that was expanded already."""
        found: tuple[Resource, Expansion] | None
        found = self._gateway.terms.get(("expansion", canonical), self._stamp)
        return found

    def keep(self, canonical: Canonical, made: tuple[Resource, Expansion]) -> None:
        """Keep a value set that was expanded."""
        weight = len(made[1].members) + 10
        self._gateway.terms.keep(("expansion", canonical), self._stamp, made, weight)

    async def _between(
        self, source: Canonical | None, target: Canonical | None
    ) -> tuple[Resource, ...]:
        """Give the maps whose source and target are those value sets, of any version."""
        named = source or target
        assert named is not None
        ends = (("source", source), ("target", target))
        found: list[Resource] = []
        end = "source" if source is not None else "target"
        for parameter in (f"{end}-uri", end):
            for each in await self._of("ConceptMap", parameter, named.url):
                if all(asked is None or _ends_at(each, side, asked) for side, asked in ends):
                    found.append(each)
        return tuple(found)

    async def _of(self, type: str, parameter: str, url: str) -> list[Resource]:
        """Give the resources of a type that a parameter leads to, in the order of the record."""
        if not url:  # a search that asks for nothing would give everything
            return []
        pairs = [(parameter, url.translate(_ESCAPED)), ("_count", str(VERSIONS_MAX))]
        query = parse(type, pairs, strict=True, base_url=self._gateway.base_url)
        page = await self._gateway.store.search(query, SYSTEM)
        return [json_text.decode(each.body) for each in page.matches if each.body is not None]


def _ends_at(concept_map: Resource, side: str, canonical: Canonical) -> bool:
    said = concept_map.get(f"{side}Uri") or concept_map.get(f"{side}Canonical") or ""
    found = canonicals.parse(said)
    return found.url == canonical.url and canonical.version in (None, found.version)
