"""The XDS metadata of a submission and of its documents, as plain values.

IHE ITI TF-3 4.2 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html) with the French names and
cardinalities of the CI-SIS (https://esante.gouv.fr/volet-partage-de-documents-de-sante). HL7 v2
data types (CX, XCN, XON) stay the text they are in the metadata; :mod:`hl7_types` makes and
reads them.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Coded(NamedTuple):
    """A code, the OID of its system and its label."""

    code: str
    system: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """An author: XCN, XON, label of the role, ``code^label^OID`` of the profession."""

    person: str | None = None
    institutions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    specialties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document's metadata. Times are UTC ``YYYYMMDDHHMMSS``; ``hash`` is upper-case SHA-1.

    What is None was not there when read; the writer refuses the lack of what is mandatory.
    """

    entry_uuid: str
    unique_id: str | None = None
    logical_id: str | None = None
    mime_type: str | None = None
    hash: str | None = None
    size: int | None = None
    uri: str | None = None
    creation_time: str | None = None
    service_start_time: str | None = None
    service_stop_time: str | None = None
    language: str | None = None
    legal_authenticator: str | None = None
    patient_id: str | None = None
    source_patient_id: str | None = None
    source_patient_info: tuple[str, ...] = ()
    title: str | None = None
    comments: str | None = None
    authors: tuple[Author, ...] = ()
    class_code: Coded | None = None
    type_code: Coded | None = None
    format_code: Coded | None = None
    facility_type: Coded | None = None
    practice_setting: Coded | None = None
    confidentiality: tuple[Coded, ...] = ()
    events: tuple[Coded, ...] = ()
    action: Literal["C", "D"] | None = None


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """The metadata of what is sent together."""

    entry_uuid: str
    unique_id: str | None = None
    source_id: str | None = None
    patient_id: str | None = None
    submission_time: str | None = None
    content_type: Coded | None = None
    authors: tuple[Author, ...] = ()
    title: str | None = None
    comments: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission set and the documents that belong to it."""

    submission_set: SubmissionSet
    entries: tuple[DocumentEntry, ...]
