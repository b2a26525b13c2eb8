"""How alike two Patients are: by matricule first, then by the strict traits.

https://hl7.org/fhir/R4/patient-operation-match.html ; Référentiel national d'identitovigilance
(RNIV 1), https://esante.gouv.fr/produits-services/referentiel-national-didentitovigilance . A match
is certain only by a qualified matricule that no trait contradicts, or by all strict traits at
once; everything else is for a person to decide. A matricule that stands aside is never compared.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from passerelle.fhir.resource import Resource
from passerelle.ins.elements import objects
from passerelle.ins.matricule import OIDS, bare_oid, check_number
from passerelle.ins.patient_identity import Held, PatientIdentity, read
from passerelle.ins.status import FORCE_PROVISIONAL, Attribute, IdentityStatus
from passerelle.ins.traits import UNKNOWN_PLACE, Traits, differ, normal

Grade: TypeAlias = Literal["certain", "probable", "possible", "certainly-not"]
"""https://hl7.org/fhir/R4/valueset-match-grade.html"""

PROBABLE, POSSIBLE = 0.85, 0.6
"""The least score of a grade."""

CERTAIN_SCORE = {"matricule": 1.0, "traits": 0.99}
MATRICULE_SCORE = 0.95
LOCAL_SCORE = 0.9
"""Of an identifier of the same domain (an IPP), unless a trait contradicts it."""

CAPS: Mapping[Grade, float] = {"probable": 0.98, "possible": 0.84}
"""The highest score of a grade that is not certain."""

WEIGHTS: Mapping[str, float] = {
    "birth_name": 0.25,
    "birth_date": 0.25,
    "first_given_name": 0.15,
    "birth_place": 0.15,
    "given_names": 0.10,
    "sex": 0.10,
}
KNOWN_FLOOR = 0.6
"""What traits weigh when next to none is known on both sides; it rises to 1 with all of them."""

_NEAR, _ELSEWHERE = 0.7, 0.6


class Match(NamedTuple):
    """How alike: a grade, and a score from 0 to 1 that orders those of one grade."""

    grade: Grade
    score: float


class Person(NamedTuple):
    """What is compared of a Patient."""

    identity: PatientIdentity
    traits: Traits
    strict: bool  # the traits are those of the official name
    families: frozenset[str]  # of all names, in normal form
    local: frozenset[tuple[str, str]]  # (system, value) of identifiers that are no INS

    @property
    def homonym(self) -> bool:
        """Whether somebody with the same traits is known."""
        return Attribute.HOMONYME in self.identity.attributes


def person(patient: Resource) -> Person:
    """Read what is compared; without an official name the first one stands in, never strictly."""
    identity = read(patient)
    traits, named = identity.traits, [name for _, name in objects(patient, "name")]
    families = frozenset(
        normal(family) for name in named if isinstance(family := name.get("family"), str)
    )
    ins = {held.position for held in identity.matricules}
    local = frozenset(
        (system, value)
        for position, each in objects(patient, "identifier")
        if position not in ins
        and isinstance(system := each.get("system"), str)
        and isinstance(value := each.get("value"), str)
        and bare_oid(system) not in OIDS
    )
    if traits.birth_name or traits.first_given_name or not named:
        return Person(identity, traits, True, families, local)
    given = named[0].get("given")
    first = given[0] if isinstance(given, list) and given else None
    family = named[0].get("family")
    stand_in = Traits(
        family if isinstance(family, str) else None,
        first if isinstance(first, str) else None,
        None,
        traits.birth_date,
        traits.sex,
        traits.birth_place,
    )
    return Person(identity, stand_in, False, families, local)


def compare(asked: Person, known: Person, *, allow_test: bool) -> Match:
    """Tell how alike a person who is asked for and a known one are.

    ``allow_test`` admits the OIDs of test and demonstration.
    """
    mine, theirs = _pairs(asked, allow_test), _pairs(known, allow_test)
    same = bool(mine & theirs)
    contradicted = differ(asked.traits, known.traits)
    if same and not contradicted and known.identity.status is IdentityStatus.QUAL:
        return Match("certain", CERTAIN_SCORE["matricule"])
    doubtful = bool(known.identity.attributes & FORCE_PROVISIONAL)
    rivals = bool(mine and theirs and not same)
    score = max(_likeness(asked, known), MATRICULE_SCORE if same else 0.0)
    if asked.local & known.local and not contradicted:
        score = max(score, LOCAL_SCORE)
    if doubtful or rivals:
        return _graded(min(score, CAPS["possible"]))
    if _all_equal(asked, known) and not known.homonym:
        return Match("certain", CERTAIN_SCORE["traits"])
    return _graded(min(score, CAPS["probable"]))


