"""The only way to the rows of protected tables: ``Rows(caller)``, and the guard that makes it so.

House section 1.4: the rights of the caller are compiled into the SQL of every reading. A system
caller is given the table itself under an alias, which costs nothing; nobody is given an empty
selection of the same columns. https://docs.sqlalchemy.org/en/21/core/selectable.html
"""

import re

from sqlalchemy import (
    ColumnClause,
    Delete,
    Insert,
    Table,
    TableClause,
    TextClause,
    Update,
    false,
    select,
)
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import Alias, FromClause, Subquery
from sqlalchemy.sql.visitors import ExternallyTraversible

from passerelle.store import schema
from passerelle.store.caller import Caller

_PROTECTED_NAMES = frozenset(table.name for table in schema.PROTECTED)
_READING_TEXT = re.compile(r"\b(?:from|join|using|into|update|table)\b", re.IGNORECASE)


class ReadAroundRows(AssertionError):
    """A statement reads a protected table without ``Rows``: a fault of the programmer's."""


class AdmittedTable(Alias):
    """A protected table that a caller may read whole."""

    inherit_cache = True


class AdmittedRows(Subquery):
    """Those rows of a protected table that a caller may read."""

    inherit_cache = True


class Rows:
    """The protected tables as one caller may read them.

    Each attribute is one selectable with the columns (``.c``) of the table of that name; for a
    second look at the same table in a statement, take ``rows.token.alias("token_2")``.
    ``policy`` is what the SQL depends on: compiled texts may be cached under it.
    """

    __slots__ = (
        "claim",
        "composite",
        "date",
        "full_text",
        "number",
        "policy",
        "position",
        "quantity",
        "reference",
        "resource",
        "string",
        "token",
        "uri",
        "version",
    )

    def __init__(self, caller: Caller) -> None:
        """Make the selectables of that caller."""
        self.policy: str = caller.kind
        self.resource = _admit(schema.resource, caller)
        self.version = _admit(schema.version, caller)
        self.token = _admit(schema.token, caller)
        self.string = _admit(schema.string, caller)
        self.reference = _admit(schema.reference, caller)
        self.date = _admit(schema.date, caller)
        self.number = _admit(schema.number, caller)
        self.quantity = _admit(schema.quantity, caller)
        self.uri = _admit(schema.uri, caller)
        self.composite = _admit(schema.composite, caller)
        self.position = _admit(schema.position, caller)
        self.full_text = _admit(schema.full_text, caller)
        self.claim = _admit(schema.claim, caller)


def _admit(table: Table, caller: Caller) -> FromClause:
    """Give the whole table to the system, and to everybody else an empty selection of it."""
    if caller.kind == "system":
        return AdmittedTable._construct(table, name=table.name)
    return AdmittedRows._construct(select(table).where(false()), name=table.name)


def guard(statement: ClauseElement) -> None:
    """Let a statement pass that reads protected tables through :class:`Rows` only.

    Writing to a protected table is free, and so is naming its own columns in the conditions of
    that very UPDATE or DELETE. Raises ReadAroundRows.
    """
    seen: set[int] = set()
    waiting: list[tuple[ExternallyTraversible, FromClause | None]] = [(statement, None)]
    while waiting:
        element, written = waiting.pop()
        if id(element) in seen or isinstance(element, AdmittedTable | AdmittedRows):
            continue
        seen.add(id(element))
        if element is written:
            continue
        _demand_admitted(element, written)
        target = written
        if isinstance(element, Insert | Update | Delete):
            target = element.table
        waiting.extend((child, target) for child in element.get_children())


def _demand_admitted(element: ExternallyTraversible, written: FromClause | None) -> None:
    """Raise ReadAroundRows for a protected table, one of its columns, or a text that reads."""
    if isinstance(element, ColumnClause):
        source = element.table
        if source is not None and source is not written:
            _demand_not_protected(source)
        if element.is_literal and _READING_TEXT.search(element.name):
            raise ReadAroundRows("a literal column holds a statement")
    if isinstance(element, TextClause) and _READING_TEXT.search(element.text):
        raise ReadAroundRows("a text reads or writes a table")
    _demand_not_protected(element)


def _demand_not_protected(element: object) -> None:
    """Raise ReadAroundRows when the element is a protected table itself, or spelled like one."""
    if isinstance(element, TableClause) and element.name in _PROTECTED_NAMES:
        raise ReadAroundRows(f"table {element.name} is read around Rows(caller)")
