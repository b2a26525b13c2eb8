"""Many dossiers in one request: each line is pushed as a dossier of its own, and answered by one.

``POST /dossiers:batch``. What a line does is durable before its receipt is given, and receipts come
in the order of the lines: who has read the receipt of a line goes on behind it. Several are under
way at once, for the store commits together what comes at the same time; those of one dossier
follow one another.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog

from passerelle.dossiers.exchange.batch_lines import Line
from passerelle.dossiers.exchange.receipts_of_push import Receipt, issue_json
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid, Issue, PasserelleError, TooLarge
from passerelle.errors.rules import issue
from passerelle.fhir.json_text import decode
from passerelle.store.caller import Caller

LINES_UNDER_WAY = 4
"""Lines that are worked on at once: while one waits for the disk the next is weighed. A process is
busy with that; more gained nothing, on either database."""

BYTES_UNDER_WAY = 32 * 1024 * 1024
"""Of bodies in memory at once; a line that is larger than that is worked on alone."""

log = structlog.get_logger("passerelle.batch")


@dataclass(frozen=True, slots=True)
class Way:
    """How the lines of a batch are taken; ``line_bytes_max``: as long a line may be."""

    strict: bool = False
    dry_run: bool = False
    minimal: bool = False
    line_bytes_max: int = 0


@dataclass(frozen=True, slots=True)
class LineReceipt:
    """The answer to one line: a receipt, or why there is none."""

    line: int
    status: int
    dossier: str | None = None
    receipt: Receipt | None = None
    issues: tuple[Issue, ...] = ()

    def as_json(self, *, minimal: bool = False) -> dict[str, Any]:
        """Give it as it is answered; ``minimal`` counts the entries instead of naming them."""
        told: dict[str, Any] = {"line": self.line, "status": self.status}
        if self.dossier is not None:
            told["dossier"] = self.dossier
        if self.receipt is None:
            return {**told, "issues": [issue_json(each) for each in self.issues]}
        if not minimal:
            return {**told, "receipt": self.receipt.as_json()}
        actions = Counter(entry.action for entry in self.receipt.entries)
        return {**told, "version": self.receipt.etag, "actions": dict(sorted(actions.items()))}


class Batch:
    """The lines of one request on their way through."""

    def __init__(self, gateway: Gateway, caller: Caller, way: Way) -> None:
        self._gateway = gateway
        self._caller = caller
        self._way = way
        self._last: dict[str, asyncio.Task[LineReceipt]] = {}  # of each dossier under way
        self._bytes = 0
        self._less = asyncio.Event()
        self._tasks: set[asyncio.Task[LineReceipt]] = set()
        self._in_order: asyncio.Queue[asyncio.Task[LineReceipt] | None] = asyncio.Queue(
            LINES_UNDER_WAY - 1
        )

    async def receipts(self, lines: AsyncIterator[Line]) -> AsyncIterator[LineReceipt]:
        """Give the receipts in the order of the lines. Raises what reading the lines raises."""
        reading = asyncio.create_task(self._read(lines))
        try:
            while (task := await self._in_order.get()) is not None:
                yield await task
            await reading
        finally:
            reading.cancel()
            # What is under way is ended, though nobody reads its receipt: it is not much.
            await asyncio.gather(reading, *self._tasks, return_exceptions=True)

    async def _read(self, lines: AsyncIterator[Line]) -> None:
        """Begin with each line as soon as there is room."""
        try:
            async for line in lines:
                await self._begin(line)
        except Exception:
            await self._in_order.put(None)
            raise
        await self._in_order.put(None)

    async def _begin(self, line: Line) -> None:
        size = len(line.body or b"")
        while self._bytes and self._bytes + size > BYTES_UNDER_WAY:
            self._less.clear()
            await self._less.wait()
        self._bytes += size
        tag = _tag(line.body)
        before = self._last.get(tag) if tag else None
        task = asyncio.create_task(self._settle(line, tag, before))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if tag:
            self._last[tag] = task
        await self._in_order.put(task)

    async def _settle(
        self, line: Line, tag: str | None, before: asyncio.Task[LineReceipt] | None
    ) -> LineReceipt:
        try:
            if before is not None:
                await asyncio.wait((before,))
            return await self._push(line, tag)
        finally:
            self._bytes -= len(line.body or b"")
            self._less.set()
            if tag and self._last.get(tag) is asyncio.current_task():
                del self._last[tag]

    async def _push(self, line: Line, tag: str | None) -> LineReceipt:
        """Push one line, whatever becomes of it."""
        way = self._way
        try:
            if line.body is None:
                raise TooLarge(issue("dossier.line-too-long", limit=way.line_bytes_max))
            receipt = await receive(
                self._gateway,
                self._caller,
                tag or "|",
                line.body,
                if_match=None,
                strict=way.strict,
                dry_run=way.dry_run,
            )
        except PasserelleError as refusal:
            return LineReceipt(line.number, refusal.status, tag, issues=refusal.issues)
        except Exception as fault:  # a fault of ours at one line does not end the others
            reference = secrets.token_hex(8)
            log.error("batch.fault", reference=reference, fault=type(fault).__name__)
            said = issue("http.internal", reference=reference)
            return LineReceipt(line.number, PasserelleError.status, tag, issues=(said,))
        status = 200 if way.dry_run else receipt.status
        return LineReceipt(line.number, status, tag, receipt)


def _tag(body: bytes | None) -> str | None:
    """Give the name of the dossier that a line holds, None where it cannot be read."""
    if body is None:
        return None
    try:
        found = decode(body).get("id")
    except Invalid:
        return None
    parts = found if isinstance(found, dict) else {}
    system, value = parts.get("system"), parts.get("value")
    if isinstance(system, str) and isinstance(value, str) and system and value:
        return f"{system}|{value}"
    return None
