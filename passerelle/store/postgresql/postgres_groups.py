"""Units that wait for PostgreSQL, gathered so that one transaction commits many.

A commit costs several ways to the server and one wait for its disk however many units it holds;
answers are given only after it (https://www.postgresql.org/docs/current/wal-reliability.html).
Units of one group have no lock in common, so that each is decided as if it were alone; what meets
a unit that came before waits for a later group, and is never overtaken by what it would meet.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.store.caller import Caller
from passerelle.store.contract import Outcome, Put, Unit
from passerelle.store.postgresql.postgres_commit import Result
from passerelle.store.postgresql.postgres_locks import Locks

WAIT_SECONDS = 5.0
"""As long a unit waits for its turn before it is refused."""

GROUP_UNITS, GROUP_LOCKS, GROUP_BYTES = 64, 512, 4 << 20
"""What one group may hold; a unit that fills a tenth of it by itself is not worth gathering."""

ALONE = 10

GROUPS_MAX = 4
"""Groups under way at once. A second one begins when the first takes long, or enough are waiting:
one that waits for another process's lock does not hold up the others."""

PATIENCE_SECONDS = 0.05

Asked: TypeAlias = tuple[Unit, Caller]
Write: TypeAlias = Callable[[Sequence[Asked]], Awaitable[Sequence[Result]]]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A unit, who waits for it, and for how long still: without end once it has its turn."""

    asked: Asked
    locks: Locks
    size: int
    future: asyncio.Future[tuple[Outcome, ...]]
    limit: asyncio.Timeout | None = None


def size_of(unit: Unit) -> int:
    """Give how many bytes the bodies of a unit have."""
    drafts = [write.draft for write in unit.writes if isinstance(write, Put)]
    return sum(len(one.before) + len(one.after) + len(one.aside or b"") for one in drafts)


def goes_alone(unit: Unit) -> bool:
    """Tell whether a unit has a transaction of its own: a large one, or one with other rows.

    Jobs, messages and blobs may be refused by the database itself, which ends the transaction.
    """
    only_resources = Unit(
        writes=unit.writes,
        expectations=unit.expectations,
        present=unit.present,
        unreferenced=unit.unreferenced,
        dossiers=unit.dossiers,
    )
    return (
        len(unit.writes) + len(unit.present) > GROUP_LOCKS // ALONE
        or size_of(unit) > GROUP_BYTES // ALONE
        or unit != only_resources
    )


@dataclass(slots=True, eq=False)
class Groups:
    """Gathers units that come at the same time, and has ``write`` commit them together.

    ``write`` gives what became of each unit, in their order, and does not raise. Of those that wait
    beyond ``waiting_max`` more are refused at once, so that the memory stays bounded.
    """

    write: Write
    waiting_max: int
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _under_way: dict[asyncio.Task[None], list[_Waiting]] = field(default_factory=dict)
    _next: asyncio.Handle | None = None
    _begun: float = 0.0

    async def commit(self, unit: Unit, caller: Caller) -> tuple[Outcome, ...]:
        """Commit a unit together with others. Raises what ``Store.commit`` raises."""
        if len(self._waiting) >= self.waiting_max:
            raise Unavailable(issue("record.busy"))
        loop = asyncio.get_running_loop()
        one = _Waiting((unit, caller), Locks.of([unit]), size_of(unit), loop.create_future())
        self._waiting.append(one)
        if self._next is None:  # after all that this turn of the loop brings
            self._next = loop.call_soon(self._begin)
        try:
            async with asyncio.timeout(WAIT_SECONDS) as one.limit:
                return await one.future
        except TimeoutError:
            raise Unavailable(issue("record.busy")) from None

    async def finish(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        while self._waiting or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way)
            else:
                await asyncio.sleep(0)

    def _begin(self) -> None:
        """Let groups begin, as many as may now; look again when the patience is over."""
        loop = asyncio.get_running_loop()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        while self._waiting and self._may_begin(loop.time()):
            group = self._take()
            if not group:
                break
            self._begun = loop.time()
            self._under_way[loop.create_task(self._run(group))] = group
        if self._waiting:
            self._next = loop.call_later(PATIENCE_SECONDS, self._begin)

    def _may_begin(self, now: float) -> bool:
        under_way = len(self._under_way)
        if under_way == 0:
            return True
        late = now - self._begun >= PATIENCE_SECONDS
        return under_way < GROUPS_MAX and (late or len(self._waiting) >= GROUP_UNITS)

    def _take(self) -> list[_Waiting]:
        """Take from those that wait a group that meets nothing that came before."""
        taken: list[_Waiting] = []
        before = [one for group in self._under_way.values() for one in group]
        alone = {name for one in before for name in one.locks.alone}
        shared = {name for one in before for name in one.locks.shared}
        left: deque[_Waiting] = deque()
        locks = size = 0
        while self._waiting and len(taken) < GROUP_UNITS:
            one = self._waiting.popleft()
            if one.future.done():  # nobody waits for it any more
                continue
            mine = one.locks
            locks += len(mine.alone) + len(mine.shared)
            size += one.size
            if locks > GROUP_LOCKS or size > GROUP_BYTES:
                left.append(one)
                break
            if (
                alone.isdisjoint(mine.alone)
                and alone.isdisjoint(mine.shared)
                and shared.isdisjoint(mine.alone)
            ):
                taken.append(one)
                if one.limit is not None:
                    one.limit.reschedule(None)
            else:
                left.append(one)
            alone |= mine.alone
            shared |= mine.shared
        self._waiting.extendleft(reversed(left))
        return taken

    async def _run(self, group: list[_Waiting]) -> None:
        """Commit a group and answer all who wait for it."""
        try:
            results = await self.write([one.asked for one in group])
            for one, result in zip(group, results, strict=True):
                if one.future.done():
                    continue
                if isinstance(result, Exception):
                    one.future.set_exception(result)
                else:
                    one.future.set_result(result)
        finally:
            for one in group:
                one.future.cancel()
            task = asyncio.current_task()
            assert task is not None
            del self._under_way[task]
            self._begin()
