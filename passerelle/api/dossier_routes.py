"""The native form of a dossier: pushed and pulled by the name its platform gives it.

``PUT`` and ``GET /dossiers/{system}|{value}``. What the form's page describes and is not there yet
is refused by name. Bodies and answers are handed through as bytes.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from passerelle.api.agenda_routes import calendar_of
from passerelle.api.native_requests import JSON, caller_of, laid_out, received_of
from passerelle.api.rest import negotiation
from passerelle.dossiers.exchange.extraction import extract
from passerelle.dossiers.exchange.idempotency import Answered, demand_key, once
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid, NotSupported
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier import SECTIONS

FHIR_JSON = "application/fhir+json"
VERBS = ("merge", "unmerge")
NOT_THERE_YET: dict[str, tuple[str, ...]] = {
    "/dossiers": ("POST",),
}
"""Addresses of the form's page that nothing answers yet."""

DryRun = Annotated[bool, Query(alias="dryRun", description="Dire ce qui serait fait, sans écrire")]
Sections = Annotated[str | None, Query(description="Sections voulues, séparées par des virgules")]
Form = Annotated[
    Literal["native", "fhir", "ical"], Query(alias="as", description="Forme de la réponse")
]
Since = Annotated[
    str | None,
    Query(description="Seulement ce qui a changé depuis : une version, un instant, ou un cursor"),
]


def router(gateway: Gateway, *, body_limit: int) -> APIRouter:
    """Give the routes."""
    routes = APIRouter(tags=["dossiers"])

    @routes.put("/dossiers/{dossier:path}", summary="Pousser un dossier")
    async def push(dossier: str, request: Request, dry_run: DryRun = False) -> Response:
        received = received_of(request, body_limit)
        _demand_name(dossier)
        pretty = received.demand_json()
        negotiation.demand_json_body(received.header(b"content-type") or "")
        given = await received.body()
        if_match, strict = opaque_tag(received.header(b"if-match")), received.strict
        caller = caller_of(request)

        async def take() -> Answered:
            receipt = await receive(
                gateway, caller, dossier, given, if_match=if_match, strict=strict, dry_run=dry_run
            )
            status = 200 if dry_run else receipt.status
            return Answered(status, receipt.etag, msgspec.json.encode(receipt.as_json()))

        key = received.header(b"idempotency-key")
        if key is None or dry_run:
            answered = await take()
        else:
            asked = (dossier, if_match or "", str(strict), given)
            answered = await once(gateway, caller, demand_key(key), asked, take)
        headers = {"etag": f'"{answered.etag}"'}
        if answered.again:
            headers["idempotency-replayed"] = "true"
        status = answered.status
        if received.preference.returns == "minimal":
            return Response(b"", 204 if status == 200 else status, headers)
        return Response(laid_out(answered.body, pretty=pretty), status, headers, media_type=JSON)

    @routes.get("/dossiers/{dossier:path}", summary="Tirer un dossier")
    async def pull(
        dossier: str,
        request: Request,
        sections: Sections = None,
        form: Form = "native",
        since: Since = None,
    ) -> Response:
        received = received_of(request, body_limit)
        _demand_name(dossier)
        if form == "ical":
            named = [name for name, value in (("sections", sections), ("since", since)) if value]
            if named:  # a calendar is that of the whole dossier
                raise Invalid(*(issue("http.parameter-malformed", name=name) for name in named))
            return await calendar_of(gateway, request, received, dossier)
        pretty = received.demand_json()
        wanted = _sections(sections)
        found = await extract(
            gateway, caller_of(request), dossier, sections=wanted, form=form, since=since
        )
        headers = {"etag": f'"{found.etag}"'}
        held = received.header(b"if-none-match")
        if held is not None and found.etag in negotiation.tags(held):
            return Response(b"", 304, headers)
        media = JSON if form == "native" else FHIR_JSON
        return Response(laid_out(found.body, pretty=pretty), 200, headers, media_type=media)

    @routes.post("/dossiers/{dossier:path}", include_in_schema=False)
    async def act(dossier: str) -> Response:
        verb = dossier.rpartition(":")[2]
        what = f":{verb}" if verb in VERBS else "POST /dossiers/{dossier}"
        raise NotSupported(issue("http.not-there-yet", what=what))

    for address, methods in NOT_THERE_YET.items():
        for method in methods:
            routes.add_api_route(
                address, _coming(f"{method} {address}"), methods=[method], include_in_schema=False
            )
    return routes


def opaque_tag(header: str | None) -> str | None:
    """Read the one entity tag of If-Match, without its quotes. Raises Invalid."""
    if header is None:
        return None
    tag = header.strip().removeprefix("W/")
    if len(tag) < 3 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        raise Invalid(issue("http.if-match-malformed"))
    return tag[1:-1]


def _demand_name(dossier: str) -> None:
    """See that the name is ``{system}|{value}``. Raises Invalid."""
    system, bar, value = dossier.rpartition("|")
    if not (system and bar and value):
        raise Invalid(issue("http.dossier-name"))


def _sections(text: str | None) -> tuple[str, ...] | None:
    """Read the sections asked for. Raises Invalid for one that there is not."""
    if text is None:
        return None
    wanted = tuple(filter(None, (name.strip() for name in text.split(","))))
    if not set(wanted) <= set(SECTIONS):
        known = ", ".join(SECTIONS)
        raise Invalid(issue("http.section-unknown", "sections", known=known))
    return wanted


def _coming(what: str) -> Callable[[], Awaitable[Response]]:
    """Give the path operation that refuses by name."""

    async def refuse() -> Response:
        raise NotSupported(issue("http.not-there-yet", what=what))

    return refuse
