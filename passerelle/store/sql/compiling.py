"""Statements composed with SQLAlchemy, compiled once to the text that a driver runs.

Every statement of the store passes the guard here. SQLite takes ``?``, asyncpg ``$1``.
https://docs.sqlalchemy.org/en/21/core/compiler.html
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from passerelle.store.rows import guard

DialectName: TypeAlias = Literal["sqlite", "postgresql"]


class Compiled(NamedTuple):
    """A text for the driver, and the names of its arguments in their order.

    ``fixed`` are the arguments that the statement itself holds (a limit, a constant).
    """

    sql: str
    order: tuple[str, ...]
    fixed: Mapping[str, Any]

    def args(self, **values: Any) -> tuple[Any, ...]:
        """Give the arguments in the order of the text. Raises KeyError when one is missing."""
        return tuple(values[name] if name in values else self.fixed[name] for name in self.order)


def compiled(statement: ClauseElement, dialect: DialectName) -> Compiled:
    """Compile a statement that passes the guard. Raises ReadAroundRows."""
    guard(statement)
    compiler = statement.compile(dialect=_dialect(dialect))
    assert isinstance(compiler, SQLCompiler)
    names = tuple(compiler.positiontup or ())
    fixed = {
        name: bind.effective_value
        for name, bind in compiler.binds.items()
        if not bind.required and name in names
    }
    return Compiled(str(compiler), names, fixed)


def ordered(statement: ClauseElement, dialect: DialectName, order: Sequence[str]) -> str:
    """Compile a statement whose arguments stand in just that order, and give its text."""
    text = compiled(statement, dialect)
    if text.order != tuple(order):
        raise ValueError(f"arguments stand in the order {text.order}, not {tuple(order)}")
    return text.sql


@cache
def _dialect(name: DialectName) -> Dialect:
    """Give the dialect; that of PostgreSQL writes ``$1`` as asyncpg wants it."""
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite

        return sqlite()
    from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql

    return postgresql()  # type: ignore[no-untyped-call]
