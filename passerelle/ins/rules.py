"""The identity rules at the door of the record, for a FHIR Patient.

Invariants fr-core-1 to fr-core-3 of
https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-patient-ins.html , the RNIV's EXI SI
07 and 09, and the keys of the matricules. A Patient that claims a qualified identity it cannot
have is refused; a matricule that may not leave is told to be set apart.
"""

from collections.abc import Iterator, Sequence

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Resource
from passerelle.ins import traits as names
from passerelle.ins.matricule import OIDS, TYPE_CODES, URN, check_number, check_oid
from passerelle.ins.patient_identity import (
    Held,
    PatientIdentity,
    read,
    social_security_under_ins_oid,
)
from passerelle.ins.status import HIGH_TRUST_PROOFS, IdentityStatus, check_attributes
from passerelle.ins.transmission import missing_trait
from passerelle.ins.withholding import rejoin, tells, withheld, withhold

__all__ = ["check_patient", "rejoin", "withhold"]

_USES = frozenset({"official", "old"})
_SEXES = frozenset({"male", "female", "unknown"})
_INSI_BASED = frozenset({None, "INSI", "INSi", "AV", "CV"})
_PLACE_CODE_LENGTH = 5


def check_patient(patient: Resource, *, allow_test: bool) -> list[Issue]:
    """Check the identity of a Patient: every issue with the FHIRPath of its element.

    ``allow_test`` admits the OIDs of test and demonstration. Never raises, whatever the JSON.
    """
    identity = read(patient)
    issues: list[Issue] = []
    for held in identity.matricules:
        issues += _check_identifier(held, allow_test=allow_test)
    issues += [
        issue("ins.nss-on-ins-oid", f"Patient.identifier[{position}].system", oid=oid)
        for position, oid in social_security_under_ins_oid(patient)
    ]
    issues += _check_active(identity)
    issues += _check_status(identity)
    issues += _check_names(identity)
    if identity.claimed is IdentityStatus.QUAL:
        issues += _check_qualified(patient, identity)
    if not any(found.severity == "error" for found in issues):
        hidden = withheld(identity)
        issues += [issue("ins.withheld", held.path) for held in hidden]
        numbers = [held.number for held in hidden]
        issues += [issue("ins.matricule-elsewhere", path) for path in _places(patient, numbers)]
    return issues


def _places(patient: Resource, numbers: Sequence[str | None]) -> Iterator[str]:
    """Give where else a Patient repeats a matricule that may not leave: an address, its id.

    Its identifiers and its narrative are parted from it, so they are not looked into.
    """
    if not numbers:
        return
    parted = ("identifier", "text", "link", "contained")
    for path, said in _texts(
        "Patient", {name: value for name, value in patient.items() if name not in parted}
    ):
        if tells(said, numbers):
            yield path


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Give every text within a value with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(f"{path}[{position}]", inner)


def _check_identifier(held: Held, *, allow_test: bool) -> list[Issue]:
    """Check one INS identifier: system and type agree, number, use."""
    at_system, at_number = f"{held.path}.system", f"{held.path}.value"
    issues: list[Issue] = []
    if held.system is None:
        issues.append(issue("ins.oid-missing", held.path))
    else:
        issues += check_oid(held.oid or "", allow_test=allow_test, expression=at_system)
        if held.oid in OIDS and not held.system.startswith(URN):
            issues.append(issue("ins.oid-form", at_system))
        if held.oid in OIDS and held.type_code and TYPE_CODES[held.type_code] != held.oid:
            issues.append(issue("ins.type-and-system", f"{held.path}.type"))
    if held.number is None:
        issues.append(issue("ins.number-missing", held.path))
    else:
        issues += check_number(held.number, held.oid, at_number)
    if held.use not in _USES:
        known = OIDS.get(held.oid or "")
        temporary = held.use == "temp" and known is not None and known.kind == "NIA"
        place = held.path if held.use is None else f"{held.path}.use"
        issues.append(issue("ins.use-temp" if temporary else "ins.use", place))
    return issues


