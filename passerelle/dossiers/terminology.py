"""The terminology service: expand, validate, look up, translate, subsume.

https://hl7.org/fhir/R4/terminology-service.html . What is asked is computed from the terminology
resources of the record, and kept in memory until one of these changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.term_resources import TermResources
from passerelle.errors.refusals import Invalid, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.search.text_norm import normal
from passerelle.fhir.terminology import terminology_answers, translation, validation
from passerelle.fhir.terminology.canonicals import Canonical, shown
from passerelle.fhir.terminology.code_system import CodeSystem, Concept
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.expansion import Expansion, Member, expand
from passerelle.fhir.terminology.term_source import ValueSetFound
from passerelle.fhir.terminology.terminology_answers import Page, Shown
from passerelle.fhir.terminology.translation import Wanted
from passerelle.fhir.terminology.validation import Asked, Verdict
from passerelle.store.caller import Caller

PAGE_MAX = 10_000
"""Codes in one answer; what has more is asked for by pages."""

CODINGS_MAX = 100
PLAIN = Shown()


@dataclass(frozen=True, slots=True)
class Named:
    """How a terminology resource is designated: by its key, by itself, or by its canonical."""

    key: Key | None = None
    resource: Resource | None = None
    canonical: Canonical | None = None


@dataclass(frozen=True, slots=True)
class ExpandAsked:
    """What of an expansion is wanted."""

    text: str | None = None
    offset: int | None = None
    count: int | None = None
    active_only: bool = False
    languages: tuple[str, ...] = ()
    shown: Shown = PLAIN
    moment: int | None = None


class Terms:
    """What a caller may ask of terminology."""

    def __init__(self, gateway: Gateway, caller: Caller) -> None:
        self._gateway = gateway
        self._caller = caller

    async def expand(self, named: Named, asked: ExpandAsked) -> Resource:
        """Give a value set with the page of its members that is asked for.

        Raises NotFound, Invalid, Unprocessable (what keeps it from being computed, too-costly).
        """
        found, expansion = await self.value_set(named)
        if expansion.unresolved:
            raise Unprocessable(*expansion.unresolved)
        how = Asked(self._moment(asked.moment), asked.languages)
        only_active = asked.active_only or expansion.leaves_out_inactive
        members = _chosen(expansion, asked.text, how.moment if only_active else None)
        page = _page(members, asked)
        return terminology_answers.expanded(
            found,
            expansion,
            page,
            how,
            shown=asked.shown,
            identifier=f"urn:uuid:{self._gateway.new_id()}",
            timestamp=dump_instant(self._gateway.clock()),
            given=_told(asked),
        )

    async def validate_in_value_set(
        self, named: Named, codings: Sequence[Mapping[str, Any]], asked: Asked
    ) -> Verdict:
        """Judge codings (a CodeableConcept's, or one) against a value set.

        Raises NotFound, Invalid, Unprocessable (too-costly).
        """
        _, expansion = await self.value_set(named)
        return validation.any_of(
            [
                validation.in_value_set(
                    expansion, each["code"], each.get("system"), each.get("display"), asked
                )
                for each in _with_codes(codings)
            ]
        )

    async def validate_in_code_system(
        self, named: Named | None, codings: Sequence[Mapping[str, Any]], asked: Asked
    ) -> Verdict:
        """Judge codings against a code system, or each against its own. Raises NotFound."""
        verdicts: list[Verdict] = []
        for each in _with_codes(codings):
            system = await self._system_of(named, each)
            verdicts.append(
                validation.in_code_system(system, each["code"], each.get("display"), asked)
            )
        return validation.any_of(verdicts)

    async def look_up(
        self, named: Named, code: str, asked: Asked, properties: Sequence[str] = ()
    ) -> Resource:
        """Give what is known of a code. Raises NotFound."""
        system = await self.code_system(named)
        concept = _demand_concept(system, code)
        return terminology_answers.looked_up(system, concept, asked, properties)

    async def subsumes(self, named: Named, code_a: str, code_b: str) -> Resource:
        """Tell which of two codes takes in the other. Raises NotFound."""
        system = await self.code_system(named)
        one, other = _demand_concept(system, code_a), _demand_concept(system, code_b)
        return terminology_answers.subsumed(system, one.code, other.code)

    async def translate(
        self,
        named: Named | None,
        codings: Sequence[Coded],
        *,
        source: Canonical | None = None,
        target: Canonical | None = None,
        target_system: str | None = None,
        reverse: bool = False,
    ) -> Resource:
        """Give the codes that concept maps lead to.

        Without a map, those between the value sets ``source`` and ``target`` are taken, or those
        from the system of each coding. Raises NotFound when there is no map.
        """
        resources = await self._resources()
        matches: dict[translation.Match, None] = {}
        known = False
        for coded in codings[:CODINGS_MAX]:
            if named is not None:
                maps: Sequence[Resource] = [await self._concept_map(named)]
            elif reverse:
                maps = await resources.concept_maps(source=target, target=source)
            else:
                system = None if source or target else coded.system
                maps = await resources.concept_maps(source=source, target=target, system=system)
            known = known or bool(maps)
            wanted = Wanted(coded.code, coded.system or None, target_system, reverse)
            matches |= dict.fromkeys(await translation.translate(maps, wanted, resources))
        if not known:
            raise NotFound(issue("terminology.map-unknown"))
        return terminology_answers.translated(tuple(matches))

    async def code_system(self, named: Named) -> CodeSystem:
        """Give a code system made ready. Raises NotFound, Invalid."""
        if named.key is not None or named.resource is not None:
            return CodeSystem(await self._given(named, "CodeSystem"))
        assert named.canonical is not None
        found = await (await self._resources()).code_system(named.canonical)
        if found is None:
            raise NotFound(issue("terminology.system-unknown", url=shown(named.canonical.url)))
        return found

    async def _resources(self) -> TermResources:
        """Give the terminology resources as they are now."""
        stamp = await self._gateway.store.packages.terminology_stamp()
        self._gateway.terms.at(stamp)
        return TermResources(self._gateway, stamp)

    async def value_set(self, named: Named) -> tuple[Resource, Expansion]:
        """Give a value set and its members. Raises NotFound, Invalid, Unprocessable."""
        resources = await self._resources()
        if named.canonical is None:
            resource = await self._given(named, "ValueSet")
            return resource, await expand(resource, resources)
        kept: tuple[Resource, Expansion] | None = resources.kept(named.canonical)
        if kept is not None:
            return kept
        found: ValueSetFound | None = await resources.value_set(named.canonical)
        if found is None:
            raise NotFound(issue("terminology.value-set-unknown", url=shown(named.canonical.url)))
        made = await expand(found.resource, resources, published=found.published)
        resources.keep(named.canonical, (found.resource, made))
        return found.resource, made

    async def _given(self, named: Named, type: str) -> Resource:
        """Give a resource that is handed in, once checked, or that has an id. Raises Invalid."""
        if named.key is not None:
            version = await self._gateway.store.read(named.key, self._caller)
            if version is None or version.body is None:
                raise NotFound(issue("record.not-found", named.key.type))
            return json_text.decode(version.body)
        assert named.resource is not None
        if named.resource.get("resourceType") != type:
            raise Invalid(issue("terminology.bad-resource", type=type))
        structure.demand(named.resource)
        return named.resource

    async def _concept_map(self, named: Named) -> Resource:
        if named.canonical is None:
            return await self._given(named, "ConceptMap")
        found = await (await self._resources()).concept_maps(canonical=named.canonical)
        if not found:
            raise NotFound(issue("terminology.map-unknown"))
        return found[0]

    async def _system_of(self, named: Named | None, coding: Mapping[str, Any]) -> CodeSystem:
        if named is not None:
            return await self.code_system(named)
        system = coding.get("system")
        if not system:
            raise Invalid(issue("terminology.given-not", ways="url, system"))
        return await self.code_system(Named(canonical=Canonical(system, coding.get("version"))))

    def _moment(self, given: int | None) -> int:
        return self._gateway.clock() if given is None else given


def _with_codes(codings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in codings[:CODINGS_MAX] if isinstance(each.get("code"), str)]


def _demand_concept(system: CodeSystem, code: str) -> Concept:
    concept = system.find(code)
    if concept is None:
        rule = "terminology.code-unknown" if system.is_whole else "terminology.code-not-here"
        raise NotFound(issue(rule, url=shown(system.url)))
    return concept


def _chosen(expansion: Expansion, text: str | None, active_at: int | None) -> list[Member]:
    """Give the members that may be used, have the words of a text in a name, are in use then.

    Codes that only group others stand in no flat list.
    """
    members = [each for each in expansion.members.values() if not each.status.abstract]
    if active_at is not None:
        members = [each for each in members if not each.status.is_over(active_at)]
    words = normal(text).split() if text else []
    if not words:
        return members
    return [each for each in members if _is_named(each, words)]


def _is_named(member: Member, words: Sequence[str]) -> bool:
    names = (member.code, member.display or "", *(each.value for each in member.designations))
    return any(all(word in name for word in words) for name in map(normal, names))


def _page(members: Sequence[Member], asked: ExpandAsked) -> Page:
    """Cut the page that is asked for. Raises Unprocessable when it is too large for one answer."""
    start = asked.offset or 0
    size = len(members) - start if asked.count is None else asked.count
    if size > PAGE_MAX:
        raise Unprocessable(issue("terminology.page-too-large", limit=PAGE_MAX))
    return Page(members[start : start + max(size, 0)], len(members), asked.offset)


def _told(asked: ExpandAsked) -> list[tuple[str, str, Any]]:
    """Give the inputs that the answer tells again."""
    given = (
        ("filter", "valueString", asked.text),
        ("offset", "valueInteger", asked.offset),
        ("count", "valueInteger", asked.count),
        ("activeOnly", "valueBoolean", asked.active_only or None),
        ("includeDesignations", "valueBoolean", asked.shown.designations or None),
        ("displayLanguage", "valueCode", ",".join(asked.languages) or None),
    )
    return [each for each in given if each[2] is not None]
