"""What an entry made before and does not make now is ended: never left as if it still stood.

A push replaces an entry, and an entry may have supporting resources: the warnings of an alert, the
scores of a form, the further files of a document (docs/decisions/2611-what-an-entry-made-ends.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from passerelle.dossiers import keeping
from passerelle.dossiers.exchange.push_plan import Made
from passerelle.dossiers.gateway import Gateway
from passerelle.fhir import json_text
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier_naming import Naming
from passerelle.store.contract import Put, Version


class Ending(NamedTuple):
    """The status that a resource ends with, and those that have ended already."""

    status: str
    ended: tuple[str, ...] = ()


ENDINGS: Mapping[str, Ending] = {
    "Communication": Ending("entered-in-error"),
    "CommunicationRequest": Ending("revoked", ("completed", "entered-in-error")),
    "DocumentReference": Ending("entered-in-error"),
    "Observation": Ending("entered-in-error", ("cancelled",)),
}
"""Types of supporting resources that have a status. A Binary has none, and needs none: it is
reached through the DocumentReference alone.
"""


def endings(
    gateway: Gateway, tagged: Sequence[Version], names: Naming, made: Sequence[Made]
) -> list[Made]:
    """Give the ends of what supported the entries of ``made`` in the record and is not made again.

    ``tagged`` are the heads of the dossier's own resources. What is ended already is left alone.
    """
    keys = {one.put.draft.key for one in made}
    entries = {(one.section, one.key) for one in made}
    return [
        _ended(gateway, head, resource, entry)
        for head in tagged
        if head.key.type in ENDINGS and head.key not in keys
        for resource in (json_text.decode(head.body or b"{}"),)
        for entry in _supported(resource, names)
        if entry in entries and not _is_over(resource)
    ]


def _supported(resource: Resource, names: Naming) -> Iterator[tuple[str, str]]:
    """Give the entry that a resource supports, by its identifier."""
    found = (names.supported(identifier) for identifier in resource.get("identifier", ()))
    yield from [entry for entry in found if entry is not None][:1]


def _is_over(resource: Resource) -> bool:
    ending = ENDINGS[resource["resourceType"]]
    return resource.get("status") in (ending.status, *ending.ended)


def _ended(gateway: Gateway, head: Version, resource: Resource, entry: tuple[str, str]) -> Made:
    """Make the end of one; of a document it claims no profile, as none admits that status."""
    ended = {**resource, "status": ENDINGS[head.key.type].status}
    if head.key.type == "DocumentReference":
        ended["meta"] = {name: v for name, v in ended["meta"].items() if name != "profile"}
    draft = keeping.draft(head.key, ended, registry=gateway.store.parameters.registry)
    put = Put(draft, beside=head.version)
    return Made(*entry, "supporting", ended, put, head, None)
