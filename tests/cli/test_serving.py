"""``migrate``, ``check`` and ``reindex``, as an operator runs them."""

import json
import os
import sqlite3
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs the program on a record of its own; gives its exit code and its JSON."""

    def run_program(*arguments, **settings):
        kept = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
        url = f"sqlite:///{tmp_path / 'record.db'}"
        done = subprocess.run(
            [sys.executable, "-m", "passerelle", *arguments, "--json"],
            env=kept | {"PASSERELLE_DATABASE_URL": url} | settings,
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

    return run_program


def test_a_record_is_migrated_checked_and_indexed_again(run, tmp_path):
    code, told = run("check")
    assert code == 2
    assert [issue["rule"] for issue in told["issues"]] == ["record.not-migrated"]

    assert run("migrate")[0] == 0
    assert run("migrate") == (0, {"applied": [], "reindex": False})
    code, told = run("check")
    assert (code, told["clean"], told["findings"]) == (0, True, [])
    assert run("reindex") == (0, {"resources": 0, "conflicts": []})

    connection = sqlite3.connect(tmp_path / "record.db")
    with connection:
        connection.execute("INSERT INTO token (param, value, system, pid) VALUES (1, 'a', '', 9)")
    connection.close()
    code, told = run("check")
    assert (code, told["clean"]) == (1, False)
    assert told["findings"]


def test_bytes_that_nothing_names_are_told_then_deleted(run, tmp_path):
    assert run("sweep")[0] == 2
    run("migrate")
    connection = sqlite3.connect(tmp_path / "record.db")
    with connection:
        connection.execute("INSERT INTO blob VALUES ('00', 0, 300000, x'0102')")
        connection.execute("INSERT INTO blob VALUES ('11', 0, 300000, x'0304')")
        connection.execute("INSERT INTO upload VALUES ('00', 0)")
    connection.close()
    told = {"sha256": "00", "since": "1970-01-01T00:00:00.000000Z", "bytes": 2}
    code, found = run("check")
    assert (code, [one["place"] for one in found["findings"]]) == (1, ["11"])
    for _ in range(2):
        assert run("sweep", "--dry-run") == (0, {"bytes": 2, "blobs": [told]})
    assert run("sweep") == (0, {"deleted": 1, "bytes": 2})
    assert run("sweep") == (0, {"deleted": 0, "bytes": 0})
    assert run("sweep", "--dry-run") == (0, {"bytes": 0, "blobs": []})
    code, found = run("check")
    assert (code, found["blobs"]) == (0, 1)


def test_a_database_that_does_not_answer_is_told(run):
    url = "postgresql://nobody:secret-word@127.0.0.1:1/nothing"
    for command in ("migrate", "check", "reindex", "sweep"):
        code, told = run(command, PASSERELLE_DATABASE_URL=url)
        assert code == 2
        assert [issue["rule"] for issue in told["issues"]] == ["record.unavailable"]
        assert "secret-word" not in json.dumps(told)


def test_settings_that_are_wrong_stop_every_command(run):
    for command in ("migrate", "check", "reindex", "serve", "worker"):
        code, told = run(command, PASSERELLE_AUTH="smart", PASSERELLE_BIND="nowhere")
        assert code == 2
        assert len(told["issues"]) == 2
