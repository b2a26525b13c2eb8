"""The readings of what is not protected: jobs, messages and the bytes of documents."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, bindparam, func, select, text

from passerelle.store import schema
from passerelle.store.outbox import Message
from passerelle.store.sql.compiling import Compiled, DialectName, compiled

OPEN = "state IN ('waiting', 'leased')"
"""Spelled as in the partial index ``job_due``, so that it is used."""

JOB_COLUMNS = tuple(column.name for column in schema.job.c)


def to_message(row: Sequence[Any]) -> Message:
    """Make a Message of a row of the table ``message``."""
    return Message(*row)


def to_job_listing(row: Sequence[Any]) -> Mapping[str, object]:
    """Give a row of the table ``job`` by the names of its columns."""
    return dict(zip(JOB_COLUMNS, row, strict=True))


@cache
def jobs(dialect: DialectName) -> Compiled:
    """Give the jobs about ``subject``, oldest first."""
    job = schema.job
    about = job.c.subject == bindparam("subject", type_=Text)
    return compiled(select(job).where(about).order_by(job.c.id), dialect)


@cache
def job_counts(dialect: DialectName) -> Compiled:
    """Give kind, state and number of the jobs that share them."""
    job = schema.job.c
    grouped = select(job.kind, job.state, func.count()).group_by(job.kind, job.state)
    return compiled(grouped, dialect)


@cache
def next_due(dialect: DialectName) -> Compiled:
    """Give when the next job of ``kinds`` is due, or the next lease of one runs out."""
    job = schema.job.c
    soonest = func.min(func.coalesce(job.lease, job.due))
    return compiled(select(soonest).where(text(OPEN), _is_one_of_kinds(dialect)), dialect)


def _is_one_of_kinds(dialect: DialectName) -> ColumnElement[bool]:
    """Compare with ``kinds``: a JSON array on SQLite, an array on PostgreSQL."""
    kind = schema.job.c.kind
    if dialect == "sqlite":
        each = func.json_each(bindparam("kinds", type_=Text)).table_valued("value", name="each")
        return kind.in_(select(each.c.value))
    return kind == func.any(bindparam("kinds", type_=ARRAY(Text)))


@cache
def messages(dialect: DialectName, filters: tuple[str, ...]) -> Compiled:
    """Give ``limit`` messages, newest first, whose columns named in ``filters`` are as asked."""
    message = schema.message
    asked = [message.c[name] == bindparam(name, type_=Text) for name in filters]
    newest = select(message).where(*asked).order_by(message.c.id.desc())
    return compiled(newest.limit(bindparam("limit", type_=BigInteger)), dialect)


@cache
def blob_parts(dialect: DialectName) -> Compiled:
    """Give how many parts of ``sha256`` are there, and the size of the whole."""
    blob = schema.blob.c
    these = blob.sha256 == bindparam("sha256", type_=Text)
    return compiled(select(func.count(), func.max(blob.size)).where(these), dialect)


@cache
def blob_part(dialect: DialectName) -> Compiled:
    """Give the bytes of one ``part`` of ``sha256``."""
    blob = schema.blob.c
    this = blob.sha256 == bindparam("sha256", type_=Text)
    which = blob.part == bindparam("part", type_=BigInteger)
    return compiled(select(blob.bytes).where(this, which), dialect)


def asked(**filters: str | None) -> dict[str, str]:
    """Give those filters that are asked for, by column."""
    return {name: value for name, value in filters.items() if value is not None}