def _check_active(identity: PatientIdentity) -> list[Issue]:
    """Check that there is one matricule in force at most."""
    active = [held for held in identity.matricules if held.use != "old"]
    return [issue("ins.two-official", held.path) for held in active[1:]]


def _check_status(identity: PatientIdentity) -> list[Issue]:
    """Check what is said of the identity: one status, attributes that go with it."""
    issues: list[Issue] = []
    coded = identity.coded
    issues += [
        issue("ins.two-statuses", entry.path)
        for entry in coded[1:]
        if entry.status != coded[0].status
    ]
    if identity.attributes:
        bearing = next(entry for entry in identity.reliability if entry.attributes)
        issues += check_attributes(identity.attributes, bearing.path)
        forced = identity.status is IdentityStatus.PROV
        if forced and identity.claimed not in (None, IdentityStatus.PROV):
            issues.append(issue("ins.doubtful-cannot-be-qualified", bearing.path))
    if identity.below_facts:
        issues.append(issue("ins.status-below-facts", coded[0].path))
    return issues


def _check_names(identity: PatientIdentity) -> list[Issue]:
    """Check the given names against their list (EXI ID 10), and the names' characters."""
    traits, places, issues = identity.traits, identity.places, list[Issue]()
    if traits.first_given_name and traits.given_names:
        found = names.beginning(traits.first_given_name, traits.given_names)
        if found == "differs":
            qualified = identity.claimed is IdentityStatus.QUAL
            rule = "ins.given-names-order" if qualified else "ins.given-names-differ"
            issues.append(issue(rule, places["given_names"]))
        elif found == "cut":
            issues.append(issue("ins.given-name-cut", places["first_given_name"]))
    return issues


def _check_qualified(patient: Resource, identity: PatientIdentity) -> list[Issue]:
    """Check what a Patient that claims a qualified identity must have."""
    traits, places = identity.traits, identity.places
    entry = next(e for e in identity.coded if e.status is IdentityStatus.QUAL)
    issues = [missing_trait(trait, places[trait]) for trait in traits.missing()]
    official = [held for held in identity.matricules if held.use == "official"]
    if identity.active is None:
        issues.append(issue("ins.qualified-needs-matricule", "Patient.identifier"))
    issues += _check_other_official(patient, official)
    if entry.mode is not None and entry.mode not in HIGH_TRUST_PROOFS:
        issues.append(issue("ins.qualified-needs-proof", entry.path))
    if entry.method not in _INSI_BASED and not entry.insi:
        issues.append(issue("ins.qualified-needs-insi", entry.path))
    if traits.sex is not None and traits.sex not in _SEXES:
        issues.append(issue("ins.qualified-sex", places["sex"]))
    issues += _check_trait_forms(identity)
    return issues


def _check_other_official(patient: Resource, official: list[Held]) -> list[Issue]:
    """Warn of identifiers of another kind in use official beside the matricule (fr-core-2)."""
    identifiers = patient.get("identifier")
    ours = {held.position for held in official}
    return [
        issue("ins.other-official", f"Patient.identifier[{position}].use")
        for position, entry in enumerate(identifiers if isinstance(identifiers, list) else ())
        if ours
        and position not in ours
        and isinstance(entry, dict)
        and entry.get("use") == "official"
    ]


def _check_trait_forms(identity: PatientIdentity) -> list[Issue]:
    """Warn of traits of a qualified identity that INSi cannot have given."""
    traits, places, issues = identity.traits, identity.places, list[Issue]()
    for trait in ("birth_name", "first_given_name", "given_names"):
        value = getattr(traits, trait)
        if value and not names.fits(value, family=trait == "birth_name"):
            issues.append(issue("ins.trait-characters", places[trait]))
    if traits.birth_place == names.UNKNOWN_PLACE:
        issues.append(issue("ins.birth-place-unknown", places["birth_place"]))
    elif traits.birth_place and len(traits.birth_place) != _PLACE_CODE_LENGTH:
        issues.append(issue("ins.birth-place-code", places["birth_place"]))
    return issues
