"""The jobs that answer what was asked with ``Prefer: respond-async``, and that forget it in time.

https://hl7.org/fhir/R4/async.html . A request is answered by the same handlers as in place, page
after page; only reads are, so that one whose worker was killed is simply begun again. What is
gathered goes to the database part by part: memory holds a page and the ends of the files.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import structlog

from passerelle.api import errors
from passerelle.api.rest.async_files import Files
from passerelle.api.rest.async_requests import Asked
from passerelle.api.rest.bundle_entries import Inner
from passerelle.api.rest.negotiation import FHIR_JSON
from passerelle.api.rest.requests import LARGE_JSON_BYTES, Request, Wanted
from passerelle.api.rest.responses import Reply
from passerelle.dossiers.async_policy import FORGET_JOB
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.pace import SECOND
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import PasserelleError, TooLarge, Unavailable
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.bundle_lines import Lines, lines_of
from passerelle.fhir.history_query import HistoryQuery
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.outcome import operation_outcome
from passerelle.store.async_requests import AsyncRequest
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Unit
from passerelle.store.outbox import Job, JobEnd, NewJob

PATIENCE = 1.5
"""An answer is cut at a page; one that does not come to the next page is given up after that part
more of its time."""

log = structlog.get_logger("async")


class AskedAgain(Request):
    """A request that was kept, as it is asked of its handler."""

    __slots__ = ()

    def __init__(self, asked: Asked) -> None:
        headers = {b"accept": FHIR_JSON.encode()}
        if asked.handling is not None:
            headers[b"prefer"] = b"handling=" + asked.handling.encode()
        if asked.media is not None:
            headers[b"content-type"] = asked.media.encode("latin-1", "replace")
            headers[b"content-length"] = b"%d" % len(asked.body)
        scope: MutableMapping[str, Any] = {
            "method": asked.method,
            "query_string": asked.query.encode(),
        }
        body = asked.body

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        super().__init__(scope, headers, receive, len(body))

    def all_pairs(self) -> list[tuple[str, str]]:
        """Give the parameters of the query, and that a resource is wanted, whatever it holds."""
        return [*super().all_pairs(), ("_format", FHIR_JSON)]

    def wanted(self) -> Wanted:
        """Give JSON, which the lines are made of."""
        return Wanted()


class AsyncAnswers:
    """Answers kept requests; ``inner`` answers a request whose address is known by segments."""

    def __init__(self, inner: Inner) -> None:
        self.inner = inner

    async def answer(self, gateway: Gateway, job: Job) -> None:
        """Answer a request and end its job; what fails for a while is tried again.

        Raises Unavailable, Stale.
        """
        requests = gateway.store.async_requests
        row = await requests.find(job.subject)
        if row is not None and row.state == "waiting":
            await self._settle(gateway, job, row)
            row = await requests.find(job.subject)
        forgetting = () if row is None else (NewJob(FORGET_JOB, row.id, b"{}", due=row.expires),)
        end = JobEnd(job.id, job.holder, "done")
        await gateway.store.commit(Unit(job_ends=(end,), jobs=forgetting), SYSTEM)

    async def _settle(self, gateway: Gateway, job: Job, row: AsyncRequest) -> None:
        """Gather the answer, or say why there is none."""
        if gateway.pace.is_spent(job.attempts):
            await _fail(gateway, job, 500, operation_outcome([issue("async.given-up")]))
            return
        seconds = gateway.asynchronous.answer_seconds * PATIENCE
        try:
            async with asyncio.timeout(seconds), _held(gateway, job):
                await _Run(self.inner, gateway, job, row).gather()
        except asyncio.CancelledError:  # told to stop: another takes it up
            end = JobEnd(job.id, job.holder, "waiting", due=gateway.clock())
            await gateway.store.commit(Unit(job_ends=(end,)), SYSTEM)
            raise
        except TimeoutError:
            said = issue("async.time-over", seconds=round(seconds))
            await _fail(gateway, job, 500, operation_outcome([said]))
        except PasserelleError as refusal:
            if isinstance(refusal, Unavailable) and not gateway.pace.is_spent(job.attempts + 1):
                raise
            await _fail(gateway, job, refusal.status, operation_outcome(refusal.issues))
        except Exception as fault:
            reference = secrets.token_hex(8)
            frames = errors.frames(fault)
            log.error("fault", reference=reference, fault=type(fault).__name__, frames=frames)
            await _fail(gateway, job, 500, errors.failed(reference).body)


@asynccontextmanager
async def _held(gateway: Gateway, job: Job) -> AsyncIterator[None]:
    """Hold a job on, however long a page takes, so that no other worker begins it as well."""
    lease = gateway.pace.lease_seconds

    async def hold() -> None:
        while True:
            await asyncio.sleep(lease / 3)
            until = gateway.clock() + round(lease * SECOND)
            with suppress(PasserelleError):  # away for a while: the lease may last until it is back
                await gateway.store.async_requests.hold(job.id, job.holder, until)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def forget(gateway: Gateway, job: Job) -> None:
    """Forget the requests whose time is over. Raises Unavailable, Stale."""
    await gateway.store.async_requests.sweep(gateway.clock())
    end = JobEnd(job.id, job.holder, "done")
    await gateway.store.commit(Unit(job_ends=(end,)), SYSTEM)


class _Run:
    """One attempt to answer one request."""

    def __init__(self, inner: Inner, gateway: Gateway, job: Job, row: AsyncRequest) -> None:
        self.inner = inner
        self.gateway = gateway
        self.requests = gateway.store.async_requests
        self.policy = gateway.asynchronous
        self.id, self.run, self.caller = row.id, job.attempts, row.caller
        self.files = Files(self.policy.file_bytes)
        self.pages = self.resources = 0

    async def gather(self) -> None:
        """Gather all pages and answer with where they are. Raises what the handlers raise."""
        asked = msgspec.json.decode(await self.requests.asked(self.id), type=Asked)
        at = await self._transaction_time()
        deadline = self.gateway.clock() + round(self.policy.answer_seconds * SECOND)
        place: Asked | None = asked
        while place is not None:
            lines = await self._page(place)
            place = self._after(lines, asked)
            if place is not None and self.files.size >= self.policy.answer_bytes:
                self.files.complain(issue("async.answer-cut", limit=self.policy.answer_bytes))
                place = None
            elif place is not None and self.gateway.clock() > deadline:
                seconds = round(self.policy.answer_seconds)
                self.files.complain(issue("async.time-over", seconds=seconds))
                place = None
            if not await self._write(last=place is None):
                return  # forgotten meanwhile
        until = self.gateway.clock() + round(self.policy.kept_seconds * SECOND)
        manifest = self._manifest(asked, at)
        await self.requests.settle(
            self.id, self.run, "done", status=200, answer=manifest, expires=until
        )

    async def _transaction_time(self) -> int:
        """Give an instant up to which every change can be seen, for good (the commit horizon)."""
        newest = await self.gateway.store.past(HistoryQuery(count=1), SYSTEM)
        return newest.versions[0].at if newest.versions else self.gateway.clock()

    async def _page(self, asked: Asked) -> Lines:
        repository = Repository(self.gateway, self.caller, warns=False)
        segments = asked.path.split("/") if asked.path else []
        reply = await self.inner(repository, AskedAgain(asked), segments)
        body = reply.body if reply.stream is None else await self._streamed(reply)
        if len(body) > LARGE_JSON_BYTES:
            lines = await asyncio.to_thread(lines_of, body)
        else:
            lines = lines_of(body)
        self.files.add(lines)
        self.pages += 1
        self.resources += len(lines.resources)
        return lines

    async def _streamed(self, reply: Reply) -> bytes:
        """Give the bytes of a stream. Raises TooLarge: they are joined in memory."""
        stream: AsyncIterator[bytes] | None = reply.stream
        assert stream is not None
        chunks, size = [], 0
        async for chunk in stream:
            size += len(chunk)
            if size > self.policy.file_bytes:
                raise TooLarge(issue("async.page-too-large", limit=self.policy.file_bytes))
            chunks.append(chunk)
        return b"".join(chunks)

    def _after(self, lines: Lines, asked: Asked) -> Asked | None:
        """Give what asks for the next page."""
        if lines.next is None:
            return None
        address, _, query = lines.next.partition("?")
        path = address.removeprefix(self.gateway.base_url).removeprefix("/")
        return Asked("GET", path, query, asked.url, asked.handling)

    async def _write(self, *, last: bool) -> bool:
        """Keep what is gathered; tell whether the request is still there."""
        parts = self.files.parts(last=last)
        counts = {"pages": self.pages, "resources": self.resources}
        await self.requests.gathered(self.id, self.run, parts, **counts)
        row = await self.requests.find(self.id)
        return row is not None and row.state == "waiting"

    def _manifest(self, asked: Asked, at: int) -> bytes:
        base = f"{self.gateway.base_url}/_async/{self.id}/"
        output, error = self.files.listed(base)
        return msgspec.json.encode(
            {
                "transactionTime": dump_instant(at),
                "request": asked.url,
                "requiresAccessToken": self.caller != SYSTEM,
                "output": output,
                "error": error,
            }
        )


async def _fail(gateway: Gateway, job: Job, status: int, outcome: bytes) -> None:
    until = gateway.clock() + round(gateway.asynchronous.kept_seconds * SECOND)
    await gateway.store.async_requests.settle(
        job.subject, job.attempts, "failed", status=status, answer=outcome, expires=until
    )
