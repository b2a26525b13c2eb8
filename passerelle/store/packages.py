"""The installed FHIR packages: which there are, and which resources of the record each brought.

The resources themselves are in the record like any other; what is kept here beside them says whose
they are. Nearly all statements are the same on both databases.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

from sqlalchemy import Text, bindparam, func, select, union_all

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.code_systems import code_systems
from passerelle.store.sql.compiling import Compiled, DialectName, compiled

State = Literal["loading", "ready", "removing"]


class InstalledPackage(NamedTuple):
    """A package as kept. ``loading``: it was begun and not ended, adding it again goes on."""

    name: str
    version: str
    digest: str  # SHA-256 of the archive
    state: State
    at: int  # microseconds since 1970 UTC
    resources: int
    examples: int
    canonical: str | None
    title: str | None
    dependencies: bytes  # JSON object of names and versions


class ConformanceRow(NamedTuple):
    """One resource that a package brought: its key in the record and what it is called by."""

    key: Key
    path: str
    url: str | None
    version: str | None


class Runner(Protocol):
    """What a database does for these tables. Both raise Unavailable."""

    @property
    def dialect(self) -> DialectName:
        """Name the dialect."""

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""

    async def write(self, *steps: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        """Run each statement for each of its rows, all in one transaction."""


_COLUMNS = "name, version, digest, state, at, resources, examples, canonical, title, dependencies"
_ALL = f"SELECT {_COLUMNS} FROM package ORDER BY name, version"
_BEGIN = (
    f"INSERT INTO package ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (name, version) DO NOTHING"
)
_REMOVING = "UPDATE package SET state = 'removing' WHERE name = ? AND version = ? AND at = ?"
_READY = (
    "UPDATE package SET state = 'ready' "
    "WHERE name = ? AND version = ? AND at = ? AND state = 'loading'"
)
_NOTE = (
    "INSERT INTO conformance (name, package, type, id, path, url, version) "
    "SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), "
    "CAST(? AS TEXT), CAST(? AS TEXT) WHERE EXISTS (SELECT 1 FROM package "
    "WHERE name = ? AND version = ? AND at = ? AND state <> 'removing') "
    "ON CONFLICT (name, package, type, id) DO NOTHING"
)
_KEYS = "SELECT type, id FROM conformance WHERE name = ? AND package = ? ORDER BY type, id"
_OF_FILE = "SELECT type, id FROM conformance WHERE name = ? AND package = ? AND path = ?"
_BROUGHT_SQLITE = (
    "SELECT type, id FROM conformance "
    "WHERE (type, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
)
_BROUGHT_POSTGRESQL = (
    "SELECT type, id FROM conformance "
    "WHERE (type, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
)
_REPUBLISHED = (
    "SELECT type, url, coalesce(version, ''), id, name, package FROM conformance "
    "WHERE (type, url, coalesce(version, '')) IN ("
    "SELECT type, url, coalesce(version, '') FROM conformance WHERE url IS NOT NULL "
    "GROUP BY type, url, coalesce(version, '') HAVING count(*) > 1)"
)
_FORGET_ROWS = (
    "DELETE FROM conformance WHERE name = ? AND package = ? AND EXISTS (SELECT 1 FROM package "
    "WHERE name = ? AND version = ? AND at = ? AND state = 'removing')"
)
_FORGET = "DELETE FROM package WHERE name = ? AND version = ? AND at = ? AND state = 'removing'"

TERMINOLOGY_TYPES = ("CodeSystem", "ConceptMap", "ValueSet")


class Packages:
    """The tables ``package`` and ``conformance`` of one record."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def all(self) -> tuple[InstalledPackage, ...]:
        """Give every package, by name and version."""
        rows = await self._runner.rows(_ALL, ())
        return tuple(InstalledPackage(*row) for row in rows)

    async def begin(self, package: InstalledPackage) -> None:
        """Note that a package is being loaded; one that is there already stays as it is."""
        await self._write((_BEGIN, [tuple(package)]))

    async def note(self, package: InstalledPackage, rows: Sequence[ConformanceRow]) -> None:
        """Note resources as a package's, unless it is being removed; what is noted stays so."""
        name, version = package.name, package.version
        this = (name, version, package.at)
        cells = [(name, version, *row.key, row.path, row.url, row.version, *this) for row in rows]
        await self._write((_NOTE, cells))

    async def set_ready(self, package: InstalledPackage) -> None:
        """Note that a package is whole, unless it is being removed."""
        await self._write((_READY, [(package.name, package.version, package.at)]))

    async def set_removing(self, package: InstalledPackage) -> None:
        """Note that a package is being removed: nothing more is added to it."""
        await self._write((_REMOVING, [(package.name, package.version, package.at)]))

    async def keys(self, name: str, version: str) -> tuple[Key, ...]:
        """Give the keys of all resources that a package brought."""
        rows = await self._runner.rows(_marked(_KEYS, self._runner.dialect), (name, version))
        return tuple(Key(*row) for row in rows)

    async def key_of_file(self, name: str, version: str, path: str) -> Key | None:
        """Give the key of the resource that a package brought in that file."""
        sql = _marked(_OF_FILE, self._runner.dialect)
        rows = await self._runner.rows(sql, (name, version, path))
        return Key(*rows[0]) if rows else None

    async def brought(self, keys: Sequence[Key]) -> frozenset[Key]:
        """Give those of some keys that a package has brought."""
        if self._runner.dialect == "sqlite":
            rows = await self._runner.rows(_BROUGHT_SQLITE, (json.dumps(list(keys)),))
        else:
            types, ids = [key.type for key in keys], [key.id for key in keys]
            rows = await self._runner.rows(_BROUGHT_POSTGRESQL, (types, ids))
        return frozenset(Key(*row) for row in rows)

    async def republished(self) -> Sequence[Sequence[str]]:
        """Give what several packages bring under one canonical and version.

        Type, url, version (or nothing), id, then name and version of the package.
        """
        return await self._runner.rows(_REPUBLISHED, ())

    async def forget(self, package: InstalledPackage) -> None:
        """Forget a package whose removal has begun and whose resources have been deleted."""
        this = (package.name, package.version, package.at)
        await self._write((_FORGET_ROWS, [(*this[:2], *this)]), (_FORGET, [this]))

    async def code_systems(self, *, limit: int) -> Sequence[tuple[str, str | None, str | None]]:
        """Give url, version and content of the code systems of the record, from a package or not.

        ``content`` tells how much of it there is (``complete``, ``not-present`` …).
        """
        statement = code_systems(self._runner.dialect)
        rows = await self._runner.rows(statement.sql, statement.args(count=limit))
        return [(row[0], row[1], row[2]) for row in rows]

    async def terminology_stamp(self) -> int:
        """Give the instant of the last change of any terminology resource, from a package or not.

        Microseconds since 1970 UTC; one look into an index. What was made of these resources
        before is as good as new while the stamp stays.
        """
        rows = await self._runner.rows(_stamp(self._runner.dialect).sql, TERMINOLOGY_TYPES)
        return max((row[0] or 0 for row in rows), default=0)

    async def _write(self, *steps: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        dialect = self._runner.dialect
        await self._runner.write(*((_marked(sql, dialect), rows) for sql, rows in steps))


@cache
def _marked(sql: str, dialect: DialectName) -> str:
    """Give a statement with the marks of its dialect: ``?``, or ``$1`` and so on."""
    if dialect == "sqlite":
        return sql
    numbers = iter(range(1, sql.count("?") + 1))
    return re.sub(r"\?", lambda _: f"${next(numbers)}", sql)


@cache
def _stamp(dialect: DialectName) -> Compiled:
    """Compose the stamp: the newest ``updated`` of each type, each from the end of the index."""
    resource = Rows(SYSTEM).resource.c
    newest = [
        select(func.max(resource.updated)).where(resource.type == bindparam(name, type_=Text))
        for name in TERMINOLOGY_TYPES
    ]
    return compiled(union_all(*newest), dialect)
