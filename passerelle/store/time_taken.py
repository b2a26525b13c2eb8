"""Who counts the time that the record takes to search, told from where that time is spent.

A search runs in a thread of its own (SQLite) or at the server (PostgreSQL), where whoever asked
cannot see what it takes: it is told here, to the counter of the task that asked, if it has one.
"""

from collections.abc import Callable
from contextvars import ContextVar
from time import thread_time
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

COUNTER: ContextVar[Callable[[float], None] | None] = ContextVar("time_taken", default=None)
"""What is told the seconds."""


def tell(seconds: float) -> None:
    """Tell the counter of this task, if it has one, what was taken for it."""
    counter = COUNTER.get()
    if counter is not None:
        counter(seconds)


def timed(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """Do some work in this thread; give what it gives, and the seconds that it computed."""
    started = thread_time()
    found = work(*args, **kwargs)
    return found, thread_time() - started
