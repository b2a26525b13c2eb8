"""What is asked of many dossiers at once, or of one as it was: changes, states, counts, cursors.

All of it goes through ``Rows(caller)``. The feed of changes has the one order of all feeds,
``(at, seq)``, below the commit horizon: docs/decisions/2611-feeds-stay-below-the-horizon.md.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from passerelle.fhir.resource import Key
from passerelle.store.caller import Caller
from passerelle.store.contract import Mark, Version
from passerelle.store.search_sql.cursor import Place, scope_of, seal, unseal
from passerelle.store.search_sql.search_paging import Run
from passerelle.store.sql import dossier_statements as statements
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.referring import pairs_args
from passerelle.store.sql.statements import to_version
from passerelle.store.wake_up import Tide

T = TypeVar("T")


class Change(NamedTuple):
    """A version of any resource, without its body; ``dossier`` is the cell of its own dossier."""

    at: int
    seq: int
    tx: int
    key: Key
    version: int
    gone: bool  # it is a deletion
    element: str | None
    dossier: str | None

    @property
    def mark(self) -> Mark:
        """Give its place in the feed."""
        return Mark(self.at, self.seq)


class Step(NamedTuple):
    """A transaction that wrote resources: its instant, its last place, what it wrote."""

    mark: Mark
    tx: int


class Count(NamedTuple):
    """How many resources of a type and an element a dossier has, deleted ones not counted."""

    dossier: str
    type: str
    element: str | None
    number: int


class Reader(Protocol):
    """A database as these readings are run on it. Raises Unavailable."""

    @property
    def dialect(self) -> DialectName:
        """Name the dialect."""

    @property
    def secret(self) -> bytes:
        """Give what seals the cursors."""

    async def read(
        self, reading: Callable[[Run, int | None], Awaitable[T]], *, polled: bool = False
    ) -> T:
        """Do a reading with what runs a text, and the commit horizon where it is ``polled``."""


class DossierReadings:
    """The readings of one record. All raise Unavailable."""

    def __init__(self, reader: Reader, tide: Tide) -> None:
        self._reader = reader
        self.tide = tide
        """Rises with every commit of this process."""

    async def changes(self, caller: Caller, *, after: Mark, limit: int) -> Sequence[Change]:
        """Give the versions after a mark, of whatever resource, in the order of the feed."""
        dialect = self._reader.dialect

        async def reading(run: Run, below: int | None) -> Sequence[Sequence[Any]]:
            text = statements.changes(caller.kind, dialect, below=below is not None)
            args = text.args(place=after.at, place_seq=after.seq, below=below, limit=limit)
            return await run(text.sql, args)

        rows = await self._reader.read(reading, polled=True)
        return [_change(row) for row in rows]

    async def newest(self, caller: Caller) -> Mark:
        """Give a mark that all changes visible now stand before or at, and later ones behind."""
        dialect = self._reader.dialect

        async def reading(run: Run, below: int | None) -> Mark:
            text = statements.newest(caller.kind, dialect, below=below is not None)
            rows = await run(text.sql, text.args(below=below))
            return Mark(*rows[0]) if rows else Mark()

        return await self._reader.read(reading, polled=True)

    async def of_shared(
        self, change: Change, caller: Caller, *, after: str, limit: int
    ) -> Sequence[str]:
        """Give the cells of dossiers with a resource that refers to what changed, in their order.

        Those whose resource was written later are left out: the feed comes to them anyway.
        """
        args = (*change.key, *change.mark, after, limit)
        rows = await self._run(statements.of_shared(caller.kind, self._reader.dialect), args)
        return [str(row[0]) for row in rows]

    async def as_of(self, dossier: str, mark: Mark, caller: Caller) -> Sequence[Version]:
        """Give the resources of a dossier as they were at a mark, without those deleted then."""
        text = statements.as_of(caller.kind, self._reader.dialect)
        args = text.args(dossier=dossier, at=mark.at, seq=mark.seq)
        found = [to_version(row) for row in await self._run(text.sql, args)]
        return [version for version in found if version.body is not None]

    async def many_as_of(
        self, keys: Sequence[Key], mark: Mark, caller: Caller
    ) -> Sequence[Version]:
        """Give resources as they were at a mark, without those that were not there then."""
        if not keys:
            return []
        dialect = self._reader.dialect
        text = statements.many_as_of(caller.kind, dialect)
        args = text.args(**_keys_as_arguments(keys, dialect), at=mark.at, seq=mark.seq)
        found = [to_version(row) for row in await self._run(text.sql, args)]
        return [version for version in found if version.body is not None]

    async def steps(
        self, dossier: str, shared: Sequence[Key], caller: Caller, *, limit: int
    ) -> Sequence[Step]:
        """Give the last transactions that wrote a dossier's own resources or the shared ones."""
        dialect = self._reader.dialect
        own = statements.steps(caller.kind, dialect)
        rows = list(await self._run(own.sql, own.args(dossier=dossier, limit=limit)))
        if shared:
            beside = statements.steps_of_many(caller.kind, dialect)
            keys = _keys_as_arguments(shared, dialect)
            rows += await self._run(beside.sql, beside.args(**keys, limit=limit))
        last: dict[int, Mark] = {}
        for at, seq, tx in rows:
            last[tx] = max(last.get(tx, Mark()), Mark(at, seq))
        ordered = sorted((Step(mark, tx) for tx, mark in last.items()), reverse=True)
        return ordered[:limit]

    async def counts(self, dossiers: Sequence[str], caller: Caller) -> Sequence[Count]:
        """Give how many resources of each type and element some dossiers have."""
        if not dossiers:
            return []
        dialect = self._reader.dialect
        text = statements.counts(caller.kind, dialect)
        rows = await self._run(text.sql, text.args(dossiers=statements.array(dossiers, dialect)))
        return [Count(*row) for row in rows]

    def seal(self, caller: Caller, what: str, place: Place) -> str:
        """Give the cursor of a place in a list or feed of that name, for that caller alone."""
        return seal(self._reader.secret, _scope(caller, what), place)

    def unseal(self, caller: Caller, what: str, cursor: str, size: int) -> Place:
        """Give the place of a cursor. Raises Invalid for one of another list or caller."""
        return unseal(self._reader.secret, _scope(caller, what), cursor, size)

    async def _run(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        async def reading(run: Run, _: int | None) -> Sequence[Sequence[Any]]:
            return await run(sql, args)

        return await self._reader.read(reading)


def _change(row: Sequence[Any]) -> Change:
    """Make a Change of a row of ``dossier_statements.changes``."""
    at, seq, tx, type_, id_, version, gone, element, dossier = row
    return Change(at, seq, tx, Key(type_, id_), version, bool(gone), element, dossier)


def _keys_as_arguments(keys: Sequence[Key], dialect: DialectName) -> dict[str, Any]:
    """Give keys by the names that ``key_pairs`` has for them."""
    names = ("pairs",) if dialect == "sqlite" else ("types", "ids")
    return dict(zip(names, pairs_args(keys, dialect), strict=True))


def _scope(caller: Caller, what: str) -> bytes:
    return scope_of("dossiers", what, caller.kind, caller.subject)
