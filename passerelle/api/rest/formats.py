"""The form of an answer: what the handlers give is JSON, what the client gets is what it asked for.

https://hl7.org/fhir/R4/http.html#mime-type . What is kept is JSON; XML is written from it when it
is asked for. This stands between the choice of elements and the coding of the bytes.
"""

import asyncio

from passerelle.api.rest import responses
from passerelle.api.rest.requests import Wanted
from passerelle.api.rest.responses import Reply
from passerelle.fhir import json_text
from passerelle.fhir.xml import writer

LARGE_BYTES = 250_000
"""An answer above this is written in a thread of its own, so that others need not wait."""

VARY = (b"vary", b"accept")


async def formed(reply: Reply, wanted: Wanted) -> Reply:
    """Give an answer in the form that is wanted, laid out for people when that is wanted too.

    Raises NotAcceptable when XML cannot carry it.
    """
    if wanted.format == "json":
        made = responses.pretty(reply) if wanted.pretty else reply
    elif len(reply.body) > LARGE_BYTES:
        made = await asyncio.to_thread(written, reply, wanted)
    else:
        made = written(reply, wanted)
    return made._replace(headers=(*made.headers, VARY))


def written(reply: Reply, wanted: Wanted) -> Reply:
    """Give an answer whose body is FHIR JSON in the form that is wanted. Raises NotAcceptable."""
    if wanted.format == "json":
        return responses.pretty(reply) if wanted.pretty else reply
    if not reply.body or responses.FHIR_JSON not in reply.headers:
        return reply
    body = writer.encode(json_text.decode_stored(reply.body), pretty=wanted.pretty)
    others = tuple(pair for pair in reply.headers if pair != responses.FHIR_JSON)
    return reply._replace(headers=(responses.FHIR_XML, *others), body=body)
