"""The status of an identity: a function of two facts and of the attributes, never set by hand.

RNIV 1 v2.0, EXI SI 07 and EXI SI 09,
https://esante.gouv.fr/produits-services/referentiel-national-didentitovigilance .
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue


class IdentityStatus(StrEnum):
    """Provisoire, récupérée, validée, qualifiée."""

    PROV = "PROV"
    RECUP = "RECUP"
    VALI = "VALI"
    QUAL = "QUAL"


class Attribute(StrEnum):
    """What may be said of an identity beside its status."""

    HOMONYME = "homonyme"
    DOUTEUSE = "douteuse"
    FICTIVE = "fictive"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the status is derived from.

    ``insi_source``: the traits and the matricule come from an INSi answer. ``proof``: a document of
    identity of high trust was checked.
    """

    insi_source: bool = False
    proof: bool = False
    attributes: frozenset[Attribute] = frozenset()


STATUS: Mapping[tuple[bool, bool], IdentityStatus] = {
    # (INSi source, high-trust proof)
    (False, False): IdentityStatus.PROV,
    (True, False): IdentityStatus.RECUP,
    (False, True): IdentityStatus.VALI,
    (True, True): IdentityStatus.QUAL,
}

FORCE_PROVISIONAL = frozenset({Attribute.DOUTEUSE, Attribute.FICTIVE})
"""An identity with one of these is provisional whatever the facts, and INSi is not called."""

COMBINATIONS: frozenset[frozenset[Attribute]] = frozenset(
    {
        frozenset[Attribute](),
        frozenset({Attribute.HOMONYME}),
        frozenset({Attribute.DOUTEUSE}),
        frozenset({Attribute.FICTIVE}),
        frozenset({Attribute.HOMONYME, Attribute.DOUTEUSE}),
    }
)
"""The attributes that may stand together."""

CARRIES_MATRICULE = frozenset({IdentityStatus.RECUP, IdentityStatus.QUAL})
TRANSMITS_MATRICULE = frozenset({IdentityStatus.QUAL})

HIGH_TRUST_PROOFS = frozenset({"AN", "CN", "CS", "IE", "LE", "PA"})
"""Validation modes of FR Core that are high-trust: extract of birth record, identity card,
residence permit, eIDAS, family book, passport. A driving licence is not."""

NATIVE: Mapping[IdentityStatus, str] = {
    IdentityStatus.PROV: "provisional",
    IdentityStatus.RECUP: "retrieved",
    IdentityStatus.VALI: "validated",
    IdentityStatus.QUAL: "qualified",
}
"""The words of the native form of a dossier."""


def derive(facts: Facts) -> IdentityStatus:
    """Give the status that the facts make."""
    if facts.attributes & FORCE_PROVISIONAL:
        return IdentityStatus.PROV
    return STATUS[facts.insi_source, facts.proof]


def check_attributes(
    attributes: frozenset[Attribute], expression: str | None = None
) -> list[Issue]:
    """Check that these attributes may stand together."""
    return [] if attributes in COMBINATIONS else [issue("ins.attributes", expression)]
