"""What the store offers for the integrity of references: part of the ``Store`` protocol.

https://hl7.org/fhir/R4/references.html#literal and https://hl7.org/fhir/R4/http.html#delete
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerelle.fhir.resource import Key
from passerelle.store.caller import Caller


class Referred(NamedTuple):
    """A resource that others may refer to: as ``Type/id``, or by its whole address."""

    key: Key
    address: str


class Referring(Protocol):
    """Who is there, and who refers to it."""

    async def living(self, keys: Sequence[Key], caller: Caller) -> frozenset[Key]:
        """Give those of some keys that are there and not deleted."""

    async def referrers(
        self, referred: Sequence[Referred], caller: Caller, *, limit: int
    ) -> tuple[Key, ...]:
        """Give at most ``limit`` of the resources, not deleted, that refer to any of those."""
