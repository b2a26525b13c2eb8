"""The check tells every kind of damage; the reindexing mends what is derived."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse_criteria
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Claim, Delete, Put, Store, Unit
from passerelle.store.outbox import NewJob, NewMessage
from passerelle.store.upkeep.check import check
from passerelle.store.upkeep.findings import Finding
from passerelle.store.upkeep.reindex import reindex

pytestmark = pytest.mark.anyio

NOW = 1_768_208_400_000_000
PHOTO = b"photo"


@pytest.fixture
async def filled(store: Store, draft: Any) -> Store:
    """A record with something of everything."""
    people = [
        Put(draft(str(n), own=f"o{n}", shared=f"s{n}", gender="male", birthDate="1980-01-02"))
        for n in range(5)
    ]
    digest = sha256(PHOTO).hexdigest()
    letter = NewMessage("in", "mail", "box", "<1>", "7/1", digest, "kept")
    binary = Put(draft("b", type="Binary", blob=digest))
    await store.commit(
        Unit((*people, binary), blobs=(PHOTO,), messages=(letter,), jobs=(_job(),)), SYSTEM
    )
    await store.commit(Unit((Put(draft("1", own="z", dossier="d")),)), SYSTEM)
    await store.commit(Unit((Delete(Key("Patient", "2")),)), SYSTEM)
    await store.claim_jobs(("k",), holder="w", now=NOW, lease_until=NOW + 10**6, limit=1)
    return store


def _job() -> NewJob:
    return NewJob("k", "s", b"{}", 0)


@pytest.fixture
def damage(database_url: str) -> Callable[[str], Awaitable[None]]:
    """Run a statement on the database behind the store's back."""

    async def run(sql: str) -> None:
        if database_url.startswith("sqlite"):
            connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
            connection.execute(sql)
            connection.commit()
            connection.close()
        else:
            there = await asyncpg.connect(database_url)
            await there.execute(sql)
            await there.close()

    return run


async def test_an_empty_record_is_clean(database_url: str, store: Store, derived: Any) -> None:
    report = await check(database_url, derived, now=NOW)
    assert report.clean
    assert report.resources == 0


async def test_a_record_in_use_is_clean(database_url: str, filled: Store, derived: Any) -> None:
    told: list[tuple[int, int]] = []
    report = await check(
        database_url, derived, now=NOW, progress=lambda done, of: told.append((done, of))
    )
    assert report.findings == ()
    assert (report.resources, report.versions, report.blobs) == (6, 8, 1)
    assert (report.jobs, report.messages) == (1, 1)
    assert report.rows > 10
    assert told[-1] == (6, 6)


