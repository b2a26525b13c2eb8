"""An alert of a dossier is acknowledged: ``POST /dossiers/{system}|{value}/alerts/{key}:ack``.

The body is ``{"by": "<key of the circle>", "at": "<instant>"}``; ``at`` may lack: it is now. What
is answered is the receipt of a push.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from passerelle.api.native_requests import answer_json, caller_of, demand_known, received_of
from passerelle.api.rest import negotiation
from passerelle.dossiers.exchange.acknowledging import Acknowledgement, acknowledge
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import decode
from passerelle.mappers.native.dossier_dates import is_instant

ADDRESS = "/dossiers/{dossier:path}/alerts/{key:path}:ack"
FIELDS = frozenset({"by", "at"})
BODY_MAX = 10_000

DryRun = Annotated[bool, Query(alias="dryRun", description="Dire ce qui serait fait, sans écrire")]


def router(gateway: Gateway) -> APIRouter:
    """Give the route; it stands before those whose names of dossiers take in every address."""
    routes = APIRouter(tags=["dossiers"])

    @routes.post(ADDRESS, summary="Acquitter une alerte")
    async def ack(dossier: str, key: str, request: Request, dry_run: DryRun = False) -> Response:
        received = received_of(request, BODY_MAX)
        pretty = received.demand_json()
        demand_known(request, ("dryRun",))
        negotiation.demand_json_body(received.header(b"content-type") or "")
        asked = read(await received.body(), dry_run=dry_run)
        receipt = await acknowledge(gateway, caller_of(request), dossier, key, asked)
        answer = answer_json(receipt.as_json(), pretty=pretty)
        answer.headers["etag"] = f'"{receipt.etag}"'
        return answer

    return routes


def read(body: bytes, *, dry_run: bool) -> Acknowledgement:
    """Read what is asked from its body. Raises Invalid."""
    asked = decode(body)
    by, at = asked.get("by"), asked.get("at")
    if not isinstance(by, str) or not by or asked.keys() - FIELDS:
        raise Invalid(issue("alert.acknowledgement-malformed"))
    if "at" in asked and not (isinstance(at, str) and is_instant(at)):
        raise Invalid(issue("dossier.date", "/at"))
    return Acknowledgement(by, at, dry_run)
