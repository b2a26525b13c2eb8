"""Long work lets other requests have their turn: in steps, or apart in a thread."""

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STEPS = 50
"""Of long work between two turns: a few tens of milliseconds."""

HEAVY_PARTS = 2_000
"""Values in a resource, or kilobytes of text, from which on it is looked at in a thread: some ten
milliseconds of work, beside which the way there and back is nothing."""


async def give_way(step: int) -> None:
    """Let others go first before every so many steps of long work; ``step`` counts from 0."""
    if step % STEPS == STEPS - 1:
        await asyncio.sleep(0)


def is_heavy(value: Any) -> bool:
    """Tell whether a resource is large; looks at so many parts of it at most."""
    left, held = HEAVY_PARTS, [value]
    while held:
        node = held.pop()
        some = node.values() if isinstance(node, dict) else node
        for each in some:
            left -= 1
            if left < 0:
                return True
            if isinstance(each, str):
                left -= len(each) >> 10
            elif isinstance(each, dict | list):
                held.append(each)
    return left < 0


async def apart(heavy: Any, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Do some work that is about a resource: in a thread when that is heavy, else at once."""
    if is_heavy(heavy):
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)
