"""The acts on a dossier: ``POST /dossiers/{system}|{value}:suspend``, ``:close``, ``:reopen``.

Those of a death are in ``death_routes``.

The body is ``{"by": "<key of the circle>", "at": "<instant>"}``, with ``reason``, ``text``,
``tasks`` and ``appointments`` (keep or cancel) for a closure. What is answered is the receipt of a
push, with the difference that the act makes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response

from passerelle.api.dossier_routes import opaque_tag
from passerelle.api.native_requests import answer_json, caller_of, demand_known, received_of
from passerelle.api.rest import negotiation
from passerelle.dossiers.exchange.act_plan import ActReceipt
from passerelle.dossiers.exchange.acting import Asked, act
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import decode
from passerelle.mappers.native.dossier_acts import DESTINIES, REASONS, Act, Closing
from passerelle.mappers.native.dossier_dates import is_instant

BODY_MAX = 20_000
Code = TypeVar("Code", bound=str)
COMMON = frozenset({"by", "at"})
FIELDS: Mapping[Act, frozenset[str]] = {
    "suspend": COMMON,
    "close": COMMON | {"reason", "text", "tasks", "appointments"},
    "reopen": COMMON,
}
"""Act to the fields of its body."""

SUMMARIES: Mapping[Act, str] = {
    "suspend": "Suspendre un dossier",
    "close": "Clore un dossier",
    "reopen": "Rouvrir un dossier",
}

DryRun = Annotated[bool, Query(alias="dryRun", description="Dire ce qui serait fait, sans écrire")]


def router(gateway: Gateway) -> APIRouter:
    """Give the routes; they stand before those whose names of dossiers take in every address."""
    routes = APIRouter(tags=["dossiers"])
    for name in SUMMARIES:
        _add(routes, gateway, name)
    return routes


def _add(routes: APIRouter, gateway: Gateway, name: Act) -> None:
    async def answer(dossier: str, request: Request, dry_run: DryRun = False) -> Response:
        received = received_of(request, BODY_MAX)
        pretty = received.demand_json()
        demand_known(request, ("dryRun",))
        negotiation.demand_json_body(received.header(b"content-type") or "")
        held = opaque_tag(received.header(b"if-match"))
        asked = read(name, await received.body(), if_match=held, dry_run=dry_run)
        return told(await act(gateway, caller_of(request), dossier, asked), pretty=pretty)

    routes.add_api_route(
        f"/dossiers/{{dossier:path}}:{name}",
        answer,
        methods=["POST"],
        summary=SUMMARIES[name],
        operation_id=f"{name}_dossier",
    )


def told(receipt: ActReceipt, *, pretty: bool) -> Response:
    """Give the answer to an act."""
    answer = answer_json(receipt.as_json(), pretty=pretty)
    answer.headers["etag"] = f'"{receipt.receipt.etag}"'
    return answer


def read(name: Act, body: bytes, *, if_match: str | None, dry_run: bool) -> Asked:
    """Read what is asked of a dossier from its body. Raises Invalid."""
    asked = fields_of(body, FIELDS[name])
    by, at = text_of(asked, "by", required=True), moment_of(asked, "at")
    closing = None
    if name == "close":
        closing = Closing(
            code_of(asked, "reason", REASONS, required=True) or "",
            text_of(asked, "text"),
            code_of(asked, "tasks", DESTINIES),
            code_of(asked, "appointments", DESTINIES),
        )
    return Asked(name, by or "", at, closing, if_match, dry_run)


def fields_of(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    """Read the object of a body, of known fields only. Raises Invalid."""
    asked = decode(body)
    if asked.keys() - known:
        raise Invalid(issue("act.unknown-field", known=", ".join(sorted(known))))
    return asked


def text_of(asked: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """Read a text that says something. Raises Invalid."""
    value = asked.get(name)
    if value is None and name not in asked and not required:
        return None
    if not isinstance(value, str) or not value.strip():
        raise Invalid(issue("act.malformed", f"/{name}", name=name, kind="string"))
    return value


def code_of(
    asked: Mapping[str, Any], name: str, codes: tuple[Code, ...], *, required: bool = False
) -> Code | None:
    """Read one of some codes. Raises Invalid."""
    value = text_of(asked, name, required=required)
    found = next((code for code in codes if code == value), None)
    if value is not None and found is None:
        raise Invalid(issue("act.malformed", f"/{name}", name=name, kind=", ".join(codes)))
    return found


def moment_of(asked: Mapping[str, Any], name: str) -> str | None:
    """Read a moment with its offset. Raises Invalid."""
    value = text_of(asked, name)
    if value is not None and not is_instant(value):
        raise Invalid(issue("dossier.date", f"/{name}"))
    return value
