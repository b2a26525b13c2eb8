"""From the definition of a value set to its members.

https://hl7.org/fhir/R4/valueset.html#compose . What cannot be computed, for a code system is not
there, is taken from an expansion that was published; failing that it is told. Each value set that
is imported is computed once, an include that is said again is that said before, and what is looked
at is counted: a few lines must not cost hours.
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from types import coroutine

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology import grammars
from passerelle.fhir.terminology.canonicals import Canonical, parse, shown
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.members import (
    Expansion,
    Member,
    Members,
    Met,
    expansion,
    in_all,
    listed,
    member_of,
    of_expansion,
)
from passerelle.fhir.terminology.missing_terms import missing_system, missing_value_set
from passerelle.fhir.terminology.term_source import TermSource
from passerelle.fhir.terminology.value_set_filters import UnusableFilter, filtered

MEMBERS_MAX = 100_000
"""Members of one value set; one that has more is refused as too costly."""

LOOKS_MAX = 2_000_000
"""Concepts and members looked at for one value set and all that it imports."""

LOOKS_BETWEEN_TURNS = 20_000
"""As much is looked at, some ten milliseconds, before others have their turn."""

FILTER_LOOKS = 4
"""What a filter takes of one concept, beside the taking of one that is known already."""

IMPORTS_MAX = 20
"""As deep as value sets may import one another."""

PARTS_MAX = 2_000
"""Includes and excludes of one value set."""


async def expand(
    value_set: Resource,
    source: TermSource,
    *,
    published: Resource | None = None,
    members_max: int = MEMBERS_MAX,
    looks_max: int = LOOKS_MAX,
) -> Expansion:
    """Compute the members of a value set.

    ``published`` is one of the same canonical that has an expansion. Raises Unprocessable
    (terminology.too-costly, terminology.too-many-looks).
    """
    own = value_set.get("url")
    path = (_named(value_set),) if isinstance(own, str) else ()
    return await _Expanding(source, members_max, looks_max).expand(value_set, published, path)


def _named(value_set: Resource) -> Canonical:
    return Canonical(value_set["url"], value_set.get("version"))


@dataclass(slots=True)
class _Expanding:
    """One computation: what it has met on the way."""

    source: TermSource
    members_max: int
    looks_left: int
    turn_looks: int = LOOKS_BETWEEN_TURNS
    done: dict[Canonical, Expansion] = field(default_factory=dict)
    _members: dict[CodeSystem, dict[str, Member]] = field(default_factory=dict)
    _whole: dict[tuple[CodeSystem, str], Members] = field(default_factory=dict)

    async def expand(
        self, value_set: Resource, published: Resource | None, path: tuple[Canonical, ...]
    ) -> Expansion:
        met = Met()
        compose = value_set.get("compose")
        members: Members = {}
        if compose is not None:
            members = await _Composing(self, path, met, compose.get("lockedDate")).members(compose)
        if compose is None or met.unresolved:
            ready = next((each for each in (value_set, published) if _is_expanded(each)), None)
            if ready is not None:
                return expansion(value_set, of_expansion(ready), met, published=True)
            if compose is None:
                met.unresolve(issue("terminology.nothing-to-expand"))
        return expansion(value_set, members, met)

    def members_of(self, system: CodeSystem, url: str, codes: Iterable[str] | None) -> Members:
        """Give the members that codes of a system are, all of them for None; each is made once."""
        made = self._members.setdefault(system, {})
        if codes is None:
            whole = self._whole.get((system, url))
            if whole is None:
                whole = self._whole[system, url] = self.members_of(system, url, system.concepts)
            return whole
        for code in codes:
            if code not in made:
                made[code] = member_of(system, system.concepts[code])
        return {(url, code): made[code] for code in codes}

    def demand_bounded(self, count: int) -> None:
        """Raises Unprocessable when there are too many members."""
        if count > self.members_max:
            raise Unprocessable(issue("terminology.too-costly", limit=self.members_max))

    async def give_way(self) -> None:
        """Let others have their turn when much has been looked at since they had."""
        if self.turn_looks < 0:
            self.turn_looks = LOOKS_BETWEEN_TURNS
            await _others_first()

    def look(self, count: int) -> None:
        """Count what is looked at. Raises Unprocessable when it is too much."""
        self.looks_left -= count
        self.turn_looks -= count
        if self.looks_left < 0:
            raise Unprocessable(issue("terminology.too-many-looks"))


@dataclass(slots=True)
class _Composing:
    """The compose of one value set."""

    whole: _Expanding
    path: tuple[Canonical, ...]
    met: Met
    locked: str | None

    async def members(self, compose: Resource) -> Members:
        """Give what is included and not excluded; nothing when what is excluded is not known."""
        includes, excludes = compose.get("include", ()), compose.get("exclude", ())
        if len(includes) + len(excludes) > PARTS_MAX:
            raise Unprocessable(issue("terminology.too-costly", limit=PARTS_MAX))
        found: Members = {}
        for part in _without_repeats(includes):
            await self.whole.give_way()
            for key, member in (await self._part(part, self.met.ruled)).items():
                found.setdefault(key, member)
            self.whole.demand_bounded(len(found))
        known = self.met.misses
        for part in _without_repeats(excludes):
            await self.whole.give_way()
            excluded = await self._part(part, {})
            for key in excluded:
                found.pop(key, None)
            if self.met.ruled:
                self.met.barred.update(excluded)
        if self.met.misses > known:
            self.met.ruled.clear()
            return {}
        return found

    async def _part(
        self, part: Resource, ruled: dict[grammars.Ruled, None]
    ) -> Mapping[tuple[str, str], Member]:
        """Give what one include or exclude says: all its value sets and its system agree.

        What it takes by rule goes to ``ruled``; where that meets other value sets it is not
        known.
        """
        url = part.get("system")
        imports = [await self._imported(text) for text in part.get("valueSet", ())]
        parts: list[Mapping[tuple[str, str], Member]] = [each.members for each in imports]
        if isinstance(url, str):
            parts.insert(0, await self._of_system(url, part, {} if imports else ruled))
        elif len(imports) == 1 and not imports[0].barred:
            ruled.update(dict.fromkeys(imports[0].ruled))
        return in_all(parts)

    async def _imported(self, text: str) -> Expansion:
        canonical = parse(text)
        found = await self.whole.source.value_set(canonical)
        if found is None:
            self.met.unresolve(*missing_value_set(canonical.url))
            return expansion({}, {}, Met())
        canonical = _named(found.resource)
        if canonical in self.path or len(self.path) >= IMPORTS_MAX:
            self.met.unresolve(issue("terminology.imports-itself", url=shown(canonical.url)))
            return expansion({}, {}, Met())
        made = self.whole.done.get(canonical)
        if made is None:
            path = (*self.path, canonical)
            made = await self.whole.expand(found.resource, found.published, path)
            self.whole.done[canonical] = made
        self.whole.look(len(made.members) + 1)
        self.met.unresolve(*made.unresolved)
        self.met.used.update(dict.fromkeys(made.used))
        self.met.insensitive.update(system for system, _ in made.folded)
        return made

    async def _of_system(
        self, url: str, part: Resource, ruled: dict[grammars.Ruled, None]
    ) -> Members:
        source, version = self.whole.source, part.get("version")
        system = await source.code_system(Canonical(url, version), as_of=self.locked)
        if system is None and version and part.get("concept"):
            # The concepts are listed: what another version says of them is better than nothing.
            system = await source.code_system(Canonical(url))
        if system is not None:
            self.met.used[Canonical(url, system.version)] = None
            if not system.case_sensitive:
                self.met.insensitive.add(url)
        if part.get("concept"):
            self.whole.look(len(part["concept"]))
            return listed(url, part, system)
        if system is not None:
            return self._filtered(url, part, system)
        if grammars.is_ruled(url):
            self._rule(url, part, ruled)
        else:
            self.met.unresolve(*missing_system(url))
        return {}

    def _rule(self, url: str, part: Resource, ruled: dict[grammars.Ruled, None]) -> None:
        """Take codes that no list holds."""
        self.met.unresolve(issue("terminology.by-rule", url=url))
        made = grammars.ruled(url, [_spelled(each) for each in part.get("filter", ())])
        if made is None:
            self.met.unresolve(issue("terminology.filter-unusable", op="-"))
        else:
            ruled[made] = None

    def _filtered(self, url: str, part: Resource, system: CodeSystem) -> Members:
        if not system.is_whole:
            self.met.unresolve(issue("terminology.system-in-part", url=shown(url)))
        codes: list[str] | None = None
        for property_, op, value in map(_spelled, part.get("filter", ())):
            self.whole.look(FILTER_LOOKS * len(system.concepts))
            try:
                taken = filtered(system, property_, op, value)
            except UnusableFilter:
                self.met.unresolve(issue("terminology.filter-unusable", op=op[:20]))
                return {}
            kept = frozenset(taken)
            codes = taken if codes is None else [code for code in codes if code in kept]
        count = len(system.concepts if codes is None else codes)
        self.whole.demand_bounded(count)
        self.whole.look(count)
        return self.whole.members_of(system, url, codes)


@coroutine
def _others_first() -> Generator[None, None, None]:
    """Wait for nothing but the turn that whatever drives this gives."""
    yield


def _without_repeats(parts: Iterable[Resource]) -> list[Resource]:
    """Give includes or excludes, each once: what is said again adds nothing."""
    return list({json_text.encode(part): part for part in parts}.values())


def _spelled(filter: Resource) -> tuple[str, str, str]:
    """Give the property, the operator and the value of a filter."""
    property_, op, value = (str(filter.get(name, "")) for name in ("property", "op", "value"))
    return property_, op, value


def _is_expanded(value_set: Resource | None) -> bool:
    return value_set is not None and isinstance(value_set.get("expansion"), dict)
