"""Writing METADATA.XML: an ebRIM 3.0 SubmitObjectsRequest in the order of the schemas.

IHE ITI TF-2 3.32 and TF-3 4.2.1 (https://profiles.ihe.net/ITI/TF/Volume3/ch-4.2.html). Children
of a RegistryObject stand in the order Slot*, Name, Description, VersionInfo, Classification*,
ExternalIdentifier*. Ids of inner objects are derived, so that the same value gives the same bytes.
"""

from collections.abc import Iterator
from uuid import UUID, uuid5

from lxml import etree

from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.mappers.xdm.xdm_schemes import (
    APPROVED,
    AUTHOR_SLOTS,
    ENTRY_AUTHOR,
    ENTRY_CODES,
    ENTRY_CONFIDENTIALITY,
    ENTRY_EVENT,
    ENTRY_MANDATORY,
    ENTRY_PATIENT_ID,
    ENTRY_SLOTS,
    ENTRY_UNIQUE_ID,
    HAS_MEMBER,
    LCM,
    OBJECT_TYPE,
    RIM,
    SET_AUTHOR,
    SET_CONTENT_TYPE,
    SET_MANDATORY,
    SET_MARKER,
    SET_PATIENT_ID,
    SET_SOURCE_ID,
    SET_UNIQUE_ID,
    STABLE_DOCUMENT,
)
from passerelle.mappers.xdm.xds_metadata import (
    Author,
    Coded,
    DocumentEntry,
    Submission,
    SubmissionSet,
)
from passerelle.mappers.xml_writing import child, demand_writable, dump

_INNER_IDS = UUID("2ff7b9a1-5b0c-5f0e-9a8e-5d0d4c1f5a11")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def write(submission: Submission) -> bytes:
    """Write METADATA.XML.

    Raises Unprocessable with all that is missing at once (xdm.metadata-missing, xdm.no-entry),
    and for characters that XML cannot carry (xml.character).
    """
    issues = list(_missing(submission))
    if issues:
        raise Unprocessable(*issues)
    demand_writable(submission, "Submission")
    root: etree._Element = etree.Element(
        f"{{{LCM}}}SubmitObjectsRequest", nsmap={"lcm": LCM, "rim": RIM}
    )
    objects: etree._Element = etree.SubElement(root, f"{{{RIM}}}RegistryObjectList")
    _write_set(objects, submission.submission_set)
    for entry in submission.entries:
        _write_entry(objects, entry)
    for entry in submission.entries:
        _write_membership(objects, submission.submission_set.entry_uuid, entry.entry_uuid)
    return dump(root)


def _missing(submission: Submission) -> Iterator[Issue]:
    for field, name in SET_MANDATORY.items():
        if not getattr(submission.submission_set, field):
            yield issue("xdm.metadata-missing", f"SubmissionSet.{name}", name=name)
    if not submission.entries:
        yield issue("xdm.no-entry", "Submission.entry")
    for number, entry in enumerate(submission.entries):
        for field, name in ENTRY_MANDATORY.items():
            if getattr(entry, field) in (None, "", ()):
                place = f"DocumentEntry[{number}].{name}"
                yield issue("xdm.metadata-missing", place, name=name)


