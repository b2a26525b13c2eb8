"""The one thread that writes to the file: it takes all that waits and commits once.

A commit costs one wait for the disk however many units it holds; answers are given only after it.
Another process may write to the same file: each transaction begins IMMEDIATE and waits its turn.
https://www.sqlite.org/lang_transaction.html
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from passerelle.errors.refusals import PasserelleError, Unavailable
from passerelle.errors.rules import issue
from passerelle.store.contract import Stale, Unit
from passerelle.store.sqlite.sqlite_batch import Batch
from passerelle.store.sqlite.sqlite_connection import connect_writer
from passerelle.store.sqlite.sqlite_faults import unavailable

WAITING_MAX = 4_096
"""Tasks that may wait; more are refused at once, so that the memory stays bounded."""

BATCH_MAX = 256
"""Tasks in one transaction."""

T = TypeVar("T")


@dataclass(slots=True)
class Task:
    """Something to do inside a transaction, who waits for it, and the unit to look up before."""

    work: Callable[[Batch], Any]
    future: asyncio.Future[Any]
    unit: Unit | None = None


class SqliteWriter:
    """Runs tasks in the order they come, many in one transaction, none seeing another fail."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self._path = path
        self._clock = clock
        self._last = 0
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the file and start the thread. Raises sqlite3.Error."""
        self._loop = loop
        self._connection = connect_writer(self._path)
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Do what waits, then end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    def close(self) -> None:
        """Close the file, once stopped."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def run(self, work: Callable[[Batch], T], unit: Unit | None = None) -> T:
        """Do some work in a transaction, and give what it gave, after the commit.

        Raises what the work raises, or Unavailable when it cannot be committed.
        """
        if self._thread is None or self._loop is None:
            raise Unavailable(issue("record.unavailable"))
        if self._queue.qsize() >= WAITING_MAX:
            raise Unavailable(issue("record.busy"))
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Task(work, future, unit))
        return cast(T, await future)

    def _run(self) -> None:
        """Live as long as the writer: the body of the thread."""
        going = True
        while going:
            tasks: list[Task] = []
            first = self._queue.get()
            if first is None:
                return
            tasks.append(first)
            while len(tasks) < BATCH_MAX:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    going = False
                    break
                tasks.append(more)
            self._commit(tasks)

    def _commit(self, tasks: list[Task]) -> None:
        """Do the tasks in one transaction; when one of them spoils it, each in one of its own."""
        try:
            results = self._attempt(tasks)
        except Exception as fault:  # of the disk, or of one task: never of the thread
            self._recover()
            refusal = unavailable(fault)
            if refusal is None and len(tasks) > 1:
                for task in tasks:
                    self._commit([task])
                return
            results = [refusal or fault] * len(tasks)
        self._answer(tasks, results)

    def _attempt(self, tasks: list[Task]) -> list[Any]:
        """Give what each task gave or was refused with, once all is on the disk."""
        if self._connection is None:
            self._connection = connect_writer(self._path)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        batch = Batch(connection, self._now)
        batch.look_up([task.unit for task in tasks if task.unit is not None])
        results: list[Any] = []
        for task in tasks:
            try:
                results.append(task.work(batch))
            except (PasserelleError, Stale, LookupError) as refusal:
                if isinstance(refusal, KeyError | IndexError):
                    raise  # a fault of ours: who knows what it has gathered already
                results.append(refusal)
            if task.unit is None:
                batch.unsettle()
        batch.flush()
        connection.execute("COMMIT")
        return results

    def _now(self, at_least: int) -> int:
        """Give an instant that is not before any given already."""
        self._last = max(self._clock(), self._last, at_least)
        return self._last

    def _recover(self) -> None:
        """Undo what was begun; a connection that cannot even do that is given up."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection = None
            connection.close()

    def _answer(self, tasks: list[Task], results: list[Any]) -> None:
        """Wake all who wait, with one call into their event loop."""
        assert self._loop is not None
        pairs = list(zip(tasks, results, strict=True))
        try:
            self._loop.call_soon_threadsafe(_resolve, pairs)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return


def _resolve(pairs: list[tuple[Task, Any]]) -> None:
    for task, result in pairs:
        if task.future.done():
            continue
        if isinstance(result, BaseException):
            task.future.set_exception(result)
        else:
            task.future.set_result(result)
