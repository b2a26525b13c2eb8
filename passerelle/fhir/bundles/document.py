"""A document: a Bundle whose first entry is its Composition, joined from bodies as kept.

https://hl7.org/fhir/R4/documents.html
"""

from collections.abc import Sequence

import msgspec

from passerelle.fhir.bundles.bundle import Found
from passerelle.fhir.instants import dump_instant


def document(base_url: str, entries: Sequence[Found], *, identifier: str, at: int) -> bytes:
    """Join the document: ``identifier`` is a UUID, ``at`` when it is put together."""
    base = base_url.encode()
    joined = b",".join(
        b'{"fullUrl":"' + base + b"/" + str(each.key).encode() + b'","resource":' + each.body + b"}"
        for each in entries
    )
    head = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{identifier}"},
        "type": "document",
        "timestamp": dump_instant(at),
    }
    return msgspec.json.encode(head)[:-1] + b',"entry":[' + joined + b"]}"
