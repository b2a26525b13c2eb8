"""The raw limits of this machine: the database driver alone, an empty HTTP answer."""

import asyncio
import base64
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from bench.patients import patient_bytes
from bench.processes import free_port

EMPTY_APPLICATION = """
import sys, uvicorn
BODY = b"x" * 1300
START = {"type": "http.response.start", "status": 200,
         "headers": [(b"content-length", b"1300"), (b"content-type", b"application/fhir+json")]}
END = {"type": "http.response.body", "body": BODY}
async def application(scope, receive, send):
    if scope["type"] == "http":
        await send(START)
        await send(END)
uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="error",
            access_log=False, lifespan="off")
"""


def encoded(request: bytes) -> str:
    """Spell a request as the plan of a load wants it."""
    return base64.b64encode(request).decode()


def of_database(database: str, url: str, folder: Path, seconds: float) -> dict[str, float]:
    """Give the rates of a database's driver alone: point reads, durable creates."""
    if database == "sqlite":
        reads = sqlite_reads_per_second(folder, seconds)
        commits = sqlite_commits_per_second(folder, seconds)
    else:
        reads = postgres_reads_per_second(url, seconds)
        commits = postgres_commits_per_second(url, seconds)
    return {f"{database} read": reads, f"{database} commit": commits}


def start_empty_http() -> tuple[subprocess.Popen[bytes], int]:
    """Start a raw ASGI application that answers 1,300 bytes at once."""
    port = free_port()
    return subprocess.Popen([sys.executable, "-c", EMPTY_APPLICATION, str(port)]), port


def sqlite_reads_per_second(folder: Path, seconds: float) -> float:
    """Point reads of a 1.3 kB body, sqlite3 alone, one connection."""
    connection = sqlite3.connect(folder / "limit-read.db")
    connection.execute("create table r (id text primary key, body blob) strict, without rowid")
    rows = [(f"id{n}", patient_bytes(n)) for n in range(2000)]
    connection.executemany("insert into r values (?, ?)", rows)
    connection.commit()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for number in range(500):
            connection.execute("select body from r where id = ?", (f"id{number}",)).fetchone()
        count += 500
    return count / (time.perf_counter() - began)


def sqlite_commits_per_second(folder: Path, seconds: float) -> float:
    """Durable commits of one 1.3 kB body and 18 index rows each, sqlite3 alone (WAL, FULL)."""
    connection = sqlite3.connect(folder / "limit-write.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table r (id integer primary key, body blob) strict")
    connection.execute(
        "create table t (p int, v text, id int, primary key (p, v, id)) strict, without rowid"
    )
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        connection.execute("begin immediate")
        connection.execute("insert into r values (?, ?)", (count, patient_bytes(count)))
        rows = [(param, f"value {count} {param}", count) for param in range(18)]
        connection.executemany("insert into t values (?, ?, ?)", rows)
        connection.execute("commit")
        count += 1
    return count / (time.perf_counter() - began)


def postgres_reads_per_second(url: str, seconds: float) -> float:
    """Point reads of a 1.3 kB body, asyncpg alone, one held connection, prepared."""
    import asyncpg

    async def run() -> float:
        connection = await asyncpg.connect(url)
        await connection.execute("create temp table r (id text primary key, body bytea)")
        rows = [(f"id{n}", patient_bytes(n)) for n in range(2000)]
        await connection.copy_records_to_table("r", records=rows)
        statement = await connection.prepare("select body from r where id = $1")
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            for number in range(100):
                await statement.fetchrow(f"id{number}")
            count += 100
        rate = count / (time.perf_counter() - began)
        await connection.close()
        return rate

    return asyncio.run(run())


def postgres_commits_per_second(url: str, seconds: float) -> float:
    """Durable one-statement creates (a body and 18 index rows), asyncpg alone, 8 connections."""
    import asyncpg

    sql = (
        "with r as (insert into limit_r (body) values ($1) returning id) "
        "insert into limit_t select p, v, r.id from r, unnest($2::int[], $3::text[]) as u(p, v)"
    )

    async def run() -> float:
        pool = await asyncpg.create_pool(url, min_size=8, max_size=8)
        await pool.execute("create table limit_r (id bigserial primary key, body bytea)")
        await pool.execute(
            "create table limit_t (p int, v text, id bigint, primary key (p, v, id))"
        )
        until = time.perf_counter() + seconds
        counts = [0] * 8

        async def write(place: int) -> None:
            async with pool.acquire() as connection:
                statement = await connection.prepare(sql)
                while time.perf_counter() < until:
                    number = place * 10_000_000 + counts[place]
                    values = [f"value {number} {param}" for param in range(18)]
                    await statement.fetch(patient_bytes(number), list(range(18)), values)
                    counts[place] += 1

        await asyncio.gather(*(write(place) for place in range(8)))
        await pool.execute("drop table limit_r, limit_t")
        await pool.close()
        return sum(counts) / seconds

    return asyncio.run(run())
