"""What every answer of the HTTP door is judged by, whatever was asked."""

import http.client
import json
import os
from collections import Counter
from pathlib import Path

from lxml import etree

from tests.flows.gateway_process import GatewayProcess
from tests.flows.hostile_request import Hostile

SECONDS = 60
DOCUMENTED = frozenset({501, 503})
CPU_SECONDS_MAX = 0.5
MEMORY_BYTES_MAX = 600_000_000
"""What a gateway may hold at the end, whatever it was asked."""
FHIR = "{http://hl7.org/fhir}"


class HostileDoor:
    """A client that sends what it is told, and judges what comes back."""

    def __init__(self, process: GatewayProcess, *, counts_cpu: bool = False) -> None:
        self.process = process
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.counts_cpu = counts_cpu
        self._line = http.client.HTTPConnection("127.0.0.1", process.port, timeout=SECONDS)

    def close(self) -> None:
        """Leave no connection behind."""
        self._line.close()

    def demand(self, asked: Hostile) -> None:
        """Send a request; see that it is answered, and refused as a refusal should be."""
        before = self._cpu_seconds() if self.counts_cpu else 0.0
        status, media, body = self._exchange(asked)
        if self.counts_cpu:
            spent = self._cpu_seconds() - before
            self.slowest = max(self.slowest, spent)
            assert spent <= CPU_SECONDS_MAX, (spent, asked)
        self.statuses[status] += 1
        assert status < 500 or status in DOCUMENTED, (status, asked)
        if status >= 400 and asked.method != "HEAD":
            demand_outcome(media, body)

    def told(self) -> str:
        """Give the counters."""
        statuses = ", ".join(f"{status}: {n}" for status, n in sorted(self.statuses.items()))
        total = sum(self.statuses.values())
        megabytes = self.process.peak_bytes() // 1_000_000
        return f"{total} requests ({statuses}), {self.slowest:.2f} s at most, {megabytes} MB"

    def _exchange(self, asked: Hostile) -> tuple[int, str, bytes]:
        for attempt in (1, 2):
            try:
                self._line.request(asked.method, asked.address, asked.body, dict(asked.headers))
                answer = self._line.getresponse()
                return answer.status, answer.getheader("content-type") or "", answer.read()
            except (http.client.HTTPException, ConnectionError):
                self._line.close()  # it was closed after a refusal that closes; open it again
                if attempt == 2:
                    raise
        raise AssertionError

    def _cpu_seconds(self) -> float:
        """Give the time that the process has computed (Linux)."""
        assert self.process.process is not None
        line = Path(f"/proc/{self.process.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(line[11]) + int(line[12])) / os.sysconf("SC_CLK_TCK")


def demand_outcome(media: str, body: bytes) -> None:
    """See that a refusal is an OperationOutcome with an issue, in either form."""
    if media.startswith("application/fhir+xml"):
        root = etree.XML(body)
        assert root.tag == f"{FHIR}OperationOutcome", body[:300]
        assert root.find(f"{FHIR}issue") is not None
        return
    assert media.startswith("application/fhir+json"), (media, body[:300])
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"]
