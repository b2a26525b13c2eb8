"""Calendars of a dossier: out with ``GET /dossiers/{system}|{value}?as=ical``.

https://www.rfc-editor.org/rfc/rfc5545 . A calendar program follows it by its address; nothing of it
but the name of the dossier stands there.
"""

from fastapi import Request, Response

from passerelle.api.native_requests import caller_of
from passerelle.api.rest import negotiation
from passerelle.api.rest.calendar_operations import CALENDAR_TYPE
from passerelle.api.rest.requests import Request as Received
from passerelle.dossiers.gateway import Gateway


async def calendar_of(
    gateway: Gateway, request: Request, received: Received, dossier: str
) -> Response:
    """Answer with the calendar of a dossier, under the tag of the dossier. Raises NotFound."""
    from passerelle.dossiers.agenda.calendars_out import of_dossier

    body, etag = await of_dossier(gateway, caller_of(request), dossier)
    headers = {"etag": f'"{etag}"'}
    held = received.header(b"if-none-match")
    if held is not None and etag in negotiation.tags(held):
        return Response(b"", 304, headers)
    return Response(body, 200, headers, media_type=CALENDAR_TYPE)
