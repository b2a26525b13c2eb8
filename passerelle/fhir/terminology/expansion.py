"""From the definition of a value set to its members.

https://hl7.org/fhir/R4/valueset.html#compose . What cannot be computed, for a code system is not
there, is taken from an expansion that was published; failing that it is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.canonicals import Canonical, parse, shown
from passerelle.fhir.terminology.code_system import (
    CodeSystem,
    Concept,
    Designation,
    designations,
)
from passerelle.fhir.terminology.concept_status import ACTIVE, ConceptStatus
from passerelle.fhir.terminology.term_source import TermSource
from passerelle.fhir.terminology.value_set_filters import UnusableFilter, filtered

MEMBERS_MAX = 100_000
"""Members of one value set; one that has more is refused as too costly."""

IMPORTS_MAX = 20
"""As deep as value sets may import one another."""

PARTS_MAX = 2_000
"""Includes and excludes of one value set."""


class Member(NamedTuple):
    """One code of a value set, with what is known of it."""

    system: str
    code: str
    display: str | None = None
    version: str | None = None
    designations: tuple[Designation, ...] = ()
    status: ConceptStatus = ACTIVE
    definition: str | None = None
    language: str | None = None  # of the display


Members = dict[tuple[str, str], Member]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The members of a value set, whenever they are looked at.

    ``unresolved`` says what could not be computed: the members are then not all, or too many.
    ``leaves_out_inactive`` is ``compose.inactive = false``. ``used`` are the code systems.
    """

    url: str | None
    version: str | None
    name: str | None
    members: Mapping[tuple[str, str], Member]
    unresolved: tuple[Issue, ...] = ()
    used: tuple[Canonical, ...] = ()
    leaves_out_inactive: bool = False
    is_published: bool = False
    language: str | None = None
    by_code: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    folded: Mapping[tuple[str, str], Member] = field(default_factory=dict)


async def expand(
    value_set: Resource,
    source: TermSource,
    *,
    published: Resource | None = None,
    members_max: int = MEMBERS_MAX,
) -> Expansion:
    """Compute the members of a value set.

    ``published`` is one of the same canonical that has an expansion. Raises Unprocessable
    (terminology.too-costly).
    """
    return await _Expanding(source, members_max).expand(value_set, published, ())


class _Expanding:
    """One computation: what it has met on the way."""

    def __init__(self, source: TermSource, members_max: int) -> None:
        self._source = source
        self._members_max = members_max

    async def expand(
        self, value_set: Resource, published: Resource | None, path: tuple[str, ...]
    ) -> Expansion:
        unresolved: list[Issue] = []
        used: dict[Canonical, None] = {}
        insensitive: set[str] = set()
        compose = value_set.get("compose")
        members: Members = {}
        if compose is not None:
            work = _Composing(self, self._source, path, unresolved, used, insensitive)
            members = await work.members(compose)
        if compose is None or unresolved:
            ready = next((each for each in (value_set, published) if _is_expanded(each)), None)
            if ready is not None:
                return self._made(value_set, _of_expansion(ready), published=True)
            if compose is None:
                unresolved.append(issue("terminology.nothing-to-expand"))
        return self._made(value_set, members, unresolved, used, insensitive)

    def demand_bounded(self, count: int) -> None:
        """Raises Unprocessable when there are too many members."""
        if count > self._members_max:
            raise Unprocessable(issue("terminology.too-costly", limit=self._members_max))

    def _made(
        self,
        value_set: Resource,
        members: Members,
        unresolved: Iterable[Issue] = (),
        used: Iterable[Canonical] = (),
        insensitive: Iterable[str] = (),
        *,
        published: bool = False,
    ) -> Expansion:
        by_code: dict[str, tuple[Member, ...]] = {}
        for member in members.values():
            by_code[member.code] = (*by_code.get(member.code, ()), member)
        loose = frozenset(insensitive)
        return Expansion(
            url=value_set.get("url"),
            version=value_set.get("version"),
            name=value_set.get("title") or value_set.get("name"),
            members=members,
            unresolved=tuple(dict.fromkeys(unresolved)),
            used=tuple(used),
            leaves_out_inactive=value_set.get("compose", {}).get("inactive") is False,
            is_published=published,
            language=value_set.get("language"),
            by_code=by_code,
            folded={
                (system, code.casefold()): member
                for (system, code), member in reversed(members.items())
                if system in loose
            },
        )


