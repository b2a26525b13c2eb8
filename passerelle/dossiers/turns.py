"""Long work lets other requests have their turn: in steps, or apart in a thread.

What is apart is done by a few threads, in the order in which it came: many large bodies wait for
one another, and the small ones for none of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from passerelle.store import time_taken

P = ParamSpec("P")
T = TypeVar("T")

STEPS = 50
"""Of long work between two turns: a few tens of milliseconds."""

HEAVY_PARTS = 2_000
"""Values in a resource, or kilobytes of text, from which on it is looked at in a thread: some ten
milliseconds of work, beside which the way there and back is nothing."""

HEAVY_AT_ONCE = 2
"""Threads that look at heavy resources. They share one interpreter with the loop that answers the
others: more of them would make nothing faster, and every turn of the loop longer."""

LARGE_AT_ONCE = 2
"""Transactions of many values that are decided at once; each has its turn after so many values."""

_THREADS = ThreadPoolExecutor(HEAVY_AT_ONCE, "heavy")
_LARGE: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def give_way(step: int) -> None:
    """Let others go first before every so many steps of long work; ``step`` counts from 0."""
    if step % STEPS == STEPS - 1:
        await asyncio.sleep(0)


class Turns:
    """The turns of one long work that is done in the loop: others go first as it gets long."""

    def __init__(self) -> None:
        self._left = HEAVY_PARTS

    async def take(self, parts: int) -> None:
        """Take work on so many values, after others when much was done since they had a turn."""
        self._left -= parts + HEAVY_PARTS // STEPS
        if self._left < 0:
            self._left = HEAVY_PARTS
            await asyncio.sleep(0)


_SHORT = 1_023
"""Characters of a text that counts as one part."""


def weight(value: Any) -> int:
    """Give how many parts a value has: all that are counted, as soon as it is heavy."""
    left, held = HEAVY_PARTS, [value]
    for node in held:  # which grows as it is gone through
        left -= len(node)
        if left < 0:
            return HEAVY_PARTS + 1
        for each in node.values() if type(node) is dict else node:
            kind = type(each)
            if kind is str:
                if len(each) > _SHORT:
                    left -= len(each) >> 10
            elif kind is dict or kind is list:
                held.append(each)
    return min(HEAVY_PARTS - left, HEAVY_PARTS + 1)


def is_heavy(value: Any) -> bool:
    """Tell whether a resource, or what is of so many parts, is large."""
    if type(value) is int:
        return value > HEAVY_PARTS
    return weight(value) > HEAVY_PARTS


async def apart(heavy: Any, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Do some work that is about a resource: in a thread when that is heavy, else at once.

    ``heavy`` is the resource, or its weight where that is known.
    """
    if is_heavy(heavy):
        return await in_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Do some work in one of the threads for what is heavy, once those before it are done."""
    timed = partial(time_taken.timed, work, *args, **kwargs)
    loop = asyncio.get_running_loop()
    found, seconds = await loop.run_in_executor(_THREADS, partial(copy_context().run, timed))
    time_taken.tell(seconds)
    return found


@asynccontextmanager
async def admitted(body: Any) -> AsyncIterator[None]:
    """Have a large body worked on once few enough others are; a small one at once."""
    if not is_heavy(body):
        yield
        return
    loop = asyncio.get_running_loop()
    async with _LARGE.setdefault(loop, asyncio.Semaphore(LARGE_AT_ONCE)):
        yield