def _graded(score: float) -> Match:
    if score >= PROBABLE:
        return Match("probable", score)
    return Match("possible" if score >= POSSIBLE else "certainly-not", score)


def _pairs(one: Person, allow_test: bool) -> set[tuple[str, str]]:
    """Give the matricules in force, as (number, OID), that may be relied upon."""
    return {
        (held.number or "", held.oid or "")
        for held in one.identity.matricules
        if held.use != "old" and _is_sound(held, allow_test)
    }


def _is_sound(held: Held, allow_test: bool) -> bool:
    kind = OIDS.get(held.oid or "")
    if kind is None or held.number is None or (kind.purpose != "real" and not allow_test):
        return False
    return all(said.severity != "error" for said in check_number(held.number, held.oid))


def _all_equal(asked: Person, known: Person) -> bool:
    """Tell whether both have all strict traits, and the same."""
    one, other = asked.traits, known.traits
    if not (asked.strict and known.strict) or one.missing() or other.missing():
        return False
    if UNKNOWN_PLACE in (one.birth_place, other.birth_place):
        return False
    return one.normal() == other.normal()


def _likeness(asked: Person, known: Person) -> float:
    """Weigh the traits that both have; the more of them, the more their likeness counts."""
    weight = found = 0.0
    for name, alike in _ALIKE.items():
        one, other = getattr(asked.traits, name), getattr(known.traits, name)
        if one and other:
            weight += WEIGHTS[name]
            found += WEIGHTS[name] * alike(one, other)
    own, theirs = asked.traits.birth_name, known.traits.birth_name
    if own and theirs and not _names(own, theirs) and asked.families & known.families:
        found += WEIGHTS["birth_name"] * _ELSEWHERE
    if not weight:
        return 0.0
    return found / weight * (KNOWN_FLOOR + (1 - KNOWN_FLOOR) * weight)


def _names(one: str, other: str) -> float:
    """Compare two names: equal, one slip of the pen apart, or different."""
    first, second = normal(one), normal(other)
    if first == second:
        return 1.0
    return _NEAR if is_one_slip(first, second) else 0.0


def _first_names(one: str, other: str) -> float:
    """Compare first given names; one that begins the other may be a compound name cut short."""
    first, second = normal(one).split(), normal(other).split()
    if first[: len(second)] == second or second[: len(first)] == first:
        return 1.0
    return _names(one, other)


def _dates(one: str, other: str) -> float:
    """Compare dates as far as both are precise; day and month changed over count for half."""
    first, second = ("".join(c for c in text if c.isdigit())[:8] for text in (one, other))
    shorter = min(len(first), len(second))
    if first[:shorter] == second[:shorter]:
        return 1.0
    turned = len(first) == 8 and first[:4] + first[6:] + first[4:6] == second
    slips = sum(a != b for a, b in zip(first, second, strict=False))
    return 0.5 if turned or (len(first) == len(second) and slips == 1) else 0.0


def _equal(one: str, other: str) -> float:
    return 1.0 if one == other else 0.0


def _places(one: str, other: str) -> float:
    return 0.5 if UNKNOWN_PLACE in (one, other) else _equal(one, other)


_ALIKE: Mapping[str, Callable[[str, str], float]] = {
    "birth_name": _names,
    "birth_date": _dates,
    "first_given_name": _first_names,
    "birth_place": _places,
    "given_names": _first_names,
    "sex": _equal,
}


def is_one_slip(one: str, other: str) -> bool:
    """Tell whether one letter more, less, other, or two changed over, part two short texts.

    >>> is_one_slip("DUPONT", "DUPOND"), is_one_slip("DUPONT", "UDPONT"), is_one_slip("A", "BCD")
    (True, True, False)
    """
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or len(one) < 3:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    if one[start + 1 :] == other[start + 1 :]:
        return True
    return (
        one[start : start + 2] == other[start : start + 2][::-1]
        and one[start + 2 :] == other[start + 2 :]
    )
