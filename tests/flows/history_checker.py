"""What several processes answer about the same resources, held against the order of the answers.

A resource is a register whose versions only grow (https://hl7.org/fhir/R4/http.html#versions): what
has been answered by one process is seen by every request to any process that begins afterwards.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

FHIR = {"content-type": "application/fhir+json"}
BUSY = frozenset({409, 503})
"""What a client tries again: too many wrote at once."""

SLOW_SECONDS = 600.0
SHARED_KEYS = 8


class TooSlow(Exception):
    """The machine gave no answer in time: nothing was lost, nothing was shown."""


async def settled(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Ask again as long as the record is busy. Raises TooSlow."""
    try:
        async with asyncio.timeout(SLOW_SECONDS):
            while True:
                answer = await ask()
                rules = answer.text if answer.status_code in BUSY else ""
                if "record.busy" not in rules and "record.unavailable" not in rules:
                    return answer
    except (TimeoutError, httpx.TimeoutException) as slow:
        raise TooSlow(f"no answer within {SLOW_SECONDS:.0f} s") from slow


def version_of(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('W/"'))


class Checker:
    """Writes and reads through several processes, and knows what each may still answer."""

    def __init__(self, clients: list[httpx.AsyncClient], name: str) -> None:
        self.clients = clients
        self.name = name
        self.seen: Counter[str] = Counter()  # the highest version answered, by address
        self.told: dict[tuple[str, int], str | None] = {}  # what each version holds; None: deleted
        self.counted: Counter[str] = Counter()

    async def step(self, number: int, client: httpx.AsyncClient) -> None:
        """Write once, then have every process tell what it sees."""
        kind = number % 5
        id_ = f"{number}" if kind == 4 else f"shared-{number // 5 % SHARED_KEYS}"
        address = f"/fhir/Basic/{self.name}-{id_}"
        floor = self.seen[address]
        text = None if kind == 3 else f"step {number}"
        headers = {"if-match": f'W/"{floor}"'} if kind == 2 and floor else {}
        answer = await settled(lambda: self._write(client, address, text, headers))
        if answer.status_code == 412:
            self.counted["came too late"] += 1
        elif answer.status_code == 204 and "etag" not in answer.headers:
            self.counted["nothing to delete"] += 1
        else:
            self._written(address, floor, answer, text)
        await asyncio.gather(*(self._read(address, each) for each in self.clients))

    async def _write(
        self, client: httpx.AsyncClient, address: str, text: str | None, headers: dict[str, str]
    ) -> httpx.Response:
        if text is None:
            return await client.delete(address)
        id_ = address.rpartition("/")[2]
        content = json.dumps({"resourceType": "Basic", "id": id_, "code": {"text": text}})
        return await client.put(address, content=content, headers=FHIR | headers)

    def _written(self, address: str, floor: int, answer: httpx.Response, text: str | None) -> None:
        """Note what was answered: no version stands for two contents, none is below the floor."""
        assert answer.status_code in (200, 201, 204), answer.text
        version = version_of(answer)
        assert version > floor or (text is None and version == floor), "a version was given again"
        assert self.told.setdefault((address, version), text) == text, "an update was lost"
        self.seen[address] = max(self.seen[address], version)
        self.counted["writes"] += 1

    async def _read(self, address: str, client: httpx.AsyncClient) -> None:
        """Read, also by version: nothing that was answered before is missing."""
        floor = self.seen[address]
        answer = await settled(lambda: client.get(address))
        assert answer.status_code in ((200, 410) if floor else (200, 404, 410)), answer.text
        if answer.status_code == 404:
            return
        version = version_of(answer)
        assert version >= floor, f"a reading went back from {floor} to {version}"
        self.seen[address] = max(self.seen[address], version)
        self.counted["reads"] += 1
        if floor:
            past = await settled(lambda: client.get(f"{address}/_history/{floor}"))
            self._holds(address, floor, past)

    def _holds(self, address: str, version: int, answer: httpx.Response) -> None:
        """See that a version holds what was answered, where the answer has come already."""
        assert answer.status_code in (200, 410), "what was answered cannot be read"
        text = answer.json()["code"]["text"] if answer.status_code == 200 else None
        assert self.told.get((address, version), text) == text
        self.counted["versions read"] += 1

    async def end(self) -> None:
        """See that each history is what was answered: consecutive, each once, nothing else."""
        for address in {address for address, _ in self.told}:
            for client in self.clients:
                found = await whole_history(client, address)
                wanted = {n: text for (one, n), text in self.told.items() if one == address}
                assert [n for n, _ in found] == list(range(len(found), 0, -1))
                assert dict(found) == wanted, "a history is not what was answered"
            self.counted["histories"] += 1


async def whole_history(client: httpx.AsyncClient, address: str) -> list[tuple[int, str | None]]:
    """Give (version, text) of all versions, the newest first, page by page."""
    found: list[tuple[int, str | None]] = []
    following: str | None = f"{address}/_history?_count=200"
    while following:
        page: dict[str, Any] = (await client.get(following)).json()
        for entry in page.get("entry", ()):
            version = int(entry["response"]["etag"].strip('W/"'))
            text = entry["resource"]["code"]["text"] if "resource" in entry else None
            found.append((version, text))
        following = next((one["url"] for one in page["link"] if one["relation"] == "next"), None)
    return found
