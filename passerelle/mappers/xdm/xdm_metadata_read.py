"""Reading METADATA.XML with indulgence: by scheme UUID and slot name, in any order.

IHE ITI TF-3 4.2.5 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html#4.2.5). Of 110 archives
published by ANS, 103 are not in the order of the schemas; some point to objects that do not exist
and misspell names: the place of a value in the tree and its scheme are what is trusted.
"""

from collections.abc import Iterator
from typing import Literal, TypeVar, cast

from lxml import etree

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.mappers.xdm.xdm_schemes import (
    AUTHOR_SLOTS,
    ENTRY_AUTHOR,
    ENTRY_CODES,
    ENTRY_CONFIDENTIALITY,
    ENTRY_EVENT,
    ENTRY_PATIENT_ID,
    ENTRY_SLOTS,
    ENTRY_UNIQUE_ID,
    LCM,
    RIM,
    SET_AUTHOR,
    SET_CONTENT_TYPE,
    SET_MARKER,
    SET_PATIENT_ID,
    SET_SOURCE_ID,
    SET_UNIQUE_ID,
)
from passerelle.mappers.xdm.xds_metadata import (
    Author,
    Coded,
    DocumentEntry,
    Submission,
    SubmissionSet,
)
from passerelle.mappers.xml_reading import attribute, read_xml

SIZE_MAX = 5_000_000
_RIM = f"{{{RIM}}}"
_T = TypeVar("_T")


def read(metadata: bytes, *, size_max: int = SIZE_MAX) -> Submission:
    """Read a submission; metadata that are not there are None.

    Raises Invalid: what :func:`read_xml` refuses, xdm.metadata-root, xdm.no-submission-set
    (none, or several), xdm.no-entry.
    """
    root = read_xml(metadata, size_max=size_max)
    if root.tag != f"{{{LCM}}}SubmitObjectsRequest":
        raise Invalid(issue("xdm.metadata-root"))
    sets = [found for found in root.iter(f"{_RIM}RegistryPackage") if _is_set(found, root)]
    if len(sets) != 1:
        raise Invalid(issue("xdm.no-submission-set"))
    entries = tuple(_read_entry(found) for found in root.iter(f"{_RIM}ExtrinsicObject"))
    if not entries:
        raise Invalid(issue("xdm.no-entry"))
    return Submission(_read_set(sets[0]), entries)


def _is_set(package: etree._Element, root: etree._Element) -> bool:
    """Tell a submission set from a folder: by its marker, inside or beside it."""
    uuid = attribute(package, "id")
    return any(
        attribute(found, "classificationNode") == SET_MARKER
        and (found.getparent() is package or attribute(found, "classifiedObject") == uuid)
        for found in root.iter(f"{_RIM}Classification")
    )


def _read_set(package: etree._Element) -> SubmissionSet:
    return SubmissionSet(
        entry_uuid=attribute(package, "id") or "",
        unique_id=_identifier(package, SET_UNIQUE_ID),
        source_id=_identifier(package, SET_SOURCE_ID),
        patient_id=_identifier(package, SET_PATIENT_ID),
        submission_time=_first(_slot(package, "submissionTime")),
        content_type=_first(_codes(package, SET_CONTENT_TYPE)),
        authors=_authors(package, SET_AUTHOR),
        title=_localized(package, "Name"),
        comments=_localized(package, "Description"),
    )


def _read_entry(found: etree._Element) -> DocumentEntry:
    slots = {field: _first(_slot(found, name)) for field, name in ENTRY_SLOTS.items()}
    codes = {field: _first(_codes(found, scheme)) for field, scheme in ENTRY_CODES.items()}
    size, hash_, action = slots["size"] or "", slots["hash"], slots["action"]
    return DocumentEntry(
        entry_uuid=attribute(found, "id") or "",
        unique_id=_identifier(found, ENTRY_UNIQUE_ID),
        logical_id=attribute(found, "lid"),
        mime_type=attribute(found, "mimeType"),
        hash=None if hash_ is None else hash_.upper(),
        size=int(size) if size.isdecimal() and len(size) < 16 else None,
        uri=slots["uri"],
        creation_time=slots["creation_time"],
        service_start_time=slots["service_start_time"],
        service_stop_time=slots["service_stop_time"],
        language=slots["language"],
        legal_authenticator=slots["legal_authenticator"],
        patient_id=_identifier(found, ENTRY_PATIENT_ID),
        source_patient_id=slots["source_patient_id"],
        source_patient_info=tuple(_slot(found, "sourcePatientInfo")),
        title=_localized(found, "Name"),
        comments=_localized(found, "Description"),
        authors=_authors(found, ENTRY_AUTHOR),
        class_code=codes["class_code"],
        type_code=codes["type_code"],
        format_code=codes["format_code"],
        facility_type=codes["facility_type"],
        practice_setting=codes["practice_setting"],
        confidentiality=_codes(found, ENTRY_CONFIDENTIALITY),
        events=_codes(found, ENTRY_EVENT),
        action=cast(Literal["C", "D"], action) if action in ("C", "D") else None,
    )


def _first(values: tuple[_T, ...]) -> _T | None:
    return values[0] if values else None


def _slot(parent: etree._Element, name: str) -> tuple[str, ...]:
    """Give the values of the slots of that name, those that are not blank."""
    values = (
        (value.text or "").strip()
        for slot in parent.findall(f"{_RIM}Slot")
        if attribute(slot, "name") == name
        for value in slot.iterfind(f"{_RIM}ValueList/{_RIM}Value")
    )
    return tuple(value for value in values if value)


def _localized(parent: etree._Element, name: str) -> str | None:
    """Give the first value of a Name or Description that says something."""
    for element in parent.iterfind(f"{_RIM}{name}/{_RIM}LocalizedString"):
        value = attribute(element, "value")
        if value is not None:
            return value
    return None


def _classifications(parent: etree._Element, scheme: str) -> Iterator[etree._Element]:
    for element in parent.iterfind(f"{_RIM}Classification"):
        if (attribute(element, "classificationScheme") or "").lower() == scheme:
            yield element


def _codes(parent: etree._Element, scheme: str) -> tuple[Coded, ...]:
    """Give the codes of a scheme; a classification without a code is none."""
    found = []
    for element in _classifications(parent, scheme):
        code = attribute(element, "nodeRepresentation")
        if code is not None:
            system = _slot(element, "codingScheme")
            display = _localized(element, "Name")
            found.append(Coded(code, system[0] if system else "", display or ""))
    return tuple(found)


def _authors(parent: etree._Element, scheme: str) -> tuple[Author, ...]:
    found = []
    for element in _classifications(parent, scheme):
        values = {field: _slot(element, slot) for field, slot in AUTHOR_SLOTS.items()}
        found.append(
            Author(
                person=values["person"][0] if values["person"] else None,
                institutions=values["institutions"],
                roles=values["roles"],
                specialties=values["specialties"],
            )
        )
    return tuple(found)


def _identifier(parent: etree._Element, scheme: str) -> str | None:
    """Give the value of the external identifier of a scheme."""
    for element in parent.iterfind(f"{_RIM}ExternalIdentifier"):
        if (attribute(element, "identificationScheme") or "").lower() == scheme:
            return attribute(element, "value")
    return None
