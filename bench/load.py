"""A load generator: keep-alive connections, one request at a time on each, counted in bytes.

Run as a process of its own, so that its work is not counted as the server's: reads a
:class:`LoadPlan` as JSON on standard input, writes one JSON line. Bounded in time and in
connections, and it goes to loopback addresses only. Only answers of 2xx count as requests done.
"""

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, cast

from bench.crud_mix import MAKERS, MixPlan
from bench.http_messages import Answer, answer
from bench.load_sources import Mix, Source, shared_turns

LOOPBACK = ("127.0.0.1", "::1", "localhost")
CONNECTIONS_MAX = 400
SECONDS_MAX = 600.0
SECONDS_OVER = 20.0
"""As long a last answer is waited for when time is up."""


@dataclass(frozen=True)
class LoadPlan:
    """What to send where: ``requests`` (base64) in turns, or rounds of the mix on ``mix_path``."""

    host: str
    port: int
    connections: int
    seconds: float
    requests: list[str] = field(default_factory=list)
    mix_path: str | None = None
    mix_types: tuple[str, ...] = tuple(MAKERS)
    first_number: int = 0

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK:
            raise ValueError("load goes to this machine only")
        if not 1 <= self.connections <= CONNECTIONS_MAX or self.seconds > SECONDS_MAX:
            raise ValueError("too much load")

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, load: "Load", source: Source) -> None:
        self.load = load
        self.source = source
        self.parts: list[bytes] = []
        self.sent_at = 0.0
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        self.send()

    def send(self) -> None:
        if time.perf_counter() >= self.load.until:
            self.transport.close()
            return
        request = self.source.next_request()
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        found = answer(data if len(self.parts) == 1 else b"".join(self.parts))
        if found is None:
            return
        self.parts.clear()
        self.load.answered(found, time.perf_counter() - self.sent_at)
        self.source.answered(found)
        if found.closes:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost(self, exc)


class Load:
    """One run: hands requests out until time is up, counts what comes back."""

    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self.numbers = count(plan.first_number)
        self.turns = shared_turns([base64.b64decode(text) for text in plan.requests])
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self.errors = 0
        self.refused = b""
        self.connections: set[Connection] = set()
        self.done = asyncio.Event()

    def source(self) -> Source:
        if self.plan.mix_path is None:
            return self.turns
        return Mix(MixPlan(self.plan.mix_path, tuple(self.plan.mix_types)), self.numbers)

    def answered(self, found: Answer, seconds: float) -> None:
        self.statuses[found.status] += 1
        if 200 <= found.status < 300:
            self.times.append(seconds)
        elif not self.refused:
            self.refused = found.body[:400]

    def lost(self, connection: Connection, exc: Exception | None) -> None:
        """Take leave of a connection: another one takes its place while there is time."""
        self.connections.discard(connection)
        going_on = time.perf_counter() < self.until
        if exc is not None or (connection.parts and going_on):
            self.errors += 1
        if going_on and self.errors < CONNECTIONS_MAX:
            self._opening = asyncio.ensure_future(self.connect())
        elif not self.connections:
            self.done.set()

    async def connect(self) -> None:
        made = Connection(self, self.source())
        self.connections.add(made)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: made, self.plan.host, self.plan.port)
        except OSError as fault:
            self.lost(made, fault)

    async def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        self.until = began + self.plan.seconds
        for _ in range(self.plan.connections):
            await self.connect()
        try:
            async with asyncio.timeout(self.plan.seconds + SECONDS_OVER):
                await self.done.wait()
        except TimeoutError:
            self.errors += len(self.connections)
        spent = time.perf_counter() - began
        times = sorted(self.times)
        return {
            "count": len(times),
            "statuses": dict(self.statuses),
            "errors": self.errors,
            "refused": self.refused.decode("utf-8", "replace"),
            "per_second": len(times) / spent,
            "p50_ms": percentile(times, 0.50) * 1000,
            "p99_ms": percentile(times, 0.99) * 1000,
        }


def percentile(times: list[float], part: float) -> float:
    """Give the value that a part of some sorted values does not go beyond; 0 of none."""
    return times[min(len(times) - 1, int(len(times) * part))] if times else 0.0


def main() -> None:
    """Run the plan of the standard input."""
    import uvloop

    plan = LoadPlan(**json.load(sys.stdin))

    async def run() -> dict[str, Any]:
        return await Load(plan).run()

    print(json.dumps(uvloop.run(run())))


if __name__ == "__main__":
    main()
