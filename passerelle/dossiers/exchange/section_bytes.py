"""Which Binaries the entries of some sections open: bytes are read for what is asked only.

https://hl7.org/fhir/R4/binary.html . Documents and notes are both DocumentReferences: the domain
of their identifier tells them apart.
"""

from collections.abc import Collection, Iterator
from typing import Any

from passerelle.dossiers.exchange.dossier_record import DossierRecord, resource_of
from passerelle.store.contract import Version

NOTES, DOCUMENTS = "notes", "documents"


def binaries_of(record: DossierRecord, sections: Collection[str]) -> list[Version]:
    """Give the Binaries that entries of these sections name, none for sections without files."""
    wanted = {NOTES, DOCUMENTS}.intersection(sections)
    if not wanted:
        return []
    opened = {
        url
        for version in record.versions
        if version.key.type == "DocumentReference"
        for url in _opened(resource_of(version), wanted)
    }
    return [
        version
        for version in record.versions
        if version.key.type == "Binary" and str(version.key) in opened
    ]


def _opened(reference: dict[str, Any], wanted: Collection[str]) -> Iterator[str]:
    """Give the addresses of the files of a DocumentReference that is of a wanted section."""
    systems = (str(one.get("system", "")) for one in reference.get("identifier", ()))
    of_notes = any(system.endswith(f"/{NOTES}") for system in systems)
    if (NOTES if of_notes else DOCUMENTS) in wanted:
        for content in reference.get("content", ()):
            yield content.get("attachment", {}).get("url", "")
