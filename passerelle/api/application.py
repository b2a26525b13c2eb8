"""The FastAPI application behind the FHIR base: dossiers, health, figures and documentation.

https://fastapi.tiangolo.com . No response model and no dependency: a path operation hands its
request on to a function and gives ready bytes back.
"""

import secrets

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from passerelle.api import (
    agenda_routes,
    alert_routes,
    death_routes,
    dossier_act_routes,
    dossier_batch_routes,
    dossier_lists,
    dossier_routes,
    errors,
    mail_routes,
    service_routes,
)
from passerelle.api.errors import NotAllowedHere
from passerelle.api.metrics import Metrics
from passerelle.api.rest import responses
from passerelle.api.rest.requests import wants_pretty
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid, NotFound, PasserelleError
from passerelle.errors.rules import issue


def build(gateway: Gateway, metrics: Metrics, *, body_limit: int, software_version: str) -> FastAPI:
    """Build the application of one gateway."""
    application = FastAPI(
        title="Passerelle",
        version=software_version,
        description="Dossiers de coordination en HL7 FHIR R4. La base FHIR est sous /fhir ; "
        "ce qu'elle sait faire est dit par /fhir/metadata.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    application.include_router(service_routes.router(gateway, metrics))
    application.include_router(dossier_lists.router(gateway))
    application.include_router(alert_routes.router(gateway))
    application.include_router(agenda_routes.router(gateway, body_limit=body_limit))
    application.include_router(dossier_act_routes.router(gateway))
    application.include_router(death_routes.router(gateway))
    application.include_router(dossier_batch_routes.router(gateway, body_limit=body_limit))
    application.include_router(dossier_routes.router(gateway, body_limit=body_limit))
    application.include_router(mail_routes.router(gateway))
    application.add_exception_handler(PasserelleError, _refused)
    application.add_exception_handler(HTTPException, _without_route)
    application.add_exception_handler(RequestValidationError, _malformed)
    application.add_exception_handler(Exception, _failed)
    return application


def response(reply: Reply) -> Response:
    """Give a reply in the framework's own form."""
    made = Response(reply.body, reply.status)
    made.raw_headers = [
        *reply.headers,
        *(pair for pair in made.raw_headers if pair[0] == b"content-length"),
    ]
    return made


def _told(request: Request, reply: Reply) -> Response:
    """Give an outcome, laid out for people when that is asked for."""
    pretty = wants_pretty(request.scope["query_string"])
    return response(responses.pretty(reply) if pretty else reply)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, PasserelleError)
    return _told(request, errors.refused(refusal))


async def _without_route(request: Request, fault: Exception) -> Response:
    """Say what the framework says of an address or a method, in our own way."""
    assert isinstance(fault, HTTPException)
    if fault.status_code == 405:
        allowed = set((fault.headers or {}).get("Allow", "").split(", "))
        if "GET" in allowed:
            allowed.add("HEAD")
        return _told(request, errors.refused(NotAllowedHere(allowed)))
    return _told(request, errors.refused(NotFound(issue("http.address-unknown"))))


async def _malformed(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    names = {str(each["loc"][-1]) for each in fault.errors() if each.get("loc")}
    issues = [issue("http.parameter-malformed", name=name) for name in sorted(names)]
    return _told(request, errors.refused(Invalid(*issues)))


async def _failed(request: Request, _: Exception) -> Response:
    """Answer a fault of ours; the door logs it under the same number."""
    reference = secrets.token_hex(8)
    request.scope["passerelle.reference"] = reference
    return _told(request, errors.failed(reference))
