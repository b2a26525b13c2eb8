"""The ids of what a dossier has in the record under ids that no push gave.

The same content may come in by FHIR (a transaction of a guide): it bears the source's identifiers
and an id of the server's. A push that says it again is about those resources, and makes none beside
them (the FHIR twin of a push).
"""

import re
from collections.abc import Iterator

from passerelle.dossiers.exchange.dossier_record import ROOTS, DossierRecord
from passerelle.dossiers.exchange.push_plan import same_source
from passerelle.fhir import json_text
from passerelle.fhir.reference_places import key_of
from passerelle.fhir.resource import Resource
from passerelle.mappers.native.dossier import Dossier
from passerelle.mappers.native.dossier_naming import Naming
from passerelle.mappers.resources import notes_reference
from passerelle.mappers.resources.documents_files import DOMAIN, identifier

OWN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""The ids that pushes give (version 5 UUIDs): they need not be looked up."""

Name = tuple[str, str, str]
"""Type, system and value of an identifier."""


def standing_ids(record: DossierRecord, dossier: Dossier, base_url: str) -> dict[Name, str]:
    """Give the ids of resources of the dossier's own platform, by each identifier of its domains.

    The bytes of a document have no identifier: their Binary is known by the document's address.
    """
    names = Naming(dossier.platform, dossier.system, dossier.value, {})
    found: dict[Name, str] = {}
    for version in record.tagged:
        if version.key.type in ROOTS or OWN.fullmatch(version.key.id):
            continue
        resource = json_text.decode(version.body or b"{}")
        if not same_source(str((resource.get("meta") or {}).get("source", "")), names.platform):
            continue
        for one in _own(resource, names):
            found.setdefault((version.key.type, one["system"], one["value"]), version.key.id)
            if version.key.type == "DocumentReference":
                found |= _binaries(resource, one, names, base_url)
    return found


def _own(resource: Resource, names: Naming) -> Iterator[dict[str, str]]:
    stated = resource.get("identifier", ())
    for one in (stated,) if isinstance(stated, dict) else stated:
        if one.get("value") and str(one.get("system", "")).startswith(names.domain("")):
            yield one


def _binaries(
    resource: Resource, one: dict[str, str], names: Naming, base_url: str
) -> dict[Name, str]:
    """Give the ids of the Binaries that a document, one of its further files, or a note leads to.

    ``one`` is the identifier that tells which of these the DocumentReference is.
    """
    note = names.entry_key("notes", one)
    if note is not None:
        _, files = notes_reference.text_and_files(resource)
        led_to = [
            (notes_reference.file_identifier(names, note, index), file)
            for index, file in enumerate(files)
        ]
    else:
        key = names.entry_key("documents", one)
        named = one if one["system"] == names.domain(DOMAIN) else None
        if key is not None:
            named = identifier(names, key, 0)
        contents = resource.get("content") or [{}]
        led_to = [(named, contents[0].get("attachment", {}))] if named else []
    return {
        ("Binary", named["system"], named["value"]): address.id
        for named, file in led_to
        if (address := key_of(str(file.get("url", "")), base_url)) and address.type == "Binary"
    }
