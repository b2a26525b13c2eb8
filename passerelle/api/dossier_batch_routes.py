"""Many dossiers in one request, and two dossiers compared: ``POST /dossiers:batch``, ``:diff``."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from passerelle.api.answer_spool import AnswerSpool
from passerelle.api.native_requests import (
    Streamed,
    answer_json,
    caller_of,
    demand_known,
    received_of,
)
from passerelle.api.rest import negotiation
from passerelle.dossiers.exchange.batch import Batch, Way
from passerelle.dossiers.exchange.batch_lines import Line, lines
from passerelle.dossiers.exchange.dossier_comparison import compared
from passerelle.dossiers.exchange.receipts_of_push import issue_json
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid, PasserelleError, UnsupportedMedia
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.mappers.native import dossier_diff_text

NDJSON = "application/x-ndjson"
NDJSON_NAMES = frozenset({NDJSON, "application/ndjson", "application/jsonl"})
WHOLE_BYTES_MAX = 1 << 50
"""A batch has no end that is known: lines are bounded, and what is under way."""

DryRun = Annotated[bool, Query(alias="dryRun", description="Dire ce qui serait fait, sans écrire")]
From = Annotated[
    int, Query(alias="from", ge=1, description="Numéro, dans le fichier, de la première ligne")
]


def router(gateway: Gateway, *, body_limit: int) -> APIRouter:
    """Give the routes. ``body_limit``: as long a line may be."""
    routes = APIRouter(tags=["dossiers"])

    @routes.post("/dossiers:batch", summary="Pousser un dossier par ligne (NDJSON)")
    async def batch(request: Request, dry_run: DryRun = False, first: From = 1) -> Response:
        received = received_of(request, body_limit)
        demand_known(request, ("dryRun", "from"))
        media = (received.header(b"content-type") or "").partition(";")[0].strip().lower()
        if media not in NDJSON_NAMES:
            raise UnsupportedMedia(issue("dossier.ndjson-expected"))
        if received.header(b"idempotency-key") is not None:
            raise Invalid(issue("dossier.batch-key", "Idempotency-Key"))
        minimal = received.preference.returns == "minimal"
        way = Way(received.strict, dry_run, minimal, body_limit)
        given = lines(received.chunks(WHOLE_BYTES_MAX), first=first, size_max=body_limit)
        answered = _told(Batch(gateway, caller_of(request), way), given, minimal=minimal)
        return Streamed(AnswerSpool(answered).chunks(), media_type=NDJSON)

    @routes.post("/dossiers:diff", summary="Comparer deux dossiers, ou deux états d'un dossier")
    async def compare(request: Request) -> Response:
        received = received_of(request, body_limit)
        demand_known(request, ())
        pretty = received.demand_json()
        negotiation.demand_json_body(received.header(b"content-type") or "")
        changes = await compared(
            gateway, caller_of(request), json_text.decode(await received.body())
        )
        told = zip(changes, dossier_diff_text.lines(changes), strict=True)
        described = [{**change._asdict(), "text": text} for change, text in told]
        return answer_json({"changes": described}, pretty=pretty)

    return routes


async def _told(batch: Batch, given: AsyncIterator[Line], *, minimal: bool) -> AsyncIterator[bytes]:
    """Give the receipts as lines; what cannot be read any further is told by a last one."""
    try:
        async for receipt in batch.receipts(given):
            yield json_text.encode(receipt.as_json(minimal=minimal)) + b"\n"
    except PasserelleError as refusal:
        issues = [issue_json(each) for each in refusal.issues]
        yield json_text.encode({"status": refusal.status, "issues": issues}) + b"\n"
