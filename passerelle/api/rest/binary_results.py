"""Operations whose result is a Binary: served as its own bytes, to whoever can read them.

https://hl7.org/fhir/R4/binary.html#rest : a Binary is served in its own type unless FHIR is asked
for. In a bundle, and to who asks for JSON or XML of FHIR, it is the resource.
"""

from base64 import b64decode, b64encode

from passerelle.api.rest import negotiation, responses
from passerelle.api.rest.requests import Request
from passerelle.api.rest.responses import Reply
from passerelle.fhir import json_text

CALENDAR = "text/calendar"
MEDIA = frozenset({CALENDAR, "text/*", "*/*"})


def binary(content_type: str, data: bytes) -> Reply:
    """Give bytes as a Binary that is not of the record."""
    resource = {
        "resourceType": "Binary",
        "contentType": content_type,
        "data": b64encode(data).decode(),
    }
    return responses.fhir(json_text.encode(resource))


def as_bytes(request: Request) -> bool:
    """Tell whether the client is served the bytes themselves: it does not ask for FHIR."""
    if any(name == "_format" for name, _ in request.all_pairs()):
        return False
    ranges = negotiation.ranges(request.header(b"accept") or "")
    return not ranges or ranges[0].type in MEDIA


def bare(reply: Reply) -> Reply:
    """Give the bytes that a Binary holds, in their own type."""
    if reply.status != 200:
        return reply
    resource = json_text.decode(reply.body)
    headers = tuple(pair for pair in reply.headers if pair[0] != b"content-type")
    media = (b"content-type", str(resource["contentType"]).encode())
    return reply._replace(headers=(media, *headers), body=b64decode(resource["data"]))
