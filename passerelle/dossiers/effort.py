"""What the entries of one bundle take together: computing time, and the record's time to search.

Counted as it is spent, step by step, so that what other requests compute meanwhile is not in it. A
bundle that has taken what one may take has the rest of its entries refused.
"""

from collections.abc import Callable, Coroutine, Generator
from time import thread_time
from typing import Any, Generic, TypeVar

from passerelle.errors.refusals import Throttled
from passerelle.errors.rules import issue
from passerelle.store.time_taken import COUNTER

T = TypeVar("T")

BATCH_SECONDS = 30.0
"""As usual for the entries of one bundle: some ten times what 5,000 plain ones take."""


class Effort:
    """What may be spent, and what was; ``clock`` tells the computing time of this thread."""

    def __init__(
        self, seconds: float = BATCH_SECONDS, clock: Callable[[], float] = thread_time
    ) -> None:
        self.limit = seconds
        self.spent = 0.0
        self.clock = clock

    def spend(self, seconds: float) -> None:
        """Count what was taken elsewhere: in a thread, by the record."""
        self.spent += seconds

    def demand(self, place: str) -> None:
        """Raise Throttled, at a place, when all has been spent."""
        if self.spent >= self.limit:
            raise Throttled(issue("bundle.too-costly", place, limit=f"{self.limit:g}"))

    async def of(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work, counting what it takes."""
        token = COUNTER.set(self.spend)
        try:
            return await _Counted(work, self)
        finally:
            COUNTER.reset(token)


class _Counted(Generic[T]):
    """Work whose every step in the loop is counted; waiting is not."""

    def __init__(self, work: Coroutine[Any, Any, T], effort: Effort) -> None:
        self.work = work
        self.effort = effort

    def __await__(self) -> Generator[Any, Any, T]:
        effort, step = self.effort, self.work.send
        given: Any = None
        while True:
            started = effort.clock()
            try:
                waited = step(given)
            except StopIteration as done:
                found: T = done.value
                return found
            finally:
                effort.spend(effort.clock() - started)
            try:
                given, step = (yield waited), self.work.send
            except GeneratorExit:
                self.work.close()
                raise
            except BaseException as fault:
                given, step = fault, self.work.throw
