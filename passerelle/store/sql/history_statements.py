"""The statements of a history: a page of versions, and their number.

https://hl7.org/fhir/R4/http.html#history . A resource is gone through by the numbers of its
versions, everything else by instant and ``seq``, the one order of all feeds. Pages go on by key,
never by OFFSET.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from passerelle.fhir.history_query import Level
from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.statements import version_columns

GATHERED_MAX = 2_000
"""Resources of a type that are looked up one by one; when there are more, all changes are gone
through in their order instead, and those of other types left out."""


PACKAGE = "package"
"""Section of what an installed package brought. The history of the system and the feed of changes
leave it out: thousands of definitions come and go at once, and every gateway has its own."""


class HistoryShape(NamedTuple):
    """What the text of a statement depends on.

    ``gathered``: the versions of a type are looked up from its resources. ``after``: it goes on
    from a place. ``below``: only what stands below the commit horizon.
    """

    level: Level
    gathered: bool = False
    ascending: bool = False
    since: bool = False
    current: bool = False
    after: bool = False
    below: bool = False


def _big(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


class _Look:
    """The tables of one statement."""

    def __init__(self, rows: Rows, shape: HistoryShape, dialect: DialectName) -> None:
        self.rows = rows
        self.shape = shape
        self.dialect = dialect
        self.resource = rows.resource
        self.version = rows.version

    def source(self) -> FromClause:
        """Join the versions with their resources."""
        return self.version.join(self.resource, self.version.c.pid == self.resource.c.pid)

    def criteria(self) -> list[ColumnElement[bool]]:
        """Write what a version must satisfy, but for the place."""
        shape, at = self.shape, self.version.c.at
        written: list[ColumnElement[bool]] = []
        if shape.level != "system":
            written.append(self._unless_walked(self.resource.c.type) == _text("type"))
        else:
            element = self.resource.c.element
            written.append(or_(element.is_(None), element != literal_column(f"'{PACKAGE}'")))
        if shape.level == "instance":
            written.append(self.resource.c.id == _text("id"))
        if shape.since:
            written.append(at >= _big("since"))
        if shape.below:
            written.append(at < _big("below"))
        if shape.current:
            following = self.rows.version.alias("following")
            superseded = exists().where(
                following.c.pid == self.version.c.pid,
                following.c.version == self.version.c.version + 1,
                following.c.at <= _big("low"),
            )
            written += [at < _big("high"), ~superseded]
        return written

    def _unless_walked(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Keep SQLite, which has no statistics, from an index that does not give the order."""
        if self.shape.gathered or self.shape.level == "instance" or self.dialect != "sqlite":
            return column
        return column + literal_column("''", Text())

    def keys(self, source: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Give the columns that the order is made of."""
        if self.shape.level == "instance":
            return (source.c.version,)
        return (source.c.at, source.c.seq)

    def order(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Write the order."""
        return [key.asc() if self.shape.ascending else key.desc() for key in self.keys(source)]

    def beyond(self) -> ColumnElement[bool]:
        """Write what comes after a place."""
        keys = self.keys(self.version)
        names = ("place",) if len(keys) == 1 else ("place", "place_seq")
        here = tuple_(*keys)
        place = tuple_(*(_big(name) for name in names))
        return here > place if self.shape.ascending else here < place


@cache
def _page(policy: Caller, shape: HistoryShape, dialect: DialectName) -> Compiled:
    look = _Look(Rows(policy), shape, dialect)
    wanted = look.criteria()
    if shape.after:
        wanted.append(look.beyond())
    if not shape.gathered:
        page = select(*version_columns(look.rows)).select_from(look.source()).where(*wanted)
        return compiled(_limited(page.order_by(*look.order(look.version))), dialect)
    version = look.version.c
    chosen = select(version.at, version.seq, look.resource.c.type, look.resource.c.id)
    chosen = chosen.select_from(look.source()).where(*wanted).order_by(*look.order(look.version))
    first = _limited(chosen).subquery("page")
    whole = look.rows.version.alias("whole")
    columns = [whole.c[column.name] for column in version_columns(look.rows)[2:]]
    page = select(first.c.type, first.c.id, *columns).join_from(
        first, whole, whole.c.seq == first.c.seq
    )
    return compiled(page.order_by(*look.order(first)), dialect)


@cache
def _count(policy: Caller, shape: HistoryShape, dialect: DialectName) -> Compiled:
    look = _Look(Rows(policy), shape, dialect)
    return compiled(
        select(func.count()).select_from(look.source()).where(*look.criteria()), dialect
    )


@cache
def _resources(policy: Caller, dialect: DialectName) -> Compiled:
    resource = Rows(policy).resource
    some = select(resource.c.pid).where(resource.c.type == _text("type"))
    return compiled(select(func.count()).select_from(_limited(some).subquery("some")), dialect)


def _limited(statement: Select[Any]) -> Select[Any]:
    return statement.limit(_big("limit")).offset(literal_column("0"))


def _policy(caller: Caller) -> Caller:
    """Give one caller for all of whom the SQL is the same."""
    return Caller("", caller.kind)


def page_statement(caller: Caller, shape: HistoryShape, dialect: DialectName) -> Compiled:
    """Give the statement of a page; its columns are those of a version.

    Arguments by what the shape says: type, id, since, low and high, below, place and place_seq;
    and limit.
    """
    return _page(_policy(caller), shape, dialect)


def count_statement(caller: Caller, shape: HistoryShape, dialect: DialectName) -> Compiled:
    """Give the statement of the number of versions, of a shape without a place."""
    return _count(_policy(caller), shape, dialect)


def resources_statement(caller: Caller, dialect: DialectName) -> Compiled:
    """Give the statement of how many resources of ``type`` there are, ``limit`` at most."""
    return _resources(_policy(caller), dialect)


def place_names(place: Sequence[int]) -> dict[str, int]:
    """Give the arguments of a place: a version's number, or an instant and a ``seq``."""
    return dict(zip(("place", "place_seq"), place, strict=False))
