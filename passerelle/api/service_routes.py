"""Health, figures and documentation, for those who run the gateway.

Live: the process answers. Ready: a read and a write transaction work now.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from passerelle.api import docs_page
from passerelle.api.description.document import document, types_named
from passerelle.api.description.fhir_paths import generic_paths
from passerelle.api.metrics import CONTENT_TYPE, Metrics
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import PasserelleError
from passerelle.fhir import json_text
from passerelle.fhir.instants import SECOND

COUNT_AGAIN_SECONDS = 10
"""Jobs are counted that often at most, however often the figures are read."""

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
"""What a browser may load for the page: its own style, and nothing else."""

Types = Annotated[
    str | None, Query(alias="type", description="Les types décrits en entier, avec des virgules")
]


def router(gateway: Gateway, metrics: Metrics) -> APIRouter:
    """Give the routes."""
    routes = APIRouter()
    count_jobs = JobCount(gateway, metrics)

    @routes.get("/health/live", summary="Le processus répond", tags=["service"])
    async def live() -> Response:
        return _json(b'{"status":"live"}', 200)

    @routes.get("/health/ready", summary="Lecture et écriture fonctionnent", tags=["service"])
    async def ready() -> Response:
        works = await gateway.store.ready()
        return _json(b'{"status":"ready"}' if works else b'{"status":"unavailable"}', works)

    @routes.get("/metrics", summary="Chiffres pour Prometheus", tags=["service"])
    async def figures() -> Response:
        await count_jobs()
        return Response(metrics.expose(), headers={"content-type": CONTENT_TYPE})

    @routes.get("/openapi.json", summary="Toutes les adresses en OpenAPI 3.1", tags=["service"])
    async def openapi(request: Request, types: Types = None) -> Response:
        described = document(
            request.app.openapi(),
            base_url=gateway.base_url,
            software_version=request.app.version,
            writing=gateway.writing,
            known=gateway.store.parameters.registry.parameters,
            types=types_named(types),
        )
        return _json(json_text.encode(described), 200)

    @routes.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        written = docs_page.page(
            request.app.openapi(),
            generic_paths(gateway.writing),
            base_url=gateway.base_url,
            version=request.app.version,
            ready=await gateway.store.ready(),
        )
        headers = {"content-security-policy": PAGE_POLICY}
        return Response(written, headers=headers, media_type="text/html; charset=utf-8")

    @routes.get("/", include_in_schema=False)
    async def root() -> Response:
        return Response(status_code=302, headers={"location": "docs"})

    return routes


class JobCount:
    """Counts the jobs of the outbox when the figures are read, and not more than now and then."""

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self.gateway = gateway
        self.metrics = metrics
        self._again_at: int | None = None

    async def __call__(self) -> None:
        """Bring the figures up to date; a record that is away leaves those that are known."""
        now = self.gateway.clock()
        if self._again_at is not None and now < self._again_at:
            return
        self._again_at = now + COUNT_AGAIN_SECONDS * SECOND
        try:
            self.metrics.set_jobs(await self.gateway.store.job_counts())
        except PasserelleError:
            self._again_at = None


def _json(body: bytes, works: int) -> Response:
    status = 200 if works else 503
    return Response(body, status, media_type="application/json")
