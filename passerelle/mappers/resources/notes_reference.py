"""A note of the liaison notebook to and from DocumentReference (CdL 3.0.0) and its Binaries.

https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition-cdl-document-reference.html . Its
text is the first content, its files are the others. The profile admits one visibility label: of
several the strictest goes out, and ``meta.security`` holds them all, so that they are enforced.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import CDL
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import Naming, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources import documents_files, structures_organization
from passerelle.mappers.resources.audience_labels import (
    audience_extensions,
    labels,
    native_audience,
)
from passerelle.mappers.resources.code_systems import TRE_A07, TRE_R234
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import (
    Element,
    extensions,
    filled,
    is_supplied,
    own_of,
    parts,
    parts_of,
    supplied,
    value_of,
)

PROFILE = CDL + "cdl-document-reference"
URGENT = CDL + "cdl-ext-is-emergency"
TEXT = "text/plain"

KINDS = {
    "GEN": "Note générale",
    "OBS": "Observation",
    "INTERV": "Intervention",
    "INST": "Instruction",
    "DEM-AVIS": "Demande d'avis",
}
"""Code of TRE_R234 to what it is called."""

STRICTEST_FIRST = (
    "MASQUE_PS",
    "MASQUE_PSOCIAL",
    "MASQUE_PT",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REPRESENTANTS_LEGAUX",
)
"""Codes of TRE_A07: those that hide from most readers first."""

Made = tuple[Resource, Literal["primary", "supporting"], bytes | None]


def to_fhir(note: Mapping[str, Any], entries: Entries) -> Iterator[Made]:
    """Make the Binaries and the DocumentReference of a note."""
    context = entries.to("notes", note["key"])
    for index, file in enumerate(note.get("files", ())):
        named = file_identifier(entries.names, note["key"], index)
        kept = documents_files.file_binary(file, named, entries.names, context)
        if kept:
            yield kept[0], "supporting", kept[1]
    yield _reference(note, entries), "primary", None


def from_fhir(reading: Reading, open_blob: Callable[[str], bytes] | None) -> list[Entry]:
    """Read all notes."""
    return [
        _native(key, entry, reading, open_blob)
        for key, entry in reading.entries("notes", "DocumentReference")
    ]


def _reference(note: Mapping[str, Any], entries: Entries) -> Resource:
    names, members, audience = entries.names, entries.members, note.get("audience")
    identifier = names.identifier("notes", note["key"])
    made = resource(names, "DocumentReference", identifier, PROFILE, tagged=True)
    label, further = _labels(audience)
    reply_to = note.get("replyTo")
    urgent = note.get("urgent")
    return filled(
        {
            **made,
            "meta": filled({**made["meta"], "security": further}),
            "extension": [
                *([] if urgent is None else [{"url": URGENT, "valueBoolean": urgent}]),
                *(_read(one, entries) for one in note.get("readBy", ())),
                *audience_extensions(audience, members),
            ],
            "masterIdentifier": identifier,
            "identifier": [identifier],
            **_status(note),
            "type": {"coding": [_kind(note["kind"])]},
            "subject": members.to(PERSON),
            "date": note["createdAt"],
            "author": _authors(note["author"], entries),
            "relatesTo": (
                [{"code": "appends", "target": entries.to("notes", reply_to)}] if reply_to else None
            ),
            "securityLabel": [{"coding": [label]}] if label else None,
            "content": list(_contents(note, names)),
        }
    )


def _native(
    key: str, entry: Resource, reading: Reading, open_blob: Callable[[str], bytes] | None
) -> Entry:
    text, files = text_and_files(entry)
    members = (reading.member(author) for author in entry.get("author", ()))
    return filled(
        {
            "key": key,
            "kind": _native_kind(entry.get("type", {})),
            "title": text.get("title"),
            "text": b64decode(text.get("data", "")).decode(),
            "urgent": value_of(next(iter(extensions(entry, URGENT)), None)),
            "author": next((member for member in members if member), None),
            "createdAt": entry.get("date"),
            "editedAt": text.get("creation"),
            "replyTo": _native_parent(entry, reading),
            "audience": native_audience(_native_labels(entry), entry, reading),
            "status": None if is_supplied(entry.get("_status")) else entry["status"],
            "files": [documents_files.native_file(one, open_blob) for one in files],
            "readBy": [
                filled({"member": reading.member(told.get("member")), "at": told.get("at")})
                for told in map(parts_of, own_of(entry, "note-read"))
            ],
        }
    )


def text_and_files(entry: Mapping[str, Any]) -> tuple[Element, list[Element]]:
    """Give the attachment of the text of a note, and those of its files in order.

    The text is plain text that came inline, else whatever did; empty when nothing did.
    """
    attachments = [content.get("attachment", {}) for content in entry.get("content", ())]
    inline = [one for one in attachments if "data" in one]
    plain = (one for one in inline if one.get("contentType", "").startswith(TEXT))
    text: Element = next(plain, next(iter(inline), {}))
    return text, [one for one in attachments if one is not text]


def _status(note: Mapping[str, Any]) -> Element:
    if "status" in note:
        return {"status": note["status"]}
    return {"status": "current", "_status": {"extension": supplied()}}


def file_identifier(names: Naming, key: str, index: int) -> Element:
    """Give the identifier of a file of a note: documents have keys of their own."""
    return names.identifier("note-files", key, str(index))


def _kind(code: str) -> Element:
    return {"system": TRE_R234, "code": code, "display": KINDS[code]}


def _native_kind(concept: Mapping[str, Any]) -> str | None:
    stated = (c.get("code") for c in concept.get("coding", ()) if c.get("system") == TRE_R234)
    return next(stated, None)


def _authors(author: str, entries: Entries) -> list[Element]:
    """Name the author, and what an author is searched by: the guide's example gives both.

    A professional is the Practitioner and the role; a structure is the Organization that bears the
    national identifiers and the member.
    """
    found = entries.members.to(author) or {}
    member = entries.circle.get(author)
    if member is None or member["kind"] == "relative":
        return [found]
    found["display"] = entries.members.displays[author]
    if member["kind"] == "professional":
        return [entries.practitioner(author), found]
    return [structures_organization.reference(member["structure"], entries.names), found]


def _read(one: Mapping[str, Any], entries: Entries) -> Element:
    member = entries.members.to(one["member"])
    told = parts(
        "note-read", {"member": ("valueReference", member), "at": ("valueInstant", one["at"])}
    )
    assert told is not None
    return told


def _labels(audience: Mapping[str, Any] | None) -> tuple[Element | None, list[Element]]:
    """Give the one label of the profile, and all labels where it cannot say everything."""
    stated = labels(audience)
    hidden = sorted(
        (one for one in stated if one["system"] == TRE_A07),
        key=lambda one: STRICTEST_FIRST.index(one["code"]),
    )
    label = hidden[0] if hidden else None
    return label, stated if stated != hidden[:1] else []


def _native_labels(entry: Resource) -> list[Element]:
    """Give the labels of ``meta.security``, and the profile's where it is not among them."""
    held = list(entry.get("meta", {}).get("security", ()))
    known = {(one.get("system"), one.get("code")) for one in held}
    shown = (c for label in entry.get("securityLabel", ()) for c in label.get("coding", ()))
    return held + [one for one in shown if (one.get("system"), one.get("code")) not in known]


def _native_parent(entry: Resource, reading: Reading) -> str | None:
    targets = (one.get("target") for one in entry.get("relatesTo", ()) if one["code"] == "appends")
    return reading.entry("notes", next(targets, None))


def _contents(note: Mapping[str, Any], names: Naming) -> Iterator[Element]:
    data = note["text"].encode()
    text = {
        "contentType": TEXT,
        "data": b64encode(data).decode(),
        "size": len(data),
        "hash": documents_files.sha1_of(data),
        "title": note.get("title"),
        "creation": note.get("editedAt"),
    }
    yield {"attachment": filled(text)}
    for index, file in enumerate(note.get("files", ())):
        named = file_identifier(names, note["key"], index)
        yield {"attachment": documents_files.file_attachment(file, named, names)}
