"""Calendars of a dossier: out with ``GET /dossiers/{system}|{value}?as=ical``, in with ``POST
/dossiers/{system}|{value}:agenda``.

https://www.rfc-editor.org/rfc/rfc5545 . A calendar program follows it by its address; nothing of it
but the name of the dossier stands there.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from passerelle.api.native_requests import answer_json, caller_of, demand_known, received_of
from passerelle.api.rest import negotiation
from passerelle.api.rest.calendar_operations import CALENDAR_TYPE
from passerelle.api.rest.requests import Request as Received
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import UnsupportedMedia
from passerelle.errors.rules import issue

ADDRESS = "/dossiers/{dossier:path}:agenda"
BODY_MAX = 2 * 1024 * 1024
MEDIA = "text/calendar"

DryRun = Annotated[bool, Query(alias="dryRun", description="Dire ce qui serait fait, sans écrire")]


def router(gateway: Gateway, *, body_limit: int) -> APIRouter:
    """Give the route; it stands before those whose names of dossiers take in every address."""
    routes = APIRouter(tags=["dossiers"])

    @routes.post(ADDRESS, summary="Prendre les rendez-vous d'un agenda (iCalendar)")
    async def take(dossier: str, request: Request, dry_run: DryRun = False) -> Response:
        from passerelle.api.dossier_routes import opaque_tag
        from passerelle.dossiers.agenda.calendars_in import Way, receive_calendar

        received = received_of(request, min(body_limit, BODY_MAX))
        pretty = received.demand_json()
        demand_known(request, ("dryRun",))
        media = (received.header(b"content-type") or "").partition(";")[0].strip().lower()
        if media != MEDIA:
            raise UnsupportedMedia(issue("agenda.media"))
        way = Way(opaque_tag(received.header(b"if-match")), received.strict, dry_run)
        body = await received.body()
        receipt = await receive_calendar(gateway, caller_of(request), dossier, body, way)
        answer = answer_json(receipt.as_json(), pretty=pretty)
        answer.headers["etag"] = f'"{receipt.etag}"'
        return answer

    return routes


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
