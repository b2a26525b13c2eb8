"""The terminology service: expand, validate, look up, translate, subsume.

https://hl7.org/fhir/R4/terminology-service.html . What is asked is computed from the terminology
resources of the record, and kept in memory until one of these changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.dossiers import expansion_pages
from passerelle.dossiers.expansion_pages import NO_PINS, ExpandAsked
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.term_resources import TermResources
from passerelle.errors.refusals import Invalid, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.conformance import structure
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key, Resource
from passerelle.fhir.terminology import grammars, terminology_answers, translation, validation
from passerelle.fhir.terminology.canonicals import Canonical, parse, shown
from passerelle.fhir.terminology.code_system import CodeSystem, Concept
from passerelle.fhir.terminology.concept_status import Coded
from passerelle.fhir.terminology.expansion import expand
from passerelle.fhir.terminology.members import Expansion
from passerelle.fhir.terminology.missing_terms import missing_system, missing_value_set
from passerelle.fhir.terminology.pinned_versions import PinnedSource, Pins
from passerelle.fhir.terminology.term_source import TermSource, ValueSetFound
from passerelle.fhir.terminology.translation import Wanted
from passerelle.fhir.terminology.validation import Asked, Verdict
from passerelle.store.caller import Caller

CODINGS_MAX = 100


@dataclass(frozen=True, slots=True)
class Named:
    """How a terminology resource is designated: by its key, by itself, or by its canonical."""

    key: Key | None = None
    resource: Resource | None = None
    canonical: Canonical | None = None


class Terms:
    """What a caller may ask of terminology."""

    def __init__(self, gateway: Gateway, caller: Caller) -> None:
        self._gateway = gateway
        self._caller = caller

    async def expand(self, named: Named, asked: ExpandAsked) -> Resource:
        """Give a value set with the page of its members that is asked for.

        Raises NotFound, Invalid, Unprocessable (what keeps it from being computed, too-costly).
        """
        found, expansion = await self.value_set(named, asked.pins)
        if expansion.unresolved:
            raise Unprocessable(*expansion.unresolved)
        moment = self._gateway.clock() if asked.moment is None else asked.moment
        how = Asked(moment, asked.languages)
        page = expansion_pages.page(expansion_pages.chosen(expansion, asked, moment), asked)
        return terminology_answers.expanded(
            found,
            expansion,
            page,
            how,
            shown=asked.shown,
            identifier=f"urn:uuid:{self._gateway.new_id()}",
            timestamp=dump_instant(self._gateway.clock()),
            given=expansion_pages.told(asked),
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
        if named is not None and named.canonical and grammars.is_ruled(named.canonical.url):
            ruled = named.canonical.url
            return validation.any_of(
                [validation.by_rule(ruled, each["code"]) for each in _with_codes(codings)]
            )
        verdicts: list[Verdict] = []
        for each in _with_codes(codings):
            url = each.get("system")
            if named is None and url is not None and grammars.is_ruled(url):
                verdicts.append(validation.by_rule(url, each["code"]))
                continue
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
        dependencies: Sequence[tuple[str, Coded]] = (),
    ) -> Resource:
        """Give the codes that concept maps lead to.

        Without a map, those between the value sets ``source`` and ``target`` are taken, or those
        from (in reverse: to) the system of each coding. Raises NotFound when there is no map.
        """
        resources = await self._resources()
        matches: dict[translation.Match, None] = {}
        known = False
        for coded in codings[:CODINGS_MAX]:
            if named is not None:
                maps: Sequence[Resource] = [await self._concept_map(named)]
            elif reverse:
                to = None if source or target else coded.system
                maps = await resources.concept_maps(source=target, target=source, target_system=to)
            else:
                system = None if source or target else coded.system
                maps = await resources.concept_maps(source=source, target=target, system=system)
            known = known or bool(maps)
            wanted = Wanted(
                coded.code, coded.system or None, target_system, reverse, tuple(dependencies)
            )
            matches |= dict.fromkeys(await translation.translate(maps, wanted, resources))
        if not known:
            raise NotFound(issue("terminology.map-unknown"))
        return terminology_answers.translated(tuple(matches))

    async def code_system(self, named: Named) -> CodeSystem:
        """Give a code system made ready. Raises NotFound, Invalid."""
        resources = await self._resources()
        if named.canonical is None:
            resource = await self._given(named, "CodeSystem")
            return CodeSystem(resource, await resources.supplements(resource))
        found = await resources.code_system(named.canonical)
        if found is None:
            raise NotFound(*missing_system(named.canonical.url))
        return found

    async def _resources(self) -> TermResources:
        """Give the terminology resources as they are now."""
        stamp = await self._gateway.store.packages.terminology_stamp()
        self._gateway.terms.at(stamp)
        return TermResources(self._gateway, stamp)

    async def value_set(self, named: Named, pins: Pins = NO_PINS) -> tuple[Resource, Expansion]:
        """Give a value set and its members. Raises NotFound, Invalid, Unprocessable."""
        resources = await self._resources()
        source: TermSource = PinnedSource(resources, pins) if pins else resources
        if named.canonical is None:
            resource = await self._given(named, "ValueSet")
            return resource, await expand(resource, source)
        if pins:
            asked = await source.value_set(named.canonical)
            if asked is None:
                raise NotFound(*missing_value_set(named.canonical.url))
            return asked.resource, await expand(asked.resource, source)
        kept: tuple[Resource, Expansion] | None = resources.kept(named.canonical)
        if kept is not None:
            return kept
        found: ValueSetFound | None = await resources.value_set(named.canonical)
        if found is None:
            raise NotFound(*missing_value_set(named.canonical.url))
        made = await expand(found.resource, resources, published=found.published)
        resources.keep(named.canonical, (found.resource, made))
        return found.resource, made

    async def bound(self, context: Canonical, path: str) -> Canonical:
        """Give the value set that an element of a StructureDefinition is bound to.

        Raises NotFound when there is no such definition, or no such binding in it.
        """
        definition = await (await self._resources()).structure(context)
        definition = definition or {}
        view = definition.get("snapshot") or definition.get("differential") or {}
        for each in view.get("element", ()):
            bound = each.get("binding", {}).get("valueSet")
            if path in (each.get("id"), each.get("path")) and isinstance(bound, str):
                return parse(bound)
        raise NotFound(issue("terminology.context-unknown", url=shown(context.url)))

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


def _with_codes(codings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in codings[:CODINGS_MAX] if isinstance(each.get("code"), str)]


def _demand_concept(system: CodeSystem, code: str) -> Concept:
    concept = system.find(code)
    if concept is None:
        rule = "terminology.code-unknown" if system.is_whole else "terminology.code-not-here"
        raise NotFound(issue(rule, url=shown(system.url)))
    return concept
