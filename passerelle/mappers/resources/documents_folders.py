"""The folders of a dossier's documents to and from List (PDSm folder).

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-folder-comprehensive.html : one
List for each name in a dossier; which documents it holds is said by the List alone. A push speaks
of some documents only: of the others, and of what is none of the dossier's own, the entries stay.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from passerelle.fhir.document_sharing.pdsm_profiles import DESIGNATION_TYPE, FOLDER, LIST_TYPES
from passerelle.fhir.resource import Resource
from passerelle.mappers.document_codes import CONTENT_TYPE_ELSE
from passerelle.mappers.native.dossier import PERSON, Entry
from passerelle.mappers.native.dossier_naming import Naming, own_uuid, resource
from passerelle.mappers.native.dossier_reading import Reading
from passerelle.mappers.resources.code_systems import URIS
from passerelle.mappers.resources.documents_defaults import mandatory_date
from passerelle.mappers.resources.entry_references import Entries
from passerelle.mappers.resources.fhir_elements import Element, supplied

SECTION = "folders"
"""The identifier domain of the Lists; no section of the form."""


def to_fhir(
    documents: Sequence[Entry], entries: Entries, standing: Sequence[Resource]
) -> Iterator[tuple[str, Resource]]:
    """Make (name, List) of every folder that those documents are in, or are no longer in.

    ``standing`` are the Lists of the dossier as the record has them. A folder that has lost its
    last document is retired: PDSm wants one document at least.
    """
    there = {name: held for held in standing if (name := _name(held, entries.names)) is not None}
    stated = {_reference(entries, document): document for document in documents}
    filed: dict[str, dict[str, Entry]] = {}
    for reference, one in stated.items():
        if "folder" in one:
            filed.setdefault(one["folder"], {})[reference] = one
    for name in dict.fromkeys((*there, *filed)):
        held = there.get(name)
        before = _items(held)
        kept = [
            item
            for item in before
            if (document := stated.get(str(item.get("reference")))) is None
            or document.get("folder") == name
        ]
        references = {item.get("reference") for item in kept}
        stays = filed.get(name, {})
        added = [one for where, one in stays.items() if where not in references]
        items = kept + [entries.to("documents", document["key"]) for document in added]
        if stays or (held is not None and held.get("status") == "current"):
            date = _date(held, added, changed=items != before)
            yield name, _folder(name, items, date, entries, held)


def folder_names(reading: Reading) -> Mapping[str, str]:
    """Give the folder of each document, by its address; of several the first by name."""
    found: dict[str, str] = {}
    lists = ((_name(held, reading.names), held) for held in reading.of_type("List"))
    current = [(n, held) for n, held in lists if n is not None and held.get("status") == "current"]
    for name, held in sorted(current, key=lambda pair: pair[0]):
        for item in _items(held):
            found.setdefault(str(item.get("reference")), name)
    return found


def _folder(
    name: str, items: list[Element], date: str, entries: Entries, held: Resource | None
) -> Resource:
    """Make a List; what somebody else wrote on the one that is there stays."""
    identifier = entries.names.identifier(SECTION, name)
    made = resource(entries.names, "List", identifier, FOLDER if items else None, tagged=True)
    stood = {k: v for k, v in (held or {}).items() if k not in ("id", "meta", "entry")}
    return {
        **made,
        **_constant(name, identifier),
        **stood,
        "status": "current" if items else "retired",
        "subject": entries.members.to(PERSON),
        "date": date,
        **({"entry": [{"item": item} for item in items]} if items else {}),
    }


def _constant(name: str, identifier: Element) -> Element:
    """Give what a folder says from its first day on."""
    uuid = own_uuid("List", identifier["system"], identifier["value"])
    activity = {
        "system": CONTENT_TYPE_ELSE.system,
        "code": CONTENT_TYPE_ELSE.code,
        "display": CONTENT_TYPE_ELSE.display,
    }
    concept = {"extension": supplied(), "coding": [activity]}
    unique = {"use": "usual", "system": URIS, "value": f"urn:oid:2.25.{uuid.int}"}
    return {
        "extension": [{"url": DESIGNATION_TYPE, "valueCodeableConcept": concept}],
        "identifier": [identifier, unique],
        "status": "current",
        "mode": "working",
        "title": name,
        "code": {"coding": [{"system": LIST_TYPES, "code": "folder"}]},
    }


def _date(held: Resource | None, added: Sequence[Entry], *, changed: bool) -> str:
    """Give when the folder was last filled: as it stands, unless something was added."""
    dates = [str(mandatory_date(document)["date"]) for document in added]
    if held is not None and held.get("date"):
        dates.append(held["date"])
    return max(dates, key=_moment) if changed or held is None else str(held["date"])


def _moment(text: str) -> datetime:
    """Read a date for comparison; one that somebody else wrote may be less than an instant."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _name(held: Mapping[str, Any], names: Naming) -> str | None:
    """Read the native name of a folder from its identifier; None of another List."""
    keys = (names.entry_key(SECTION, one) for one in held.get("identifier", ()))
    return next((key for key in keys if key is not None), None)


def _items(held: Mapping[str, Any] | None) -> list[Element]:
    return [one["item"] for one in (held or {}).get("entry", ()) if "item" in one]


def _reference(entries: Entries, document: Entry) -> str:
    return str(entries.to("documents", document["key"])["reference"])
