"""Decide again when what was decided on has changed meanwhile.

Conditions are read, decided on, then checked again by the commit under its locks (optimistic
concurrency); a commit that finds them changed says Stale and everything is decided anew.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from passerelle.errors.refusals import Conflict
from passerelle.errors.rules import issue
from passerelle.store.contract import Stale

ATTEMPTS_MAX = 64
"""As many writers at once on one condition are settled; each round lets at least one through."""

T = TypeVar("T")


async def settle(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run an attempt until its commit finds nothing changed. Raises Conflict after too many."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except Stale:
            continue
    raise Conflict(issue("record.busy"))
