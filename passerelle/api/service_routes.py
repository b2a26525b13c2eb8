"""Health, figures and documentation, for those who run the gateway.

Live: the process answers. Ready: a read and a write transaction work now.
"""

import html

from fastapi import APIRouter, FastAPI, Request, Response

from passerelle.api.metrics import CONTENT_TYPE, Metrics
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import PasserelleError
from passerelle.fhir.instants import SECOND

COUNT_AGAIN_SECONDS = 10
"""Jobs are counted that often at most, however often the figures are read."""

PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}
code{{background:#eee;padding:0 .3em}}li{{margin:.4rem 0}}</style></head>
<body><h1>{title}</h1><p>{description}</p>
<p><a href="fhir/metadata?_pretty=true">/fhir/metadata</a> ·
<a href="openapi.json">/openapi.json</a></p><ul>{items}</ul></body></html>
"""


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

    @routes.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return Response(_page(request.app), media_type="text/html; charset=utf-8")

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


def _page(application: FastAPI) -> str:
    """Write the list of routes: no script, nothing from another site."""
    items = [
        f"<li><code>{method.upper()} {html.escape(path)}</code> "
        f"{html.escape(operation.get('summary', ''))}</li>"
        for path, methods in application.openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    return PAGE.format(
        title=html.escape(application.title),
        description=html.escape(application.description),
        items="".join(items),
    )
