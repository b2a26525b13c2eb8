"""May the matricule leave? Only with a qualified identity, all its strict traits and a real OID.

Guide d'implémentation de l'INS v3.0, EXI ID 29: matricule and OID are transmitted when the
identity is qualified, and never otherwise.
https://esante.gouv.fr/sites/default/files/media/document/ANS_Guide-Implementation-INS_V3.0.pdf
"""

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.ins.matricule import bare_oid, check_oid
from passerelle.ins.status import TRANSMITS_MATRICULE, IdentityStatus
from passerelle.ins.traits import Traits

TRAIT_WORDS = {
    "birth_name": ("nom de naissance", "birth name"),
    "first_given_name": ("premier prénom de naissance", "first given name"),
    "given_names": ("liste des prénoms de naissance", "list of birth given names"),
    "birth_date": ("date de naissance", "birth date"),
    "sex": ("sexe", "sex"),
    "birth_place": ("code du lieu de naissance", "code of the birthplace"),
}
"""The traits' names for people, French and English."""


def missing_trait(trait: str, expression: str | None = None) -> Issue:
    """Say that a strict trait is missing for a qualified identity."""
    fr, en = TRAIT_WORDS[trait]
    return issue("ins.qualified-needs-traits", expression, trait_fr=fr, trait_en=en)


def obstacles(status: IdentityStatus, oid: str, traits: Traits, *, allow_test: bool) -> list[Issue]:
    """Give every reason why the matricule may not leave; none: it may."""
    issues = [] if status in TRANSMITS_MATRICULE else [issue("ins.no-qualified-identity")]
    issues += check_oid(bare_oid(oid), allow_test=allow_test)
    return issues + [missing_trait(trait) for trait in traits.missing()]


def may_leave(status: IdentityStatus, oid: str, traits: Traits, *, allow_test: bool) -> bool:
    """Tell whether the matricule under this OID may be transmitted with these traits."""
    return not obstacles(status, oid, traits, allow_test=allow_test)
