"""The gateway as people run it: ``passerelle serve`` in a process of its own, on a port of its own.

It is waited for by asking ``/health/ready``; nothing waits for a fixed time.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx

READY_SECONDS = 60.0
END_SECONDS = 30.0
POLL_SECONDS = 0.02
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PASSERELLE_")}

T = TypeVar("T")


class GatewayProcess:
    """One gateway: started, asked, stopped or killed, and started again on the same port."""

    def __init__(self, database_url: str, folder: Path, *arguments: str, **settings: str) -> None:
        self.database_url = database_url
        self.folder = folder
        self.arguments = arguments
        self.port = free_port()
        self.settings = {
            "PASSERELLE_DATABASE_URL": database_url,
            "PASSERELLE_BIND": f"127.0.0.1:{self.port}",
            "PASSERELLE_INS_ALLOW_TEST": "true",
        } | {f"PASSERELLE_{name.upper()}": value for name, value in settings.items()}
        self.log = folder / f"gateway-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._begun = 0

    @property
    def url(self) -> str:
        """The address of the gateway, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a command that is about the same gateway."""
        return CLEAN | self.settings

    def start(self) -> "GatewayProcess":
        """Start the process; it is not ready yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._begun = len(self.told())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "passerelle", "serve", *self.arguments],
                env=dict(self.environment),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_ready(self, *, processes: int = 1) -> "GatewayProcess":
        """Wait until the gateway takes writes, in each of its processes."""
        assert self.process is not None

        def ready() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the gateway has ended: {self.told()[-3000:]}")
            if self.told()[self._begun :].count('"started"') < processes:
                return False
            try:
                return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        until(ready, READY_SECONDS, "the gateway is ready")
        return self

    def told(self) -> str:
        """Give what the process has logged since it was started first."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def kill(self) -> None:
        """Kill the process and its children, as a power cut would: nothing is ended well."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask the process to end, and wait for it; give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)

    def end(self) -> None:
        """Leave no process behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                raise

    def __enter__(self) -> "GatewayProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def peak_bytes(self) -> int:
        """Give the most memory that the process has held (Linux)."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def _signal(self, number: int) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)  # its own session: the children of --workers too
        self.process.wait(END_SECONDS)


def free_port() -> int:
    """Give a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """Ask until the answer is true, and give it; fails when the time is over."""
    pause = threading.Event()
    for _ in range(int(seconds / POLL_SECONDS)):
        found = condition()
        if found:
            return found
        pause.wait(POLL_SECONDS)
    raise AssertionError(f"not within {seconds} s: {what}")


async def eventually(condition: Callable[[], Awaitable[T]], seconds: float, what: str) -> T:
    """Ask until the answer is true, and give it; fails when the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        found = await condition()
        if found:
            return found
        if loop.time() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        await asyncio.sleep(POLL_SECONDS)
