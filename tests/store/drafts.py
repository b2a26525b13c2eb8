"""Resources to keep, and the rule of what is derived from them."""

import hashlib
import json
from typing import Any

from passerelle.fhir.resource import Key
from passerelle.fhir.search.extraction import extract
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.fhir.urls import DOSSIER_TAG
from passerelle.store.contract import Claim, Draft, RightsColumns


def derive(resource: dict[str, Any]) -> tuple[IndexRows, RightsColumns, tuple[Claim, ...]]:
    """Give what is derived from a resource: identifiers of ``urn:own`` are claimed."""
    tags = resource.get("meta", {}).get("tag", ())
    dossier = next((tag["code"] for tag in tags if tag.get("system") == DOSSIER_TAG), None)
    claims = tuple(
        Claim(identifier["system"], identifier["value"])
        for identifier in resource.get("identifier", ())
        if identifier["system"] == "urn:own"
    )
    return extract(resource), RightsColumns(dossier=dossier, element="person"), claims


def make_draft(
    id: str,
    *,
    type: str = "Patient",
    dossier: str | None = None,
    blob: str | None = None,
    **rest: Any,
) -> Draft:
    """Make the draft of a resource; ``own``, ``shared``, ``local``: its identifiers."""
    identifiers = [
        {"system": f"urn:{system}", "value": rest.pop(system)}
        for system in ("own", "shared", "local")
        if system in rest
    ]
    if identifiers:
        rest["identifier"] = identifiers
    meta = {"tag": [{"system": DOSSIER_TAG, "code": dossier}]} if dossier else {}
    resource = {"resourceType": type, "id": id, "meta": meta, **rest}
    rows, rights, claims = derive(resource)
    head = json.dumps({"resourceType": type, "id": id})[:-1] + ', "meta": {"versionId": "'
    tail = json.dumps(meta)[1:-1]
    after = '"' + (f", {tail}" if tail else "") + "}"
    content = json.dumps(rest, ensure_ascii=False)[1:]
    after += f", {content}" if rest else "}"
    sum = hashlib.blake2b((head + after + (blob or "")).encode(), digest_size=16).digest()
    return Draft(
        Key(type, id),
        head.encode(),
        b'", "lastUpdated": "',
        after.encode(),
        sum,
        rows,
        rights,
        claims,
        blob=blob,
    )
