"""A document to and from DocumentReference (PDSm 3.1.1) and its Binaries.

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-comprehensive-document-reference.html
. PDSm wants one content: further files stand on DocumentReferences that append to the first. The
contained patient and author only name: a correction of the identity changes no document.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from uuid import UUID

from passerelle.fhir.document_sharing import pdsm_rules
from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PDSM
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import KIND_TYPES, Naming, own_uuid, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import (
    documents_files,
    documents_folders,
    structures_organization,
)
from passerelle.mappers.resources.audience_labels import (
    audience_extensions,
    labels,
    native_audience,
)
from passerelle.mappers.resources.code_systems import URIS
from passerelle.mappers.resources.documents_defaults import (
    default_category,
    default_concept,
    default_format,
    mandatory_date,
)
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    codeable,
    extensions,
    filled,
    is_supplied,
    native_code,
    native_coding,
    own,
    own_value,
    pick,
    supplied,
    value_of,
)
from passerelle.mappers.resources.patient_resource import LOCAL

PROFILE = PDSM + "pdsm-comprehensive-document-reference"
ARCHIVED = PDSM + "pdsm-ext-is-archived"

_BARE_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_OID = "urn:oid:"

Made = tuple[Resource, Literal["primary", "supporting"], bytes | None]


def to_fhir(document: Mapping[str, Any], entries: Entries) -> Iterator[Made]:
    """Make the Binaries and DocumentReferences of a document; the first of these is primary."""
    context = entries.to("documents", document["key"])
    for index in range(len(document["files"])):
        kept = documents_files.binary(document, index, entries.names, context)
        if kept:
            yield kept[0], "supporting", kept[1]
        made = _reference(document, index, entries)
        yield made, "supporting" if index else "primary", None


def from_fhir(reading: Reading, open_blob: Callable[[str], bytes] | None) -> list[Entry]:
    """Read all documents, each with the files of the references that append to it."""
    folders = documents_folders.folder_names(reading)
    return [
        _native(key, [entry, *_appended(entry, reading)], reading, folders, open_blob)
        for key, entry in reading.entries("documents", "DocumentReference")
    ]


def _reference(document: Mapping[str, Any], index: int, entries: Entries) -> Resource:
    names, members, key = entries.names, entries.members, document["key"]
    first = names.identifier("documents", key)
    identifier = documents_files.identifier(names, key, index) if index else first
    by_person = document["author"] == PERSON
    made = filled(
        {
            **resource(names, "DocumentReference", identifier, PROFILE, tagged=True),
            "contained": _contained(document["author"], entries),
            "extension": _extensions(document, entries),
            "masterIdentifier": _unique_id(document, identifier, index),
            "identifier": [identifier],
            "status": document["status"],
            "type": codeable(document["type"]),
            "category": [
                codeable(document.get("category"))
                or default_category(document["type"].get("code"), by_person=by_person)
            ],
            "subject": members.to(PERSON),
            **mandatory_date(document),
            "author": [_author(document["author"], entries)],
            "custodian": entries.custodian,
            "relatesTo": _relations(document, index, entries),
            "description": document.get("description"),
            "securityLabel": _labels(document, by_person=by_person),
            "content": [_content(document, index, entries)],
            "context": _context(document, index, entries),
        }
    )
    if document["status"] == "entered-in-error" or not pdsm_rules.conforms(made, PROFILE):
        del made["meta"]["profile"]  # the source's own codes, or a status that PDSm does not have
    return made


def _native(
    key: str,
    holders: list[Resource],
    reading: Reading,
    folders: Mapping[str, str],
    open_blob: Callable[[str], bytes] | None,
) -> Entry:
    entry = holders[0]
    contents: list[Element] = [next(iter(holder.get("content", ())), {}) for holder in holders]
    attachment, context = contents[0].get("attachment", {}), entry.get("context", {})
    period = context.get("period", {})
    archived = value_of(next(iter(extensions(entry, ARCHIVED)), None))
    return filled(
        {
            "key": key,
            "uniqueId": _native_unique_id(entry.get("masterIdentifier")),
            "title": attachment.get("title"),
            "type": native_code(entry.get("type")),
            "category": native_code(next(iter(entry.get("category", ())), None)),
            "formatCode": native_coding(contents[0].get("format")),
            "folder": folders.get(f"{entry['resourceType']}/{entry['id']}")
            or own_value(entry, "document-folder"),  # as records had it before there were Lists
            "createdAt": attachment.get("creation"),
            "depositedAt": None if is_supplied(entry.get("_date")) else entry.get("date"),
            "author": _native_author(next(iter(entry.get("author", ())), {}), reading),
            "depositor": reading.member(own_value(entry, "depositor")),
            "act": None if is_supplied(period) else pick(period, "start", "end"),
            "setting": native_code(context.get("practiceSetting")),
            "sector": native_code(context.get("facilityType")),
            "description": entry.get("description"),
            "status": entry["status"],
            "archived": archived,
            "replaces": _native_replaced(entry, reading),
            "audience": native_audience(_native_labels(entry), entry, reading),
            "origin": own_value(entry, "document-origin"),
            "files": [
                documents_files.native_file(content.get("attachment", {}), open_blob)
                for content in contents
            ],
        }
    )


def _contained(author: str, entries: Entries) -> list[Resource]:
    local = entries.members.references[PERSON]["identifier"]
    patient = {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"use": "usual", "type": LOCAL, **local}],
    }
    if author == PERSON:
        return [patient]
    member = entries.circle[author]
    contained: Resource = {
        "resourceType": KIND_TYPES[member["kind"]],
        "id": "author",
        "identifier": [entries.names.identifier("circle", author)],
    }
    if member["kind"] == "professional":
        contained["practitioner"] = entries.practitioner(author)
        structure = member["professional"].get("structure")
        if structure:
            contained["organization"] = structures_organization.reference(structure, entries.names)
    elif member["kind"] == "structure":
        # PDSm admits no Organization as an author: a role in it, held by nobody named.
        contained["resourceType"] = "PractitionerRole"
        contained["organization"] = structures_organization.reference(
            member["structure"], entries.names
        )
    else:
        contained["patient"] = {"reference": "#patient"}
    return [contained, patient]


def _author(author: str, entries: Entries) -> Element:
    if author == PERSON:
        return {"reference": "#patient"}
    identifier = entries.names.identifier("circle", author)
    return {
        "reference": "#author",
        "identifier": identifier,
        "display": entries.members.displays[author],
    }


def _native_author(author: Mapping[str, Any], reading: Reading) -> str | None:
    return PERSON if author.get("reference") == "#patient" else reading.member(author)


def _extensions(document: Mapping[str, Any], entries: Entries) -> list[Element]:
    origin, depositor = document.get("origin"), document.get("depositor")
    archived = document.get("archived")
    return [
        *([{"url": ARCHIVED, "valueBoolean": archived}] if archived is not None else ()),
        *([own("document-origin", valueCode=origin)] if origin else ()),
        *([own("depositor", valueReference=entries.members.to(depositor))] if depositor else ()),
        *audience_extensions(document.get("audience"), entries.members),
    ]


def _unique_id(document: Mapping[str, Any], identifier: Mapping[str, str], index: int) -> Element:
    """Give the XDS uniqueId: as stated, or an OID of the deterministic UUID (2.25)."""
    stated = None if index else document.get("uniqueId")
    if stated is None:
        uuid: UUID = own_uuid("DocumentReference", identifier["system"], identifier["value"])
        return {
            "extension": supplied(),
            "use": "usual",
            "system": URIS,
            "value": f"{_OID}2.25.{uuid.int}",
        }
    if _BARE_OID.fullmatch(stated):
        prefix = {"_value": {"extension": supplied()}}
        return {"use": "usual", "system": URIS, "value": _OID + stated, **prefix}
    return filled(
        {"use": "usual", "system": URIS if stated.startswith("urn:") else None, "value": stated}
    )


def _native_unique_id(identifier: Mapping[str, Any] | None) -> str | None:
    if not identifier or is_supplied(identifier):
        return None
    value = identifier.get("value")
    return value.removeprefix(_OID) if value and is_supplied(identifier.get("_value")) else value


def _relations(document: Mapping[str, Any], index: int, entries: Entries) -> list[Element]:
    if index:
        return [{"code": "appends", "target": entries.to("documents", document["key"])}]
    if "replaces" in document:
        return [{"code": "replaces", "target": entries.to("documents", document["replaces"])}]
    return []


def _native_replaced(entry: Resource, reading: Reading) -> str | None:
    targets = (rel["target"] for rel in entry.get("relatesTo", ()) if rel["code"] == "replaces")
    return reading.entry("documents", next(targets, None))


def _labels(document: Mapping[str, Any], *, by_person: bool) -> list[Element]:
    audience = document.get("audience", {})
    stated = [{"coding": [coding]} for coding in labels(audience)]
    if "confidentiality" in audience:
        return stated
    return [default_concept("confidentiality", by_person=by_person), *stated]


def _native_labels(entry: Resource) -> list[Element]:
    stated = (label for label in entry.get("securityLabel", ()) if not is_supplied(label))
    return [coding for label in stated for coding in label.get("coding", ())]


def _content(document: Mapping[str, Any], index: int, entries: Entries) -> Element:
    file = document["files"][index]
    stated = document.get("formatCode")
    return {
        "attachment": documents_files.attachment(document, index, entries.names),
        "format": pick(stated, "system", "code", "display")
        if stated
        else default_format(file["mimeType"]),
    }


def _context(document: Mapping[str, Any], index: int, entries: Entries) -> Element:
    by_person = document["author"] == PERSON
    further = range(1, 1 if index else len(document["files"]))
    act = document.get("act")
    context: Element = {
        "period": act or {"extension": supplied(), "start": document["createdAt"]},
        "facilityType": codeable(document.get("sector"))
        or default_concept("sector", by_person=by_person),
        "practiceSetting": codeable(document.get("setting"))
        or default_concept("setting", by_person=by_person),
        "sourcePatientInfo": {"reference": "#patient"},
        "related": [_further(document["key"], other, entries.names) for other in further],
    }
    return filled(context)


def _further(key: str, index: int, names: Naming) -> Element:
    """Give a reference to the DocumentReference of a further file."""
    identifier = documents_files.identifier(names, key, index)
    return {
        "reference": str(names.key("DocumentReference", identifier)),
        "identifier": identifier,
    }


def _appended(entry: Resource, reading: Reading) -> list[Resource]:
    """Give the references that hold the further files, in order; those that it names only."""
    related = entry.get("context", {}).get("related", ())
    found = (reading.target(reference) for reference in related)
    return [one for one in found if one and one["resourceType"] == "DocumentReference"]
