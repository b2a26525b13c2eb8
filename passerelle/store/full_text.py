"""The full text of the record, which follows the log a little behind the commits.

What a write costs does not grow by it: the words of what changed are gathered afterwards, a step at
a time, by whoever works beside the requests or by the search that needs them. The place that was
reached is kept with the words, in one transaction: after a crash it goes on from there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import BigInteger, Text, bindparam, func, select, tuple_

from passerelle.errors.refusals import Invalid, Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir import json_text
from passerelle.fhir.instants import dump_instant
from passerelle.fhir.resource import Key
from passerelle.fhir.search.full_text_words import FullText as Words
from passerelle.fhir.search.full_text_words import full_text
from passerelle.fhir.search.language.full_text import asked_by_full_text
from passerelle.fhir.search.query import Query
from passerelle.store import schema
from passerelle.store.caller import SYSTEM, Caller
from passerelle.store.contract import Mark, Page, Version
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled

NAME = "full-text"
"""Of the follower, in the table of that name."""

CATCH_UP_MAX = 500
"""Changes that a search waits for; it says so when there are more."""

STEP = 100
"""Changes that are followed in one transaction."""

ROUNDS_MAX = 30


class Kept(NamedTuple):
    """The words of one resource."""

    pid: int
    words: Words


class Shelf(Protocol):
    """What a database does for the full text. All raise Unavailable."""

    @property
    def dialect(self) -> DialectName:
        """Name the dialect."""

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""

    async def move(
        self, before: Mark, after: Mark, pids: Sequence[int], kept: Sequence[Kept]
    ) -> bool:
        """Replace the words of some resources and go on to a mark, all or nothing.

        False when another follower has moved the mark meanwhile: then nothing was done.
        """


class Log(Protocol):
    """What of the store is read to follow it."""

    async def changes(self, caller: Caller, *, after: Mark, limit: int) -> Sequence[Version]:
        """Give the changes after a mark."""

    async def read_many(self, keys: Sequence[Key], caller: Caller) -> Mapping[Key, Version]:
        """Give the heads of keys."""


class FullText:
    """The words of all resources of one record; ``on`` says whether they are kept at all."""

    def __init__(self, shelf: Shelf, log: Log, *, on: bool) -> None:
        self.on = on
        self._shelf = shelf
        self._log = log
        self._turn = asyncio.Lock()

    async def mark(self) -> Mark:
        """Give the place in the log that was reached."""
        sql = mark_reading(self._shelf.dialect).sql
        rows = await self._shelf.rows(sql, (NAME,))
        return Mark(*rows[0]) if rows else Mark()

    async def newest(self) -> Mark:
        """Give the place of the newest version, below the commit horizon or not."""
        text = _newest(self._shelf.dialect)
        rows = await self._shelf.rows(text.sql, text.args())
        return Mark(*rows[0]) if rows else Mark()

    async def step(self, limit: int = STEP) -> int:
        """Follow the log by some changes; give how many there were.

        The words are those of the heads, so that what changed often is read once, and an older
        text never takes the place of a newer one.
        """
        before = await self.mark()
        versions = await self._log.changes(SYSTEM, after=before, limit=limit)
        if versions:
            heads = await self._log.read_many([version.key for version in versions], SYSTEM)
            kept = await asyncio.to_thread(_words_of, list(heads.values()))
            after = Mark(versions[-1].at, versions[-1].seq)
            pids = sorted({version.pid for version in versions})
            await self._shelf.move(before, after, pids, kept)
        return len(versions)

    async def catch_up(self) -> Mark | None:
        """Follow what is left when that is little; give the place reached when it lags behind."""
        async with self._turn:
            newest, mark = await self.newest(), await self.mark()
            if mark >= newest:
                return None
            if await self._left(mark) > CATCH_UP_MAX:
                return mark
            for _ in range(ROUNDS_MAX):
                if not await self.step():
                    break  # the rest is not below the commit horizon yet
                if await self.mark() >= newest:
                    return None
            mark = await self.mark()
            return None if mark >= newest else mark

    async def answering(self, query: Query) -> tuple[Issue, ...]:
        """Make ready for a search; give what is to be told with its answer.

        Raises Invalid, by the name of the parameter, when there is no full text.
        """
        within = () if query.within is None else (query.within,)
        name = asked_by_full_text((*query.clauses, *within))
        if name is None:
            return ()
        if not self.on:
            raise Invalid(issue("search.parameter-not-supported", name, name=name))
        behind = await self.catch_up()
        if behind is None:
            return ()
        return (issue("search.full-text-behind", instant=dump_instant(behind.at)),)

    async def _left(self, mark: Mark) -> int:
        """Count the versions after a mark, up to one more than a search waits for."""
        text = _left(self._shelf.dialect)
        rows = await self._shelf.rows(text.sql, text.args(at=mark.at, seq=mark.seq))
        return int(rows[0][0])


def _words_of(heads: Sequence[Version]) -> list[Kept]:
    """Gather the words of heads; a deletion has none, nor has a body that cannot be read."""
    found: list[Kept] = []
    for head in heads:
        if head.body is not None:
            # A damaged body is for the check to tell of: it shall not hold up all that follows.
            with suppress(PasserelleError):
                found.append(Kept(head.pid, full_text(json_text.decode(head.body))))
    return found


def telling(page: Page, issues: tuple[Issue, ...]) -> Page:
    """Give a page with more to tell."""
    return replace(page, issues=(*page.issues, *issues)) if issues else page


@cache
def mark_reading(dialect: DialectName) -> Compiled:
    """Give the reading of how far a follower has come, by its name."""
    follower = schema.follower.c
    name = bindparam("name", type_=Text)
    return compiled(select(follower.at, follower.seq).where(follower.name == name), dialect)


@cache
def _newest(dialect: DialectName) -> Compiled:
    version = Rows(SYSTEM).version.c
    last = select(version.at, version.seq).order_by(version.at.desc(), version.seq.desc())
    return compiled(last.limit(1), dialect)


@cache
def _left(dialect: DialectName) -> Compiled:
    version = Rows(SYSTEM).version.c
    place = tuple_(bindparam("at", type_=BigInteger), bindparam("seq", type_=BigInteger))
    some = select(version.seq).where(tuple_(version.at, version.seq) > place)
    some = some.order_by(version.at, version.seq).limit(CATCH_UP_MAX + 1)
    return compiled(select(func.count()).select_from(some.subquery()), dialect)
