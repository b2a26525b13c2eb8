"""Read-only connections to the file: one in the event loop, a few in threads.

A thread costs more than most readings: what is done within a budget of steps of SQLite's machine
is done in the loop, the rest is begun again in a thread.
https://www.sqlite.org/c3ref/progress_handler.html
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.store.sqlite.sqlite_connection import connect_reader
from passerelle.store.sqlite.sqlite_faults import interrupted, too_nested, unavailable
from passerelle.store.time_taken import tell, timed

STEPS = 1_000
"""Of the machine between two looks at the budget."""

BUDGET = 40
"""Looks: about a millisecond."""

THREADS = 3

T = TypeVar("T")


class SqliteReaders:
    """Runs readings, each in one snapshot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._near: sqlite3.Connection | None = None
        self._spent = 0
        self._threads: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._far: list[sqlite3.Connection] = []

    def start(self) -> None:
        """Open the connection of the event loop. Raises sqlite3.Error."""
        self._near = connect_reader(self._path)
        self._near.set_progress_handler(self._look, STEPS)
        self._threads = ThreadPoolExecutor(THREADS, "sqlite-reader")

    async def stop(self) -> None:
        """Finish the readings in threads and close all connections."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
        near, self._near = self._near, None
        for connection in (near, *self._far):
            if connection is not None:
                connection.close()
        self._far.clear()

    def _look(self) -> int:
        """Tell SQLite to stop (1) once the budget is spent."""
        self._spent += 1
        return self._spent > BUDGET

    def _allow_the_end(self) -> None:
        """Let what is over its budget end its transaction: a COMMIT has steps as well.

        SQLite counts the steps of a statement from one execution to the next: now and then it looks
        in the midst of a COMMIT, and one that is stopped there would stay open for ever.
        """
        self._spent = 0

    def one(self, sql: str, args: tuple[Any, ...]) -> Any:
        """Give the first row of a point reading, here and now. Raises Unavailable."""
        self._spent = 0
        near = self._near
        if near is None:
            raise Unavailable(issue("record.unavailable"))
        try:
            return near.execute(sql, args).fetchone()
        except sqlite3.Error as fault:
            raise unavailable(fault) or fault from fault

    async def rows(self, sql: str, args: tuple[Any, ...]) -> list[Any]:
        """Give all rows of one statement. Raises Unavailable."""
        return await self.run(lambda connection: connection.execute(sql, args).fetchall())

    async def run(self, reading: Callable[[sqlite3.Connection], T], *, far: bool = False) -> T:
        """Do a reading in one snapshot: in the loop, or in a thread when it is large (``far``).

        The reading may be begun a second time. Raises Unavailable.
        """
        near, threads = self._near, self._threads
        if near is None or threads is None:
            raise Unavailable(issue("record.unavailable"))
        try:
            if not far:
                self._spent = 0
                try:
                    return _snapshot(near, reading, self._allow_the_end)
                except sqlite3.OperationalError as fault:
                    if not interrupted(fault):
                        raise
            loop = asyncio.get_running_loop()
            found, seconds = await loop.run_in_executor(threads, timed, self._run_far, reading)
            tell(seconds)
            return found
        except sqlite3.Error as fault:
            raise unavailable(fault) or too_nested(fault) or fault from fault

    def _run_far(self, reading: Callable[[sqlite3.Connection], T]) -> T:
        """Do a reading on the connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_reader(self._path)
            self._far.append(connection)
        return _snapshot(connection, reading)


def _snapshot(
    connection: sqlite3.Connection,
    reading: Callable[[sqlite3.Connection], T],
    ending: Callable[[], None] = lambda: None,
) -> T:
    """Do a reading of several statements on one state of the file; ``ending`` before its end."""
    connection.execute("BEGIN")
    try:
        return reading(connection)
    finally:
        ending()
        if connection.in_transaction:
            connection.execute("COMMIT")


def without_waiting(reading: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for anything, as those of SQLite do not."""
    try:
        reading.send(None)
    except StopIteration as done:
        given: T = done.value
        return given
    reading.close()
    raise AssertionError("a reading of SQLite waits for something")
