"""A load generator: keep-alive connections, one request at a time on each, counted in bytes.

Run as a process of its own, so that it has a core of its own: reads a JSON plan on standard input
(``{"host", "port", "connections", "seconds", "requests": [base64 …]}``), writes one JSON line.
"""

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from typing import cast


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        self.send()

    def send(self) -> None:
        request = self.load.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        headers = self.buffer[:head].lower()
        place = headers.find(b"content-length:")
        length = int(headers[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self.buffer) < head + 4 + length:
            return
        self.load.answered(int(self.buffer[9:12]), time.perf_counter() - self.sent_at)
        self.buffer = b""
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost(exc)


class Load:
    """One run: hands requests out until time is up, counts what comes back."""

    def __init__(self, plan: dict[str, object]) -> None:
        self.plan = plan
        self.requests = [base64.b64decode(text) for text in plan["requests"]]  # type: ignore[attr-defined]
        self.place = 0
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self.open = int(str(plan["connections"]))
        self.errors = 0
        self.done = asyncio.Event()

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self.until:
            return None
        if self.place >= len(self.requests):
            self.place = 0
        self.place += 1
        return self.requests[self.place - 1]

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.times.append(seconds)

    def lost(self, exc: Exception | None) -> None:
        self.errors += exc is not None
        self.open -= 1
        if self.open == 0:
            self.done.set()

    async def run(self) -> dict[str, object]:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        self.until = began + float(str(self.plan["seconds"]))
        for _ in range(self.open):
            await loop.create_connection(
                lambda: Connection(self), str(self.plan["host"]), int(str(self.plan["port"]))
            )
        await self.done.wait()
        spent = time.perf_counter() - began
        times = sorted(self.times) or [0.0]
        return {
            "count": sum(self.statuses.values()),
            "statuses": dict(self.statuses),
            "errors": self.errors,
            "per_second": sum(self.statuses.values()) / spent,
            "p50_ms": times[len(times) // 2] * 1000,
            "p99_ms": times[len(times) * 99 // 100] * 1000,
        }


def main() -> None:
    import uvloop

    plan = json.load(sys.stdin)

    async def run() -> dict[str, object]:
        return await Load(plan).run()

    print(json.dumps(uvloop.run(run())))


if __name__ == "__main__":
    main()
