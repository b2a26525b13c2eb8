"""A gateway is killed at random moments under load, again and again: nothing acknowledged is lost.

No write twice, no half transaction, every acknowledged sending arrives, all copies of a mail are
the same to the byte, and ``passerelle check`` finds nothing.
"""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows import record
from tests.flows.gateway_process import GatewayProcess, eventually
from tests.flows.load import DOSSIERS, SYSTEM, Client, Ledger
from tests.flows.operator_process import DOCTOR, OperatorProcess

pytestmark = pytest.mark.anyio
CLIENTS = 4
WORKERS = 2
ACTS_MAX = 60
"""A kill comes after that many acknowledged writes at most, drawn each time."""

OPEN_JOBS = "SELECT count(*) FROM job WHERE state NOT IN ('done', 'dead')"
HASTE = {
    "job_lease_seconds": "3",
    "job_retry_seconds": str([0.5] * 50),
}


@dataclass
class Told:
    """The counters of a run."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    sendings: int = 0
    mails: int = 0
    copies: int = 0


async def test_three_kills_under_load_lose_nothing(
    database_url: str, tmp_path: Path, operator: OperatorProcess
) -> None:
    await killed(database_url, tmp_path, operator, kills=3)


@pytest.mark.nightly
async def test_many_kills_under_load_lose_nothing(
    database_url: str, tmp_path: Path, operator: OperatorProcess
) -> None:
    kills = int(os.environ.get("PASSERELLE_KILLS", "100"))
    await killed(database_url, tmp_path, operator, kills=kills)


async def killed(database_url: str, folder: Path, operator: OperatorProcess, *, kills: int) -> None:
    """Kill so many times, then see what stands in the record and in the mailbox."""
    seed = int(os.environ.get("PASSERELLE_SEED", random.SystemRandom().randrange(10**6)))
    workers = () if database_url.startswith("sqlite") else ("--workers", str(WORKERS))
    gateway = GatewayProcess(database_url, folder, *workers, **(HASTE | operator.settings))
    told = Told(kills=kills)
    try:
        await started(gateway)
        async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as http:
            ledger = await load_and_kill(gateway, http, kills, random.Random(seed))
            await idle(database_url)
            told.acknowledged = ledger.acknowledged
            await demand_record(http, ledger, told)
            await demand_mails(http, ledger, operator, told)
        checked = await asyncio.to_thread(check, gateway)
        print(f"\n{database_url.partition(':')[0]}, seed {seed}: {asdict(told)}")
        assert checked.returncode == 0, checked.stdout
        assert (told.lost, told.doubled) == (0, 0), f"seed {seed}"
    finally:
        await asyncio.to_thread(gateway.end)


async def started(gateway: GatewayProcess) -> None:
    gateway.start()
    await asyncio.to_thread(gateway.wait_ready, processes=WORKERS if gateway.arguments else 1)


async def load_and_kill(
    gateway: GatewayProcess, http: httpx.AsyncClient, kills: int, chance: random.Random
) -> Ledger:
    """Let clients write; kill and start again; return when each has ended what it was at."""
    ledger = Ledger()
    clients = [Client(f"c{number}", http, ledger) for number in range(CLIENTS)]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run())
        for _ in range(kills):
            await ledger.reaches(ledger.acknowledged + chance.randrange(1, ACTS_MAX))
            gateway.kill()
            for client in clients:
                client.up.clear()
            await started(gateway)
            for client in clients:
                client.up.set()
        await ledger.reaches(ledger.acknowledged + CLIENTS)
        for client in clients:
            client.stopping = True
    return ledger


async def idle(database_url: str) -> None:
    """Wait until no job waits any more."""

    async def none_open() -> bool:
        return await asyncio.to_thread(record.rows, database_url, OPEN_JOBS) == [(0,)]

    await eventually(none_open, 300, "all jobs have ended")


async def demand_record(http: httpx.AsyncClient, ledger: Ledger, told: Told) -> None:
    """See that what was acknowledged is there, once."""

    async def found(query: str) -> list[dict[str, Any]]:
        bundle = (await http.get(f"/fhir/{query}&_count=1000")).json()
        return [entry["resource"] for entry in bundle.get("entry", ())]

    for value, id_ in (ledger.created | ledger.shared).items():
        there = [one["id"] for one in await found(f"Patient?identifier={SYSTEM}|{value}")]
        told.lost += id_ not in there
        told.doubled += len(there) > 1
    for value in ledger.lost_creations:
        told.doubled += len(await found(f"Patient?identifier={SYSTEM}|{value}")) > 1
    for value, acknowledged in ledger.transactions.items():
        patients = await found(f"Patient?identifier={SYSTEM}|{value}")
        tasks = [t for p in patients for t in await found(f"Task?patient=Patient/{p['id']}")]
        told.lost += acknowledged and not patients
        told.doubled += len(patients) > 1
        assert len(tasks) == 2 * len(patients), "half a transaction"
    for id_, (asked, answered) in ledger.counters.items():
        history = (await http.get(f"/fhir/Patient/{id_}/_history?_count=1000")).json()["entry"]
        ranks = [entry["resource"]["telecom"][0]["rank"] for entry in reversed(history)]
        assert ranks == list(range(1, len(ranks) + 1))
        told.lost += not answered <= len(ranks) <= asked
    for name, keys in ledger.tasks.items():
        pulled = (await http.get(f"/dossiers/{name}")).json()
        by_key = Counter(task["key"] for task in pulled["tasks"])
        told.lost += len(keys - set(by_key))
        told.doubled += sum(number - 1 for number in by_key.values())
    assert ledger.tasks.keys() == {f"{DOSSIERS}|c{number}" for number in range(CLIENTS)}


async def demand_mails(
    http: httpx.AsyncClient, ledger: Ledger, operator: OperatorProcess, told: Told
) -> None:
    """See that every acknowledged sending has arrived, and that all copies are one."""
    copies: dict[str, list[bytes]] = defaultdict(list)
    for raw in operator.mails(DOCTOR):
        _, _, _, sent = raw.split(b"\r\n", 3)  # below the trace that the operator writes on top
        copies[str(message_from_bytes(raw, policy=policy.default)["Message-ID"])].append(sent)
    told.sendings, told.mails = len(ledger.sendings), len(copies)
    told.copies = sum(map(len, copies.values()))
    assert all(len(set(one)) == 1 for one in copies.values()), "copies that differ"
    known = set()
    for reference in ledger.sendings:
        answer = await http.get(f"/fhir/{reference}")
        told.lost += answer.status_code != 200
        message_id = answer.json()["identifier"][0]["value"]
        known.add(message_id)
        told.lost += message_id not in copies
    for message_id in copies.keys() - known:  # asked for, never answered: its cause is there
        criteria = {"identifier": message_id, "_summary": "count"}
        bundle = await http.post("/fhir/Communication/_search", data=criteria)
        assert bundle.json()["total"] == 1


def check(gateway: GatewayProcess) -> subprocess.CompletedProcess[str]:
    """Run ``passerelle check`` on the record."""
    return subprocess.run(
        [sys.executable, "-m", "passerelle", "check", "--json"],
        env=dict(gateway.environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
