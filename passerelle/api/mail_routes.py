"""Secure mail for people to look at: the messages kept and the white list in force.

Never a body, never an address of a citizen's other than its domain; the raw bytes stay in the
record.
"""

from fastapi import APIRouter, Query, Response

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing import transmission
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.messaging.addresses import domain_of, is_citizen
from passerelle.store.outbox import Message

LISTED_MAX = 100


def router(gateway: Gateway) -> APIRouter:
    """Give the routes."""
    routes = APIRouter(prefix="/mss", tags=["mss"])

    @routes.get("/messages", summary="Messages gardés, les plus récents d'abord")
    async def messages(
        direction: str | None = Query(None, pattern="^(in|out)$"),
        subject: str | None = Query(None, max_length=80),
        state: str | None = Query(None, max_length=20),
    ) -> Response:
        found = await gateway.store.messages(
            direction=direction, subject=subject, state=state, limit=LISTED_MAX
        )
        return _json({"messages": [_shown(message) for message in found]})

    @routes.get("/white-list", summary="Domaines à qui l'on peut écrire")
    async def white_list(domain: str | None = Query(None, max_length=255)) -> Response:
        listed = transmission.configured(gateway).white_list()
        if domain is None:
            domains = sorted(listed.domains)
        else:
            domains = [name] if (name := domain_of(f"x@{domain}")) in listed.domains else []
        made_at = listed.generated_at.isoformat() if listed.generated_at else None
        return _json({"generatedAt": made_at, "domains": domains})

    return routes


def _shown(message: Message) -> dict[str, object]:
    place = message.place
    if message.direction == "out" and is_citizen(place):
        place = f"…@{domain_of(place)}"
    return {
        "id": message.id,
        "direction": message.direction,
        "at": dump_instant(message.at),
        "account": message.account,
        "identifier": message.identifier,
        "place": place,
        "state": message.state,
        "subject": message.subject,
        "reason": message.reason,
    }


def _json(value: object) -> Response:
    return Response(json_text.encode(value), media_type="application/json")
