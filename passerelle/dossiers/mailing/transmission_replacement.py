"""A document that replaces another: which one, of which set, as what version.

A replacement by mail says so in the CDA (``relatedDocument[@typeCode='RPLC']``) and in the
metadata (action C); sent as a new document it would stand beside the one that it corrects. Volet
« transmission de documents CDA par courriel MSS »; https://hl7.org/fhir/R4/documentreference.html
(relatesTo).
"""

from typing import NamedTuple

from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Gone, NotFound, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.mappers.cda.cda_document import InstanceIdentifier
from passerelle.mappers.cda.cda_from_fhir import document_id

CHAIN_MAX = 100
"""Versions of one document; more is a chain that bites its own tail."""

PLACE = "DocumentReference.relatesTo"


class Replaced(NamedTuple):
    """The document that is replaced: its id, the id that names its set, its version."""

    id: InstanceIdentifier
    set_id: InstanceIdentifier
    version: int


async def replaced_document(repository: Repository, reference: Resource) -> Replaced | None:
    """Give the document that a DocumentReference replaces, or None when it replaces none.

    The first of the chain names the set. Raises Unprocessable (sending.replacement-unknown) when
    it replaces several, or one that is not here or has no identifier, or itself.
    """
    newest: InstanceIdentifier | None = None
    first: InstanceIdentifier | None = None
    length, current = 0, reference
    while target := _target(repository, current):
        length += 1
        current = await _read(repository, target)
        first = document_id(current)
        if first is None or length > CHAIN_MAX:
            raise Unprocessable(issue("sending.replacement-unknown", PLACE))
        newest = newest or first
    if newest is None or first is None:
        return None
    return Replaced(newest, first, length)


def _target(repository: Repository, reference: Resource) -> Key | None:
    found = [r for r in reference.get("relatesTo", ()) if r.get("code") == "replaces"]
    if not found:
        return None
    address = str(found[0].get("target", {}).get("reference", ""))
    path = address.removeprefix(f"{repository.gateway.base_url}/").split("/")
    if len(found) > 1 or len(path) < 2 or path[0] != "DocumentReference":
        raise Unprocessable(issue("sending.replacement-unknown", PLACE))
    return Key(path[0], path[1])


async def _read(repository: Repository, key: Key) -> Resource:
    try:
        version = await repository.read(key)
    except (NotFound, Gone):
        raise Unprocessable(issue("sending.replacement-unknown", PLACE)) from None
    found: Resource = json_text.decode(version.body or b"")
    return found
