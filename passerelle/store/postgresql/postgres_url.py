"""The address of a PostgreSQL database, as settings spell it and as the drivers want it."""

from urllib.parse import urlsplit, urlunsplit

SCHEMES = ("postgresql", "postgres")


def is_postgres(database_url: str) -> bool:
    """Tell whether a database URL is one of PostgreSQL, whatever driver it names."""
    return urlsplit(database_url).scheme.partition("+")[0] in SCHEMES


def plain_url(database_url: str) -> str:
    """Give the URL as asyncpg takes it, ``postgresql://…``."""
    return urlunsplit(urlsplit(database_url)._replace(scheme="postgresql"))


def driver_url(database_url: str) -> str:
    """Give the URL as SQLAlchemy takes it, ``postgresql+asyncpg://…``."""
    return urlunsplit(urlsplit(database_url)._replace(scheme="postgresql+asyncpg"))
