"""Processes that are measured: started, waited for, weighed with all their children, stopped."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_listening(port: int) -> None:
    """Wait until somebody listens on a port of this machine. Raises RuntimeError after a minute."""
    began = time.perf_counter()
    while time.perf_counter() - began < START_SECONDS:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.005)
    raise RuntimeError(f"nobody listens within {START_SECONDS:.0f} s")


def _stat(pid: int) -> list[str]:
    """Give what stands behind the name in ``/proc/PID/stat``, from the state on."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return []


def family(roots: Iterable[int]) -> set[int]:
    """Give processes with all that descend from them."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(path.name))
        if fields:
            parents[int(path.name)] = int(fields[1])
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """Give the CPU time that processes, their children and those that ended have spent."""
    ticks = 0
    for pid in family(roots):
        ticks += sum(map(int, _stat(pid)[11:15]))
    return ticks / TICKS


def memory_mb(roots: Iterable[int]) -> float:
    """Give the memory of processes and their children, each page shared by as many as use it."""
    total = 0
    for pid in family(roots):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


class ServedProcess:
    """A server as a process of its own, on a port of this machine."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        path: str = "/fhir",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.port = port
        self.path = path
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start and give the seconds until its metadata came. Raises RuntimeError."""
        began = time.perf_counter()
        self._process = subprocess.Popen(
            self._command, env=self._environment, cwd=self._folder, stdout=subprocess.DEVNULL
        )
        while time.perf_counter() - began < START_SECONDS:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._answers():
                    return time.perf_counter() - began
            if self._process.poll() is not None:
                raise RuntimeError("the server ended while starting")
            time.sleep(0.005)
        self.stop()
        raise RuntimeError(f"the server did not answer within {START_SECONDS:.0f} s")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", f"{self.path}/metadata")
            return connection.getresponse().status == 200

    def stop(self) -> None:
        """End it: kindly, then not."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
