"""Large bodies wait for one another, small ones for none of them."""

import asyncio
import threading

import pytest

from passerelle.dossiers.turns import (
    HEAVY_AT_ONCE,
    HEAVY_PARTS,
    LARGE_AT_ONCE,
    Turns,
    admitted,
    apart,
    in_thread,
    is_heavy,
    weight,
)

pytestmark = pytest.mark.anyio

LARGE = {"name": [{}] * HEAVY_PARTS}
SMALL = {"name": [{}]}


class Counted:
    """Counts how many are at it at once; whoever is, stays until it is let go."""

    def __init__(self):
        self.now = self.most = self.done = 0
        self._lock = threading.Lock()

    def enter(self):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def leave(self):
        with self._lock:
            self.now -= 1
            self.done += 1


async def until(holds):
    """Let others go on until something holds."""
    while not holds():  # noqa: ASYNC110 -- threads are waited for as well
        await asyncio.sleep(0)


async def test_of_many_heavy_resources_a_few_are_looked_at_at_once_and_small_ones_meanwhile():
    counted, may_end = Counted(), threading.Event()

    def look():
        counted.enter()
        may_end.wait()
        counted.leave()

    heavy = [asyncio.create_task(apart(LARGE, look)) for _ in range(20)]
    try:
        await until(lambda: counted.now == HEAVY_AT_ONCE)
        # All threads for what is heavy are taken, and 18 wait: a thousand small ones do not.
        for number in range(1_000):
            assert await apart(SMALL, lambda number=number: number) == number
        assert (counted.now, counted.done) == (HEAVY_AT_ONCE, 0)
    finally:
        may_end.set()
        await asyncio.gather(*heavy)
    assert (counted.most, counted.done) == (HEAVY_AT_ONCE, 20)


async def test_what_nobody_waits_for_any_more_is_not_looked_at():
    may_end, looked = threading.Event(), []
    busy = [asyncio.create_task(in_thread(may_end.wait)) for _ in range(HEAVY_AT_ONCE)]
    late = asyncio.create_task(in_thread(looked.append, 1))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    may_end.set()
    await asyncio.gather(*busy)
    await in_thread(looked.append, 2)
    assert looked == [2]


async def test_of_many_large_bodies_a_few_are_admitted_at_once_and_small_ones_always():
    counted, may_end = Counted(), asyncio.Event()

    async def decide(body):
        async with admitted(body):
            counted.enter()
            await may_end.wait()
            counted.leave()

    large = [asyncio.create_task(decide(LARGE)) for _ in range(20)]
    await until(lambda: counted.now == LARGE_AT_ONCE)
    for _ in range(1_000):
        async with admitted(SMALL):
            await asyncio.sleep(0)
    assert (counted.now, counted.done) == (LARGE_AT_ONCE, 0)
    may_end.set()
    await asyncio.gather(*large)
    assert (counted.most, counted.done) == (LARGE_AT_ONCE, 20)


@pytest.mark.parametrize("parts", [1, 30, 400, HEAVY_PARTS + 1])
async def test_others_have_a_turn_after_so_many_parts_whatever_the_size_of_the_pieces(parts):
    turns, had = Turns(), 0

    async def other():
        nonlocal had
        while True:
            had += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(1_000):
        await turns.take(parts)
    task.cancel()
    # Each piece counts for itself and for what comes with it, be it ever so small.
    assert had >= 1_000 * (parts + 40) // (HEAVY_PARTS + parts + 40) - 1
    assert had <= 1_000


def test_a_weight_is_counted_as_far_as_it_matters():
    assert weight({}) == 0
    assert weight({"a": 1, "b": [1, 2], "c": {"d": "x" * 2_048}}) == 8
    assert weight(LARGE) == weight({"a": LARGE}) == weight([[]] * 10**6) == HEAVY_PARTS + 1
    assert is_heavy(HEAVY_PARTS + 1)
    assert not is_heavy(HEAVY_PARTS)
