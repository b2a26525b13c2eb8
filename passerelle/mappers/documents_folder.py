"""The folders of a dossier's documents to and from List (pdsm-folder-comprehensive).

https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition-pdsm-folder-comprehensive.html . One
List for each folder name; where a document stands is read from the Lists alone.
"""

from collections.abc import Iterator

from passerelle.fhir.resource import Resource
from passerelle.fhir.urls import PDSM
from passerelle.mappers.code_systems import MHD_LIST_TYPES
from passerelle.mappers.documents_defaults import mandatory_date
from passerelle.mappers.dossier import PERSON, Dossier, Entry
from passerelle.mappers.dossier_naming import resource
from passerelle.mappers.dossier_reading import Reading
from passerelle.mappers.entry_references import Entries

PROFILE = PDSM + "pdsm-folder-comprehensive"
DESIGNATION = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType"


def to_fhir(dossier: Dossier, entries: Entries) -> Iterator[Resource]:
    """Make one List for each folder name, holding the documents that stand in it."""
    held: dict[str, list[Entry]] = {}
    for document in dossier.section("documents"):
        if "folder" in document:
            held.setdefault(document["folder"], []).append(document)
    for title, documents in held.items():
        identifier = entries.names.identifier("folders", title)
        yield {
            **resource(entries.names, "List", identifier, PROFILE, tagged=True),
            "extension": [{"url": DESIGNATION, "valueCodeableConcept": {"text": title}}],
            "identifier": [identifier],
            "status": "current",
            "mode": "working",
            "title": title,
            "code": {"coding": [{"system": MHD_LIST_TYPES, "code": "folder"}]},
            "subject": entries.members.to(PERSON),
            **mandatory_date(documents[0]),
            "entry": [{"item": entries.to("documents", entry["key"])} for entry in documents],
        }


def folder_titles(reading: Reading) -> dict[str, str]:
    """Read the folder of each document, by its key; the first List that holds it counts."""
    titles: dict[str, str] = {}
    for _, folder in reading.entries("folders", "List"):
        for entry in folder.get("entry", ()):
            key = reading.entry("documents", entry.get("item"))
            if key is not None:
                titles.setdefault(key, folder["title"])
    return titles
