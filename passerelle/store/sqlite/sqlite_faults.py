"""What SQLite's failures mean to the one who asked (https://www.sqlite.org/rescode.html)."""

import sqlite3

from passerelle.errors.refusals import Invalid, Unavailable
from passerelle.errors.rules import issue

_RULES = {
    sqlite3.SQLITE_FULL: "record.full",
    sqlite3.SQLITE_BUSY: "record.busy",
    sqlite3.SQLITE_LOCKED: "record.busy",
    sqlite3.SQLITE_IOERR: "record.unavailable",
    sqlite3.SQLITE_CANTOPEN: "record.unavailable",
    sqlite3.SQLITE_READONLY: "record.unavailable",
    sqlite3.SQLITE_PERM: "record.unavailable",
    sqlite3.SQLITE_CORRUPT: "record.unavailable",
    sqlite3.SQLITE_NOTADB: "record.unavailable",
    sqlite3.SQLITE_NOMEM: "record.unavailable",
    sqlite3.SQLITE_PROTOCOL: "record.unavailable",
}
_NO_SPACE = (sqlite3.SQLITE_IOERR_SHMSIZE,)


def unavailable(fault: BaseException) -> Unavailable | None:
    """Give the refusal for a failure of the file or the disk; None for a fault of ours."""
    if not isinstance(fault, sqlite3.Error):
        return None
    code: int | None = getattr(fault, "sqlite_errorcode", None)
    if code is None:  # a closed connection
        closed = isinstance(fault, sqlite3.ProgrammingError)
        return Unavailable(issue("record.unavailable")) if closed else None
    if code in _NO_SPACE:
        return Unavailable(issue("record.full"))
    rule = _RULES.get(code & 0xFF)
    return Unavailable(issue(rule)) if rule else None


def too_nested(fault: sqlite3.Error) -> Invalid | None:
    """Give the refusal of a search whose SQL is nested deeper than SQLite can read."""
    if "parser stack overflow" in str(fault) or "Expression tree is too large" in str(fault):
        return Invalid(issue("search.too-nested"))
    return None


def interrupted(fault: sqlite3.Error) -> bool:
    """Tell whether a reading was stopped because it outran its budget."""
    return getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
