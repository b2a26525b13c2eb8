"""Read the identity facts of a FHIR Patient, each with the place it stands at.

https://hl7.fr/ig/fhir/core/2.2.0/StructureDefinition-fr-core-patient-ins.html ; the reliability
extension as FR Core 2.1 and 2.2 code it (VALI is "qualified") and as the next version does (the
four statuses of the RNIV). Any JSON is survived: what has not the right form is not seen here and
is the structure check's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import FR_CORE
from passerelle.ins.elements import codings, extension_of, objects, text
from passerelle.ins.matricule import OIDS, TYPE_CODES, bare_oid
from passerelle.ins.status import (
    HIGH_TRUST_PROOFS,
    Attribute,
    Facts,
    IdentityStatus,
    derive,
)
from passerelle.ins.traits import Traits

RELIABILITY = FR_CORE + "fr-core-identity-reliability"
GIVEN_NAMES = FR_CORE + "fr-core-patient-birth-list-given-name"
INSEE_CODE = FR_CORE + "fr-core-address-insee-code"
LUNAR_DATE = FR_CORE + "fr-core-lunar-date"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
RNIV_STATUSES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
"""Code system of the next FR Core, where VALI is "validée" and QUAL "qualifiée"."""

_STATUS_CODES: Mapping[str, IdentityStatus] = {
    "VIDE": IdentityStatus.PROV,
    "PROV": IdentityStatus.PROV,
    "VALI": IdentityStatus.QUAL,
    "RECUP": IdentityStatus.RECUP,
    "QUAL": IdentityStatus.QUAL,
}
"""fr-core-cs-v2-0445 of FR Core 2.x, where VALI stands for a qualified identity."""

_ATTRIBUTE_CODES: Mapping[str, Attribute] = {
    "HOMD": Attribute.HOMONYME,
    "HOMA": Attribute.HOMONYME,
    "DOUT": Attribute.DOUTEUSE,
    "USUR": Attribute.DOUTEUSE,
    "FICT": Attribute.FICTIVE,
}
_INSI_METHODS = frozenset({"INSI", "INSi", "AV"})
"""Collected from INSi, or from the carte Vitale application, which stands for it (RNIV 1 v2.0)."""

_SHARE: Mapping[IdentityStatus, tuple[bool, bool]] = {
    IdentityStatus.PROV: (False, False),
    IdentityStatus.RECUP: (True, False),
    IdentityStatus.VALI: (False, True),
    IdentityStatus.QUAL: (True, True),
}


class Held(NamedTuple):
    """An identifier that is meant as an INS: its position and what it says, as it stands."""

    position: int
    use: str | None
    type_code: str | None
    system: str | None
    number: str | None

    @property
    def oid(self) -> str | None:
        """Give its OID: of the system, else the one that its type stands for."""
        if self.system is not None:
            return bare_oid(self.system)
        return TYPE_CODES.get(self.type_code or "")

    @property
    def path(self) -> str:
        """Give its FHIRPath."""
        return f"Patient.identifier[{self.position}]"


class Reliability(NamedTuple):
    """One occurrence of the reliability extension."""

    position: int
    status: IdentityStatus | None  # as it is coded
    rniv: bool  # coded by the next FR Core
    insi: bool  # collected from INSi
    method: str | None
    mode: str | None
    attributes: frozenset[Attribute]

    @property
    def path(self) -> str:
        """Give its FHIRPath."""
        return f"Patient.extension[{self.position}]"


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """The identity facts of one Patient. ``places`` gives each trait its FHIRPath."""

    matricules: tuple[Held, ...]
    reliability: tuple[Reliability, ...]
    traits: Traits
    places: Mapping[str, str]

    @property
    def attributes(self) -> frozenset[Attribute]:
        """Give the attributes of all occurrences together."""
        return frozenset[Attribute]().union(*(entry.attributes for entry in self.reliability))

    @property
    def coded(self) -> tuple[Reliability, ...]:
        """Give the occurrences that code a status."""
        return tuple(entry for entry in self.reliability if entry.status is not None)

    @property
    def active(self) -> Held | None:
        """Give the matricule in force, not a former one; of several (a fault) the first."""
        return next((held for held in self.matricules if held.use != "old"), None)

    @property
    def claimed(self) -> IdentityStatus | None:
        """Give the status that the Patient claims; of several, the one that says least."""
        statuses = [entry.status for entry in self.coded if entry.status is not None]
        if not statuses:
            return None
        shares = [_SHARE[status] for status in statuses]
        return derive(Facts(all(s[0] for s in shares), all(s[1] for s in shares)))

    @property
    def below_facts(self) -> bool:
        """Tell whether it says provisional although it names both INSi and a high-trust proof."""
        return self.claimed is IdentityStatus.PROV and self._insi and self._proof

    @property
    def facts(self) -> Facts:
        """Give the facts that the status is derived from.

        FR Core 2.x has no code for "récupérée" and "validée": a provisional status with INSi as
        its source, or with a checked document, stands for them. A claim is never exceeded: with
        both, the identity is not taken as qualified but as retrieved.
        """
        claimed = self.claimed
        if claimed is None or any(entry.rniv for entry in self.coded):
            insi, proof = _SHARE[claimed or IdentityStatus.PROV]
        elif claimed is IdentityStatus.PROV:
            insi, proof = self._insi, self._proof and not self._insi
        else:
            insi, proof = _SHARE[claimed]
        return Facts(insi, proof, self.attributes)

    @property
    def status(self) -> IdentityStatus:
        """Give the status, derived."""
        return derive(self.facts)

    @property
    def _insi(self) -> bool:
        return any(entry.insi for entry in self.reliability)

    @property
    def _proof(self) -> bool:
        return any(entry.mode in HIGH_TRUST_PROOFS for entry in self.reliability)


def held_of(position: int, identifier: dict[str, Any]) -> Held | None:
    """Tell whether an identifier is meant as an INS, by type code *and* system.

    With a type that is no INS type (NH: the social security number of FR Core 2.1 stands under
    the OID of the INS-NIR) it is none; the system alone decides only when there is no type.
    """
    kind = identifier.get("type")
    codes = [] if kind is None else [text(coding, "code") for coding in codings(kind)]
    ins_codes = [code for code in codes if code in TYPE_CODES]
    system = text(identifier, "system")
    if not ins_codes and (any(codes) or system is None or bare_oid(system) not in OIDS):
        return None
    return Held(
        position,
        text(identifier, "use"),
        ins_codes[0] if ins_codes else None,
        system,
        text(identifier, "value"),
    )


def matricules(patient: Resource) -> tuple[Held, ...]:
    """Give the identifiers that are meant as an INS; never raises."""
    found: list[Held] = []
    for position, identifier in objects(patient, "identifier"):
        held = held_of(position, identifier)
        if held is not None:
            found.append(held)
    return tuple(found)


def social_security_under_ins_oid(patient: Resource) -> Iterator[tuple[int, str]]:
    """Give position and OID of the identifiers of another type that stand under an INS OID."""
    for position, identifier in objects(patient, "identifier"):
        oid = bare_oid(text(identifier, "system") or "")
        if oid in OIDS and held_of(position, identifier) is None:
            yield position, oid


def _reliability(position: int, occurrence: dict[str, Any]) -> Reliability:
    """Read one occurrence; sub-extensions that are not known are passed over."""
    codes: dict[str, tuple[str | None, str | None]] = {}
    comments: list[str | None] = []
    insi = False
    for _, part in objects(occurrence, "extension"):
        url, coding = text(part, "url"), part.get("valueCoding")
        if url == "comment":
            comments += [text(c, "code") for c in codings(part.get("valueCodeableConcept"))]
            comments.append(text(coding, "code"))
        elif url == "dateInterrogationINSi":
            insi = True
        elif url is not None:
            codes[url] = (text(coding, "system"), text(coding, "code"))
    system, code = codes.get("identityStatus", (None, None))
    method = codes.get("methodCollection", (None, None))[1]
    rniv = system == RNIV_STATUSES or code in ("RECUP", "QUAL")
    status = _STATUS_CODES.get(code or "")
    if rniv and code == "VALI":
        status = IdentityStatus.VALI
    return Reliability(
        position,
        status,
        rniv,
        insi or method in _INSI_METHODS,
        method,
        codes.get("validationMode", (None, None))[1],
        frozenset(_ATTRIBUTE_CODES[c] for c in (code, *comments) if c and c in _ATTRIBUTE_CODES),
    )


def _official_name(patient: Resource) -> tuple[int, dict[str, Any]] | tuple[None, None]:
    """Give the first name in use official and its position."""
    for position, name in objects(patient, "name"):
        if name.get("use") == "official":
            return position, name
    return None, None


def _traits(patient: Resource) -> tuple[Traits, dict[str, str]]:
    """Read the strict traits and the FHIRPath of each, or of where it should stand."""
    at, name = _official_name(patient)
    path = "Patient.name" if at is None else f"Patient.name[{at}]"
    given = name.get("given") if name else None
    first = given[0] if isinstance(given, list) and given and isinstance(given[0], str) else None
    listed = extension_of(name, GIVEN_NAMES)
    lunar = extension_of(patient, LUNAR_DATE)
    place = extension_of(patient, BIRTH_PLACE)
    address = place[1].get("valueAddress") if place else None
    code = extension_of(address, INSEE_CODE)
    place_path = f"Patient.extension[{place[0]}].value" if place else "Patient.extension"
    places = {
        "birth_name": path if name is None else f"{path}.family",
        "first_given_name": path if name is None else f"{path}.given",
        "given_names": f"{path}.extension[{listed[0]}].value" if listed else path,
        "birth_date": "Patient.birthDate",
        "sex": "Patient.gender",
        "birth_place": f"{place_path}.extension[{code[0]}].value" if code else place_path,
    }
    traits = Traits(
        text(name, "family"),
        first,
        text(listed[1], "valueString") if listed else None,
        (text(lunar[1], "valueString") if lunar else None) or text(patient, "birthDate"),
        text(patient, "gender"),
        text(code[1].get("valueCoding"), "code") if code else None,
    )
    return traits, places


def read(patient: Resource) -> PatientIdentity:
    """Read the identity facts of a Patient; never raises."""
    traits, places = _traits(patient)
    return PatientIdentity(
        matricules(patient),
        tuple(
            _reliability(i, occurrence)
            for i, occurrence in objects(patient, "extension")
            if occurrence.get("url") == RELIABILITY
        ),
        traits,
        places,
    )
