"""Long work in the event loop lets other requests have their turn now and then."""

import asyncio

STEPS = 50
"""Of long work between two turns: a few tens of milliseconds."""


async def give_way(step: int) -> None:
    """Let others go first before every so many steps of long work; ``step`` counts from 0."""
    if step % STEPS == STEPS - 1:
        await asyncio.sleep(0)
