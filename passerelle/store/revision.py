"""Which migration this program wants, told without loading what runs migrations.

The revision of a migration is the number its file begins with (``migrations/versions/0001_…``).
"""

from functools import cache
from importlib import resources

from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue

QUERY = "SELECT version_num FROM alembic_version"
SECRET_QUERY = "SELECT bytes FROM setting WHERE name = 'cursor'"


@cache
def head() -> str:
    """Give the revision of the last migration."""
    folder = resources.files("passerelle.store.migrations") / "versions"
    return max(file.name[:4] for file in folder.iterdir() if file.name[:4].isdigit())


def demand_migrated(revision: str | None) -> None:
    """Raise Unavailable unless the database stands at the last migration."""
    if revision != head():
        raise Unavailable(issue("record.not-migrated"))
