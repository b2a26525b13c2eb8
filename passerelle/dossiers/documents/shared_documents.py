"""What is looked at when documents are written: their bytes, what they replace, who is to know.

https://interop.esante.gouv.fr/ig/fhir/pdsm/st_ajout.html and
https://profiles.ihe.net/ITI/MHD/ITI-65.html . What a resource says by itself is checked before, by
``fhir.document_sharing``; here is what takes a look at the record, or at what comes along.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from passerelle.dossiers.documents import attached_bytes, intended_recipients, replacing
from passerelle.dossiers.documents.attached_bytes import Binaries
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.keeping import is_grave
from passerelle.errors.refusals import Issue, Unprocessable
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import Caller
from passerelle.store.contract import Put

LOOKED_AT = frozenset({"DocumentReference", "List"})
ACTORS = frozenset({"Practitioner", "PractitionerRole", "Organization", "Patient"})
HELD = LOOKED_AT | ACTORS | {"RelatedPerson", "Device"}
"""Types whose resources a bundle of documents needs at hand until it is decided."""


@dataclass(slots=True)
class Written:
    """What one commit writes: resources by key, Binaries with their bytes, all keys."""

    resources: dict[Key, Resource] = field(default_factory=dict)
    binaries: Binaries = field(default_factory=Binaries)

    def add(self, put: Put, resource: Resource, data: bytes | None) -> None:
        """Remember a write, as far as documents need it."""
        key = put.draft.key
        if key.type == "Binary":
            self.binaries.coming[key] = (put, data)
        elif key.type in HELD:
            self.resources[key] = resource


async def check(gateway: Gateway, caller: Caller, resource: Resource) -> tuple[Issue, ...]:
    """Give the warnings of a resource that is written by itself. Raises Unprocessable."""
    if resource["resourceType"] != "DocumentReference":
        return ()
    said = await issues(gateway, caller, resource, Written())
    if any(is_grave(one) for one in said):
        raise Unprocessable(*said)
    return tuple(said)


async def issues(
    gateway: Gateway, caller: Caller, resource: Resource, written: Written
) -> list[Issue]:
    """Give all there is to say of a checked document, submission set or folder."""
    if resource["resourceType"] not in LOOKED_AT:
        return []
    return [
        *await attached_bytes.check(gateway, caller, resource, written.binaries),
        *await replacing.check(gateway, caller, resource, written.resources),
        *await intended_recipients.check(gateway, caller, resource, written.resources),
    ]


async def superseded(
    gateway: Gateway,
    caller: Caller,
    documents: Mapping[int, Resource],
    written: Collection[Key],
) -> tuple[list[Put], list[tuple[int, Issue]]]:
    """Give the writes by which documents that are replaced go out of force, and what to say.

    ``documents`` are those of a bundle by entry, ``written`` all that it writes or deletes.
    """
    puts: dict[Key, Put] = {}
    said: list[tuple[int, Issue]] = []
    for index, document in documents.items():
        made = await replacing.replace(gateway, caller, document, written)
        puts |= made.superseded
        said += [(index, one) for one in made.issues]
    return list(puts.values()), said
