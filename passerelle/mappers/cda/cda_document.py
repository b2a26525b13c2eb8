"""A CDA R2 document as values: the French header and its body.

Volet « Structuration minimale des documents de santé » of the CI-SIS
(https://esante.gouv.fr/volet-structuration-minimale-de-documents-de-sante). The same values are
written by :mod:`cda_write` and read by :mod:`cda_header`. Times are the HL7 text
(``20210401134745+0100``), so that what was read can be written again to the letter.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from passerelle.mappers.document_codes import (
    CI_SIS_TEMPLATE,
    HL7_FRANCE_TEMPLATE,
    XDS_SD_TEMPLATE,
)
from passerelle.mappers.xdm.xds_metadata import Coded


class InstanceIdentifier(NamedTuple):
    """A root OID (or UUID) and, when the root does not say all, an extension."""

    root: str
    extension: str | None = None


N1_TEMPLATES = (
    InstanceIdentifier(HL7_FRANCE_TEMPLATE),
    InstanceIdentifier(CI_SIS_TEMPLATE),
    InstanceIdentifier(XDS_SD_TEMPLATE),
)
"""What a document of level 1 states to conform to, exactly."""


class Telecom(NamedTuple):
    """``tel:``, ``mailto:`` … and its use (H, WP, MC …)."""

    value: str
    use: str | None = None


class Address(NamedTuple):
    """The parts of an address in their order, e.g. ``("postalCode", "75007")``."""

    parts: tuple[tuple[str, str], ...]
    use: str | None = None


class PersonName(NamedTuple):
    """The name of a professional or a relative."""

    family: str | None = None
    given: str | None = None
    prefix: str | None = None
    suffix: str | None = None


class Device(NamedTuple):
    """The software that is an author: model and name."""

    model: str | None
    software: str | None


@dataclass(frozen=True, slots=True)
class Structure:
    """An organization; ``setting`` is its standardIndustryClassCode (cadre d'exercice)."""

    ids: tuple[InstanceIdentifier, ...] = ()
    name: str | None = None
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()
    setting: Coded | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """An assignedAuthor or assignedEntity: a person or a device, for a structure."""

    ids: tuple[InstanceIdentifier, ...] = ()
    code: Coded | None = None
    name: PersonName | None = None
    device: Device | None = None
    structure: Structure | None = None
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()


class Author(NamedTuple):
    """An author, when and in what role (functionCode)."""

    actor: Actor
    time: str | None = None
    function: Coded | None = None


class LegalAuthenticator(NamedTuple):
    """The one who answers for the document, and since when."""

    actor: Actor
    time: str | None = None


@dataclass(frozen=True, slots=True)
class PatientRole:
    """The person concerned: identifiers, strict traits, used names, birthplace, contact."""

    ids: tuple[InstanceIdentifier, ...] = ()
    birth_family: str | None = None
    birth_given: str | None = None  # first birth given name
    birth_given_list: str | None = None
    used_family: str | None = None
    used_given: str | None = None
    gender: str | None = None  # M, F, UN
    birth_time: str | None = None
    birthplace_code: str | None = None
    birthplace_name: str | None = None
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """An act that the document is about: code (with translations), interval, performers."""

    code: Coded | None = None
    translations: tuple[Coded, ...] = ()
    start: str | None = None
    stop: str | None = None
    ids: tuple[InstanceIdentifier, ...] = ()
    performers: tuple[Actor, ...] = ()


@dataclass(frozen=True, slots=True)
class Encounter:
    """The care during which it was made; ``facility`` is the healthCareFacility's code."""

    code: Coded | None = None
    start: str | None = None
    stop: str | None = None
    ids: tuple[InstanceIdentifier, ...] = ()
    facility: Coded | None = None
    facility_ids: tuple[InstanceIdentifier, ...] = ()
    place: str | None = None


class RelatedDocument(NamedTuple):
    """A parent document and the relation to it (RPLC, APND, XFRM)."""

    type_code: str
    id: InstanceIdentifier | None


@dataclass(frozen=True, slots=True)
class NonXmlBody:
    """A body of level 1: the document itself and its media type."""

    media_type: str
    content: bytes


Body: TypeAlias = NonXmlBody | Literal["structured"] | None


@dataclass(frozen=True, slots=True)
class CdaDocument:
    """A header and a body: ``structured`` tells a level 3 (or 2), kept as its own bytes."""

    id: InstanceIdentifier | None
    code: Coded | None
    title: str | None
    time: str | None
    patient: PatientRole
    authors: tuple[Author, ...]
    custodian: Structure | None
    legal_authenticator: LegalAuthenticator | None
    events: tuple[ServiceEvent, ...]
    encounter: Encounter | None
    body: Body
    confidentiality: Coded | None = None
    language: str | None = "fr-FR"
    set_id: InstanceIdentifier | None = None
    version: int | None = 1
    related: RelatedDocument | None = None
    templates: tuple[InstanceIdentifier, ...] = N1_TEMPLATES
    realm: str | None = "FR"
