"""Heads and versions as rows of their tables, cell by cell in the order of the columns."""

from typing import Any

from passerelle.fhir.resource import Key
from passerelle.store import schema
from passerelle.store.contract import RightsColumns, Version
from passerelle.store.sql.planning import Head

RESOURCE_COLUMNS = tuple(column.name for column in schema.resource.c)
VERSION_COLUMNS = tuple(column.name for column in schema.version.c)
RIGHTS_COLUMNS = RightsColumns.__slots__
RIGHTS_START = len(RESOURCE_COLUMNS) - len(RIGHTS_COLUMNS)

assert RESOURCE_COLUMNS[RIGHTS_START:] == tuple(RIGHTS_COLUMNS)


def head_cells(key: Key, head: Head) -> tuple[Any, ...]:
    """Give the cells of ``resource`` up to the columns of rights."""
    return (
        head.pid,
        key.type,
        key.id,
        head.version,
        head.seq,
        head.updated,
        head.deleted,
        head.digest,
    )


def rights_cells(rights: RightsColumns) -> tuple[Any, ...]:
    """Give the cells of ``resource`` that rights are decided on."""
    return tuple(getattr(rights, name) for name in RIGHTS_COLUMNS)


def version_cells(version: Version) -> tuple[Any, ...]:
    """Give the cells of ``version``."""
    return (
        version.seq,
        version.pid,
        version.version,
        version.method,
        version.at,
        version.tx,
        version.author,
        version.body,
        version.aside,
        version.blob,
    )
