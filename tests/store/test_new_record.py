"""A new file is the one that the migrations would have made."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

from passerelle.store.migrate import migrate
from passerelle.store.new_record import create


def tables(path):
    """Give every table's columns and every index, whatever the spelling of their making."""
    connection = sqlite3.connect(path)
    try:
        objects = connection.execute(
            "SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name"
        ).fetchall()
        columns = {
            name: connection.execute(f'PRAGMA table_xinfo("{name}")').fetchall()
            for type_, name, _ in objects
            if type_ == "table"
        }
        options = connection.execute("PRAGMA table_list").fetchall()
        indexes = {
            name: connection.execute(f'PRAGMA index_xinfo("{name}")').fetchall()
            for type_, name, _ in objects
            if type_ == "index"
        }
        uniques = {
            name: sorted(row[1:] for row in connection.execute(f'PRAGMA index_list("{name}")'))
            for name in columns
        }
        keys = {
            name: connection.execute(f'PRAGMA foreign_key_list("{name}")').fetchall()
            for name in columns
        }
        version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        secrets = connection.execute("SELECT name, length(bytes) FROM setting").fetchall()
        return objects, columns, sorted(options), indexes, uniques, keys, version, secrets
    finally:
        connection.close()


def test_a_new_file_is_the_one_that_the_migrations_make(tmp_path):
    assert create(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert tables(tmp_path / "new.db") == tables(tmp_path / "migrated.db")
    assert migrate(f"sqlite:///{tmp_path / 'new.db'}") == []


def test_a_file_that_holds_something_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert create(url)
    before = tables(tmp_path / "new.db")
    assert not create(url)
    assert tables(tmp_path / "new.db") == before


def test_of_several_that_start_at_once_one_makes_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'deep' / 'new.db'}"
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(create, [url] * 4)) == [False, False, False, True]
