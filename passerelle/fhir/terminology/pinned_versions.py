"""Versions of code systems that the asker fixes: as a default, as a demand, by force.

https://hl7.org/fhir/R4/valueset-operation-expand.html : ``system-version``,
``check-system-version``, ``force-system-version``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from passerelle.errors.refusals import Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.canonicals import Canonical, parse, shown
from passerelle.fhir.terminology.code_system import CodeSystem
from passerelle.fhir.terminology.term_source import TermSource, ValueSetFound


@dataclass(frozen=True, slots=True)
class Pins:
    """Versions by system: where none is named, as a demand, instead of what is named."""

    default: Mapping[str, str] = field(default_factory=dict)
    demanded: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether anything is fixed."""
        return bool(self.default or self.demanded or self.forced)


def by_system(canonicals: Iterable[str]) -> dict[str, str]:
    """Read ``system|version``; one without a version fixes nothing."""
    named = map(parse, canonicals)
    return {each.url: each.version for each in named if each.version is not None}


class PinnedSource:
    """A TermSource that gives code systems in the versions that are fixed."""

    def __init__(self, source: TermSource, pins: Pins) -> None:
        self._source = source
        self._pins = pins

    async def code_system(
        self, canonical: Canonical, *, as_of: str | None = None
    ) -> CodeSystem | None:
        """Give a code system. Raises Unprocessable where another version is demanded."""
        return await self._source.code_system(self._pinned(canonical), as_of=as_of)

    async def value_set(self, canonical: Canonical) -> ValueSetFound | None:
        """Give a value set; what was published of it may be of other versions, and is left out."""
        found = await self._source.value_set(canonical)
        return None if found is None else ValueSetFound(found.resource)

    async def concept_maps(
        self,
        *,
        canonical: Canonical | None = None,
        source: Canonical | None = None,
        target: Canonical | None = None,
        system: str | None = None,
        target_system: str | None = None,
    ) -> Sequence[Resource]:
        """Give concept maps as they are."""
        return await self._source.concept_maps(
            canonical=canonical,
            source=source,
            target=target,
            system=system,
            target_system=target_system,
        )

    def _pinned(self, canonical: Canonical) -> Canonical:
        url, said = canonical
        wanted = self._pins.demanded.get(url)
        if wanted is not None and said is not None and not _suits(said, wanted):
            parts = {"url": shown(url), "said": shown(said), "wanted": shown(wanted)}
            raise Unprocessable(issue("terminology.version-differs", **parts))
        forced = self._pins.forced.get(url)
        return Canonical(url, forced or said or wanted or self._pins.default.get(url))


def _suits(said: str, wanted: str) -> bool:
    """Tell whether a version is the one that is wanted, or begins it or is begun by it."""
    return f"{said}.".startswith(f"{wanted}.") or f"{wanted}.".startswith(f"{said}.")
