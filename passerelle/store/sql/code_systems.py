"""The code systems of the record, from the index rows: url, version, how much of it there is."""

from functools import cache

from sqlalchemy import BigInteger, and_, bindparam, select

from passerelle.fhir.search.search_parameters import parameters
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled

TYPE = "CodeSystem"


@cache
def code_systems(dialect: DialectName) -> Compiled:
    """Give ``count`` code systems that are not deleted, in the order of their urls."""
    rows = Rows(SYSTEM)
    version, content = rows.token.alias("said_version"), rows.token.alias("said_content")
    resource, url = rows.resource, rows.uri
    ids = {name: each.id for name, each in parameters(TYPE).items()}
    statement = (
        select(url.c.value, version.c.value, content.c.value)
        .join_from(resource, url, and_(url.c.pid == resource.c.pid, url.c.param == ids["url"]))
        .join(
            version,
            and_(version.c.pid == resource.c.pid, version.c.param == ids["version"]),
            isouter=True,
        )
        .join(
            content,
            and_(content.c.pid == resource.c.pid, content.c.param == ids["content-mode"]),
            isouter=True,
        )
        .where(resource.c.type == TYPE, ~resource.c.deleted)
        .order_by(url.c.value, version.c.value)
        .limit(bindparam("count", type_=BigInteger))
    )
    return compiled(statement, dialect)