ONE = "(SELECT pid FROM resource WHERE type = 'Patient' AND id = '1')"
DAMAGES = {
    "bytes that no sweep would find": (
        "INSERT INTO blob (sha256, part, size, bytes) VALUES ('00', 0, 999999, {bytes})",
        {Finding("bytes-of-nobody", "00")},
    ),
    "a lost row": (
        "DELETE FROM date WHERE pid = (SELECT min(pid) FROM resource)",
        {Finding("rows-differ", "Patient/0")},
    ),
    "a strange row": (
        f"INSERT INTO uri (param, value, pid) VALUES (1, 'x', {ONE})",
        {Finding("rows-differ", "Patient/1")},
    ),
    "a row of nobody": (
        "INSERT INTO token (param, value, system, pid) VALUES (1, 'x', '', 99999999)",
        {Finding("rows-of-nobody", "token 99999999")},
    ),
    "a row of a deleted one": (
        "INSERT INTO token (param, value, system, pid) VALUES (1, 'x', '', "
        "(SELECT pid FROM resource WHERE type = 'Patient' AND id = '2'))",
        {Finding("rows-differ", "Patient/2")},
    ),
    "a lost claim": (
        "DELETE FROM claim WHERE value = 'o3'",
        {Finding("claims-differ", "Patient/3")},
    ),
    "another dossier": (
        f"UPDATE resource SET dossier = 'e' WHERE pid = {ONE}",
        {Finding("rights-differ", "Patient/1")},
    ),
    "a lost version": (
        f"DELETE FROM version WHERE version = 1 AND pid = {ONE}",
        {Finding("version-gap", "Patient/1")},
    ),
    "an older head": (
        f"UPDATE resource SET version = 1, seq = (SELECT seq FROM version WHERE version = 1 "
        f"AND pid = {ONE}) WHERE pid = {ONE}",
        {
            Finding("head-differs", "Patient/1"),
            Finding("body-differs", "Patient/1"),
            Finding("rows-differ", "Patient/1"),
            Finding("rights-differ", "Patient/1"),
            Finding("claims-differ", "Patient/1"),
        },
    ),
    "a head that is not deleted": (
        "UPDATE resource SET deleted = {false} WHERE type = 'Patient' AND id = '2'",
        {Finding("head-differs", "Patient/2")},
    ),
    "other bytes": (
        "UPDATE blob SET bytes = {bytes}",
        {Finding("bytes-differ", sha256(PHOTO).hexdigest())},
    ),
    "lost bytes": (
        "DELETE FROM blob",
        {Finding("bytes-missing", sha256(PHOTO).hexdigest())},
    ),
    "a lease of nobody": ("UPDATE job SET holder = NULL", {Finding("job-lease", "{job}")}),
    "a lease for ever": (f"UPDATE job SET lease = {1 << 60}", {Finding("job-lease", "{job}")}),
    "an unreadable body": (
        "UPDATE version SET body = {bytes} WHERE body IS NOT NULL AND seq = "
        "(SELECT seq FROM resource WHERE type = 'Binary')",
        {Finding("body-unreadable", "Binary/b")},
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found(
    database_url: str,
    filled: Store,
    derived: Any,
    damage: Callable[[str], Awaitable[None]],
    name: str,
) -> None:
    sql, wanted = DAMAGES[name]
    lite = database_url.startswith("sqlite")
    sql = sql.replace("{false}", "0" if lite else "false")
    sql = sql.replace("{bytes}", "x'00'" if lite else "'\\x00'")
    await damage(sql)
    report = await check(database_url, derived, now=NOW)
    job = str((await filled.jobs("s"))[0]["id"])
    found = {
        Finding(rule, place.replace(job, "{job}") if rule == "job-lease" else place)
        for rule, place in report.findings
    }
    if name == "other bytes":
        wanted = wanted | {Finding("bytes-missing", sha256(PHOTO).hexdigest())}
    if name == "an unreadable body":
        found = {one for one in found if one.rule == "body-unreadable"}
    assert found == wanted


def spoil(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\x00" * 64)


async def test_a_damaged_file_is_found(
    sqlite_database_url: str, derived: Any, draft: Any, clock: Any
) -> None:
    from passerelle.store.opening import open_store

    store = open_store(sqlite_database_url, clock=clock)
    await store.open()
    await store.commit(Unit(tuple(Put(draft(str(n), shared=f"s{n}")) for n in range(300))), SYSTEM)
    await store.close()
    path = sqlite_database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    root, size = connection.execute(
        "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
        "WHERE name = 'resource_type_updated'"
    ).fetchone()
    connection.close()
    spoil(Path(path), (root - 1) * size + 8)
    report = await check(sqlite_database_url, derived, now=NOW)
    assert "file-damaged" in {finding.rule for finding in report.findings}


DERIVED = [
    f'DELETE FROM "{table}"'
    for table in ("token", "string", "reference", "date", "number", "quantity", "uri", "claim")
]


async def test_reindexing_makes_all_that_is_derived_again(
    database_url: str,
    filled: Store,
    derived: Any,
    damage: Callable[[str], Awaitable[None]],
) -> None:
    for sql in (*DERIVED, "UPDATE resource SET dossier = 'x', element = NULL"):
        await damage(sql)
    await damage(
        "INSERT INTO claim (type, system, value, pid) VALUES ('Patient', 'urn:own', 'o3', "
        "(SELECT min(pid) FROM resource))"
    )
    told: list[tuple[int, int]] = []
    report = await reindex(database_url, derived, progress=lambda *done: told.append(done))
    assert (report.resources, report.conflicts) == (6, ())
    assert told == [(6, 6)]
    checked = await check(database_url, derived, now=NOW)
    deleted = {Finding("rights-differ", "Patient/2")}
    assert set(checked.findings) <= deleted
    query = parse_criteria("Patient", "identifier=urn:shared|s3")
    assert await filled.matching(query, SYSTEM, limit=9) == ("3",)
    found = await filled.claimed("Patient", Claim("urn:own", "o3"), SYSTEM)
    assert found == Key("Patient", "3")
    assert [head.key.id for head in await filled.dossier("d", SYSTEM)] == ["1"]


async def test_reindexing_tells_who_claims_what_another_holds(
    database_url: str, filled: Store, derived: Any
) -> None:
    """A new rule claims what several have: the first keeps it, the others are told."""

    def greedy(resource: Any) -> Any:
        rows, rights, _ = derived(resource)
        return rows, rights, (Claim("urn:new", "one"),)

    report = await reindex(database_url, greedy)
    assert [str(key) for key in report.conflicts] == ["Patient/1", "Patient/3", "Patient/4"]


async def test_reindexing_goes_on_while_the_record_is_written(
    database_url: str, filled: Store, derived: Any, draft: Any
) -> None:
    import asyncio

    writes = [
        filled.commit(Unit((Put(draft(str(n % 5), shared=f"n{n}", own=f"own{n % 5}")),)), SYSTEM)
        for n in range(40)
    ]
    await asyncio.gather(reindex(database_url, derived), *writes)
    report = await check(database_url, derived, now=NOW)
    assert report.findings == ()


def test_the_body_of_these_tests_is_json(draft: Any) -> None:
    made = draft("1", own="a", dossier="d", gender="male")
    resource = json.loads(made.body(3, "2026-01-12T09:00:00.000000Z"))
    assert resource["meta"]["versionId"] == "3"
    assert resource["gender"] == "male"
