"""A gateway as a process: started, waited for, weighed, stopped."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayProcess:
    """``passerelle serve`` on a database of its own."""

    def __init__(self, folder: Path, database_url: str | None = None, workers: int = 1) -> None:
        self.port = free_port()
        self.environment = {
            **os.environ,
            "PASSERELLE_DATABASE_URL": database_url or f"sqlite:///{folder / 'bench.db'}",
            "PASSERELLE_BIND": f"127.0.0.1:{self.port}",
            "PASSERELLE_AUTO_MIGRATE": "true",
            "PASSERELLE_INS_ALLOW_TEST": "true",
            "PASSERELLE_LOG_LEVEL": "ERROR",
        }
        self.command = [sys.executable, "-m", "passerelle", "serve", "--no-worker"]
        if workers > 1:
            self.command += ["--workers", str(workers)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start and give the seconds until /fhir/metadata answered."""
        began = time.perf_counter()
        self.process = subprocess.Popen(self.command, env=self.environment)
        while time.perf_counter() - began < 60:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/fhir/metadata")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began
            if self.process.poll() is not None:
                raise RuntimeError("the gateway ended while starting")
            time.sleep(0.005)
        raise RuntimeError("the gateway did not answer within 60 s")

    def memory_mb(self) -> float:
        """Give the proportional memory (PSS) of the process and its children, in MB."""
        assert self.process is not None
        pids = [self.process.pid]
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) in pids:
                    pids.append(int(path.parent.name))
        total = 0
        for pid in pids:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def cpu_seconds(self) -> float:
        """Give the CPU time of the process so far, in seconds."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