class _RegistryObject:
    """One RegistryPackage or ExtrinsicObject being written, which its inner objects point to."""

    def __init__(self, element: etree._Element, uuid: str) -> None:
        self.element = element
        self.uuid = uuid
        self._inner = 0

    def inner_id(self) -> str:
        """Give the next id, which depends on the object's id and on how many came before."""
        self._inner += 1
        return f"urn:uuid:{uuid5(_INNER_IDS, f'{self.uuid}#{self._inner}')}"

    def slot(self, name: str, *values: str | None) -> None:
        """Write a slot with the values that are there; none, no slot."""
        _write_slot(self.element, name, *values)

    def names(self, title: str | None, comments: str | None) -> None:
        """Write Name and Description."""
        for tag, text in (("Name", title), ("Description", comments)):
            if text:
                _write_localized(self.element, tag, text)

    def code(self, scheme: str, code: Coded | None) -> None:
        """Write a coded classification."""
        if code is None:
            return
        element = self._classification(scheme, code.code)
        _write_slot(element, "codingScheme", code.system)
        if code.display:
            _write_localized(element, "Name", code.display)

    def author(self, scheme: str, author: Author) -> None:
        """Write an author's classification."""
        element = self._classification(scheme, "")
        for field, slot in AUTHOR_SLOTS.items():
            value = getattr(author, field)
            _write_slot(element, slot, *((value,) if isinstance(value, str | None) else value))

    def marker(self, node: str) -> None:
        """Write the classification that tells what a RegistryPackage is."""
        attributes = {
            "id": self.inner_id(),
            "objectType": f"{OBJECT_TYPE}Classification",
            "classifiedObject": self.uuid,
            "classificationNode": node,
        }
        child(self.element, "Classification", attributes)

    def identifier(self, scheme: str, name: str, value: str | None) -> None:
        """Write an external identifier."""
        attributes = {
            "id": self.inner_id(),
            "objectType": f"{OBJECT_TYPE}ExternalIdentifier",
            "registryObject": self.uuid,
            "identificationScheme": scheme,
            "value": value,
        }
        _write_localized(child(self.element, "ExternalIdentifier", attributes), "Name", name)

    def _classification(self, scheme: str, node: str) -> etree._Element:
        attributes = {
            "id": self.inner_id(),
            "objectType": f"{OBJECT_TYPE}Classification",
            "classificationScheme": scheme,
            "classifiedObject": self.uuid,
        }
        element = child(self.element, "Classification", attributes)
        element.set("nodeRepresentation", node)
        return element


def _write_set(objects: etree._Element, found: SubmissionSet) -> None:
    attributes = {
        "id": found.entry_uuid,
        "objectType": f"{OBJECT_TYPE}RegistryPackage",
        "status": APPROVED,
    }
    package = _RegistryObject(child(objects, "RegistryPackage", attributes), found.entry_uuid)
    package.slot("submissionTime", found.submission_time)
    package.names(found.title, found.comments)
    package.marker(SET_MARKER)
    for author in found.authors:
        package.author(SET_AUTHOR, author)
    package.code(SET_CONTENT_TYPE, found.content_type)
    package.identifier(SET_PATIENT_ID, "XDSSubmissionSet.patientId", found.patient_id)
    package.identifier(SET_SOURCE_ID, "XDSSubmissionSet.sourceId", found.source_id)
    package.identifier(SET_UNIQUE_ID, "XDSSubmissionSet.uniqueId", found.unique_id)


def _write_entry(objects: etree._Element, entry: DocumentEntry) -> None:
    attributes = {
        "id": entry.entry_uuid,
        "lid": entry.logical_id,
        "objectType": STABLE_DOCUMENT,
        "status": APPROVED,
        "mimeType": entry.mime_type,
    }
    found = _RegistryObject(child(objects, "ExtrinsicObject", attributes), entry.entry_uuid)
    for field, slot in ENTRY_SLOTS.items():
        value = getattr(entry, field)
        found.slot(slot, None if value is None else str(value))
    found.slot("sourcePatientInfo", *entry.source_patient_info)
    found.names(entry.title, entry.comments)
    for author in entry.authors:
        found.author(ENTRY_AUTHOR, author)
    for field, scheme in ENTRY_CODES.items():
        found.code(scheme, getattr(entry, field))
    for label in entry.confidentiality:
        found.code(ENTRY_CONFIDENTIALITY, label)
    for event in entry.events:
        found.code(ENTRY_EVENT, event)
    found.identifier(ENTRY_PATIENT_ID, "XDSDocumentEntry.patientId", entry.patient_id)
    found.identifier(ENTRY_UNIQUE_ID, "XDSDocumentEntry.uniqueId", entry.unique_id)


def _write_membership(objects: etree._Element, source: str, target: str) -> None:
    attributes = {
        "id": f"urn:uuid:{uuid5(_INNER_IDS, f'{source}>{target}')}",
        "objectType": f"{OBJECT_TYPE}Association",
        "associationType": HAS_MEMBER,
        "sourceObject": source,
        "targetObject": target,
    }
    _write_slot(child(objects, "Association", attributes), "SubmissionSetStatus", "Original")


def _write_slot(parent: etree._Element, name: str, *values: str | None) -> None:
    present = [value for value in values if value]
    if present:
        listed = child(child(parent, "Slot", {"name": name}), "ValueList")
        for value in present:
            child(listed, "Value", text=value)


def _write_localized(parent: etree._Element, tag: str, text: str) -> None:
    element = child(child(parent, tag), "LocalizedString", {"charset": "UTF-8", "value": text})
    element.set(_LANG, "fr-FR")
