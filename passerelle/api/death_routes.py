"""A death is declared, or was by mistake: ``:declare-death``, ``:cancel-death`` on a dossier.

The body of a declaration is ``{"by": "<key of the circle>", "date": …, "place": …, "placeCode": …,
"source": "declared", "close": true}``; that of a cancellation ``{"by": …}``.
"""

import re

from fastapi import APIRouter, Request, Response

from passerelle.api.dossier_act_routes import (
    BODY_MAX,
    DryRun,
    code_of,
    fields_of,
    moment_of,
    text_of,
    told,
)
from passerelle.api.native_requests import caller_of, demand_known, received_of
from passerelle.api.rest import negotiation
from passerelle.dossiers.exchange import death_undone
from passerelle.dossiers.exchange.death import Declaration, declare
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier_acts import DEATH_SOURCES
from passerelle.mappers.native.dossier_dates import is_day, is_instant

DECLARED = frozenset({"by", "at", "date", "place", "placeCode", "source", "close"})
CANCELLED = frozenset({"by", "at"})
COG = re.compile("[0-9AB]{5}")


def router(gateway: Gateway) -> APIRouter:
    """Give the routes; they stand before those whose names of dossiers take in every address."""
    routes = APIRouter(tags=["dossiers"])

    @routes.post("/dossiers/{dossier:path}:declare-death", summary="Déclarer un décès")
    async def declared(dossier: str, request: Request, dry_run: DryRun = False) -> Response:
        body, pretty = await _body(request)
        asked = read(body, dry_run=dry_run)
        return told(await declare(gateway, caller_of(request), dossier, asked), pretty=pretty)

    @routes.post(
        "/dossiers/{dossier:path}:cancel-death", summary="Annuler une déclaration de décès"
    )
    async def cancelled(dossier: str, request: Request, dry_run: DryRun = False) -> Response:
        body, pretty = await _body(request)
        asked = fields_of(body, CANCELLED)
        by, at = text_of(asked, "by", required=True) or "", moment_of(asked, "at")
        caller = caller_of(request)
        done = await death_undone.cancel(gateway, caller, dossier, by, at, dry_run=dry_run)
        return told(done, pretty=pretty)

    return routes


def read(body: bytes, *, dry_run: bool) -> Declaration:
    """Read a declaration from its body. Raises Invalid."""
    asked = fields_of(body, DECLARED)
    by, close = text_of(asked, "by", required=True) or "", asked.get("close", False)
    if not isinstance(close, bool):
        raise Invalid(issue("act.malformed", "/close", name="close", kind="boolean"))
    facts = {
        "date": text_of(asked, "date"),
        "place": text_of(asked, "place"),
        "placeCode": text_of(asked, "placeCode"),
        "source": code_of(asked, "source", DEATH_SOURCES) or DEATH_SOURCES[0],
    }
    demand_facts(facts)
    said = {name: value for name, value in facts.items() if value is not None}
    return Declaration(by, said, moment_of(asked, "at"), close, dry_run)


def demand_facts(facts: dict[str, str | None]) -> None:
    """See that date and place can be. Raises Invalid."""
    date, code = facts["date"], facts["placeCode"]
    if date is not None and not (is_day(date) or is_instant(date)):
        raise Invalid(issue("dossier.date", "/date"))
    if code is not None and not COG.fullmatch(code):
        raise Invalid(issue("act.malformed", "/placeCode", name="placeCode", kind="COG"))


async def _body(request: Request) -> tuple[bytes, bool]:
    received = received_of(request, BODY_MAX)
    pretty = received.demand_json()
    demand_known(request, ("dryRun",))
    negotiation.demand_json_body(received.header(b"content-type") or "")
    return await received.body(), pretty
