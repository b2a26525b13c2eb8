"""A reader of the feed that waits for the next change (long poll), among a bounded number of them.

https://www.rfc-editor.org/rfc/rfc6202#section-2 . A commit of this process wakes it at once; those
of others are looked for now and then, as are those that came while it rested.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from passerelle.dossiers.exchange.dossier_feed import FeedPage, feed
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Throttled
from passerelle.errors.rules import issue
from passerelle.store.caller import Caller

WAIT_SECONDS_MAX = 60
WAITERS_MAX = 100
"""Readers that may wait at once in a process: each looks a few times a second while others
write."""

ELSEWHERE_SECONDS = 1.0
"""Commits of other processes are looked for that often."""

REST_SECONDS = 0.2
"""Between two looks at least, however often others commit what is of no dossier."""


Gone: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Waits until nobody waits for the answer any more."""


class FeedWaiting:
    """Those who wait for changes in this process."""

    def __init__(self, gateway: Gateway, *, waiters_max: int = WAITERS_MAX) -> None:
        self.gateway = gateway
        self.waiters_max = waiters_max
        self.waiting = 0

    async def page(
        self, caller: Caller, *, cursor: str, limit: int, seconds: int, gone: Gone
    ) -> FeedPage:
        """Give a page as soon as it has a line, or as it is when time runs out.

        ``gone`` ends before its time what nobody waits for any more: the client has hung up, or
        the process is to stop. Raises Throttled when too many wait already, Invalid.
        """
        if not seconds:
            return await feed(self.gateway, caller, cursor=cursor, limit=limit)
        if self.waiting >= self.waiters_max:
            raise Throttled(issue("dossier.too-many-waiting", limit=self.waiters_max))
        self.waiting += 1
        ended = asyncio.ensure_future(gone())
        try:
            return await self._wait(caller, cursor, limit, seconds, ended)
        finally:
            self.waiting -= 1
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def _wait(
        self, caller: Caller, cursor: str, limit: int, seconds: int, ended: asyncio.Future[Any]
    ) -> FeedPage:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            tide = self.gateway.store.dossiers.tide.next()
            page = await feed(self.gateway, caller, cursor=cursor, limit=limit)
            left = until - loop.time()
            if page.lines or ended.done() or left <= 0:
                return page
            cursor = page.next
            if page.more:
                continue
            risen = asyncio.ensure_future(tide.wait())
            await _first((risen, ended), min(left, ELSEWHERE_SECONDS))
            risen.cancel()
            await asyncio.gather(risen, return_exceptions=True)
            await _first((ended,), min(REST_SECONDS, max(0.0, until - loop.time())))


async def _first(awaited: tuple[asyncio.Future[Any], ...], seconds: float) -> None:
    """Wait for any of these, so long at most."""
    await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
