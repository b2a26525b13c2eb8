"""What terminology is asked of: code systems, value sets and concept maps by their canonical."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerelle.fhir.resource import Resource
from passerelle.fhir.terminology.canonicals import Canonical
from passerelle.fhir.terminology.code_system import CodeSystem


class ValueSetFound(NamedTuple):
    """A value set, and one of the same canonical that was published with its expansion."""

    resource: Resource
    published: Resource | None = None


class TermSource(Protocol):
    """Gives terminology resources; where they are kept is not known here."""

    async def code_system(
        self, canonical: Canonical, *, as_of: str | None = None
    ) -> CodeSystem | None:
        """Give a code system that holds concepts of its own, or None.

        Without a version, ``as_of`` asks for the one that was the newest on that day.
        """

    async def value_set(self, canonical: Canonical) -> ValueSetFound | None:
        """Give a value set, or None."""

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
