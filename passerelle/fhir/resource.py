"""The small values that name a resource; a resource itself is a plain dict, not re-modelled."""

from typing import Any, NamedTuple, TypeAlias

Resource: TypeAlias = dict[str, Any]
"""A FHIR resource as decoded JSON: str, bool, int, Decimal, list, dict (never float)."""


class Key(NamedTuple):
    """Type and logical id (https://hl7.org/fhir/R4/resource.html#id)."""

    type: str
    id: str

    def __str__(self) -> str:
        """Spell it as a relative reference, ``Patient/1``."""
        return f"{self.type}/{self.id}"
