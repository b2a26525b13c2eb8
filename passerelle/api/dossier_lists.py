"""Many dossiers at once: the feed of their changes, ``GET /dossiers?cursor=``.

The same address lists them when there is no ``cursor``.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from passerelle.api.native_requests import (
    answer_json,
    caller_of,
    demand_known,
    gone,
    received_of,
)
from passerelle.dossiers.exchange.dossier_feed import LIMIT_MAX
from passerelle.dossiers.exchange.feed_waiting import WAIT_SECONDS_MAX, FeedWaiting
from passerelle.dossiers.gateway import Gateway

FEED_PARAMETERS = ("cursor", "limit", "wait")
LIMIT = 100

Cursor = Annotated[
    str | None,
    Query(description="Suite du flux des changements : start, now, ou le next d'une page"),
]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Lignes d'une page")]
Wait = Annotated[
    int,
    Query(ge=0, le=WAIT_SECONDS_MAX, description="Secondes d'attente d'un changement"),
]


def router(gateway: Gateway) -> APIRouter:
    """Give the routes."""
    routes = APIRouter(tags=["dossiers"])
    waiting = FeedWaiting(gateway)

    @routes.get("/dossiers", summary="Suivre les changements, ou lister les dossiers")
    async def dossiers(
        request: Request, cursor: Cursor = None, limit: Limit = LIMIT, wait: Wait = 0
    ) -> Response:
        pretty = received_of(request, 0).demand_json()
        demand_known(request, FEED_PARAMETERS)
        page = await waiting.page(
            caller_of(request),
            cursor=cursor or "start",
            limit=limit,
            seconds=wait,
            gone=lambda: gone(request),
        )
        return answer_json(page.as_json(), pretty=pretty)

    return routes