@dataclass(slots=True)
class _Composing:
    """The compose of one value set."""

    whole: _Expanding
    source: TermSource
    path: tuple[str, ...]
    unresolved: list[Issue]
    used: dict[Canonical, None]
    insensitive: set[str]

    async def members(self, compose: Resource) -> Members:
        """Give what is included and not excluded."""
        includes, excludes = compose.get("include", ()), compose.get("exclude", ())
        if len(includes) + len(excludes) > PARTS_MAX:
            raise Unprocessable(issue("terminology.too-costly", limit=PARTS_MAX))
        found: Members = {}
        for part in includes:
            for key, member in (await self._part(part)).items():
                found.setdefault(key, member)
            self.whole.demand_bounded(len(found))
        for part in excludes:
            for key in await self._part(part):
                found.pop(key, None)
        return found

    async def _part(self, part: Resource) -> Members:
        """Give what one include or exclude says: all its value sets and its system agree."""
        url = part.get("system")
        imported = [await self._imported(text) for text in part.get("valueSet", ())]
        if not isinstance(url, str):
            return _in_all(imported)
        own = await self._of_system(url, part)
        return _in_all([own, *imported])

    async def _imported(self, text: str) -> Members:
        canonical = parse(text)
        if str(canonical) in self.path or len(self.path) >= IMPORTS_MAX:
            self.unresolved.append(issue("terminology.imports-itself", url=shown(canonical.url)))
            return {}
        found = await self.source.value_set(canonical)
        if found is None:
            self.unresolved.append(issue("terminology.value-set-unknown", url=shown(canonical.url)))
            return {}
        path = (*self.path, str(canonical))
        expansion = await self.whole.expand(found.resource, found.published, path)
        self.unresolved.extend(expansion.unresolved)
        self.used.update(dict.fromkeys(expansion.used))
        self.insensitive.update(system for system, _ in expansion.folded)
        return dict(expansion.members)

    async def _of_system(self, url: str, part: Resource) -> Members:
        system = await self.source.code_system(Canonical(url, part.get("version")))
        if system is None and part.get("version") and part.get("concept"):
            # The concepts are listed: what another version says of them is better than nothing.
            system = await self.source.code_system(Canonical(url))
        if system is not None:
            self.used[Canonical(url, system.version)] = None
            if not system.case_sensitive:
                self.insensitive.add(url)
        if part.get("concept"):
            return _listed(url, part, system)
        if system is None:
            self.unresolved.append(issue("terminology.system-unknown", url=shown(url)))
            return {}
        return self._filtered(url, part, system)

    def _filtered(self, url: str, part: Resource, system: CodeSystem) -> Members:
        if not system.is_whole:
            self.unresolved.append(issue("terminology.system-in-part", url=shown(url)))
        codes: list[str] | None = None
        for each in part.get("filter", ()):
            property_, op = str(each.get("property", "")), str(each.get("op", ""))
            try:
                taken = filtered(system, property_, op, str(each.get("value", "")))
            except UnusableFilter:
                self.unresolved.append(issue("terminology.filter-unusable", op=op[:20]))
                return {}
            kept = frozenset(taken)
            codes = taken if codes is None else [code for code in codes if code in kept]
        chosen = system.concepts if codes is None else codes
        self.whole.demand_bounded(len(chosen))
        return {(url, code): member_of(system, system.concepts[code]) for code in chosen}


def member_of(system: CodeSystem, concept: Concept) -> Member:
    """Make the member that a concept of a code system is."""
    return Member(
        system.url,
        concept.code,
        concept.display,
        system.version,
        concept.designations,
        concept.status,
        concept.definition,
        system.language,
    )


def _listed(url: str, part: Resource, system: CodeSystem | None) -> Members:
    """Give the concepts that a value set lists; its own words go before those of the system."""
    found: Members = {}
    for each in part["concept"]:
        code = each.get("code")
        if not isinstance(code, str):
            continue
        concept = None if system is None else system.find(code)
        own = designations(each)
        if concept is None or system is None:
            version = part.get("version")
            found[url, code] = Member(url, code, each.get("display"), version, own)
            continue
        member = member_of(system, concept)
        found[url, concept.code] = member._replace(
            display=each.get("display") or member.display,
            designations=(*own, *member.designations),
        )
    return found


def _in_all(parts: list[Members]) -> Members:
    """Give the members of the first that are in all the others; the best told one."""
    if not parts:
        return {}
    first, *others = parts
    return {key: member for key, member in first.items() if all(key in part for part in others)}


def _is_expanded(value_set: Resource | None) -> bool:
    return value_set is not None and isinstance(value_set.get("expansion"), dict)


def _of_expansion(value_set: Resource) -> Members:
    """Read the members of an expansion that was published, nested ones after their parent."""
    found: Members = {}
    waiting = list(reversed(value_set["expansion"].get("contains", ())))
    while waiting:
        each = waiting.pop()
        waiting.extend(reversed(each.get("contains", ())))
        system, code = each.get("system"), each.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            continue
        status = ConceptStatus(
            inactive=each.get("inactive") is True, abstract=each.get("abstract") is True
        )
        found[system, code] = Member(
            system, code, each.get("display"), each.get("version"), designations(each), status
        )
    return found
