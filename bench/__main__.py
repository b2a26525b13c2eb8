"""``make bench``: the gateway on SQLite and PostgreSQL, the raw limits, and peers if asked for.

Everything runs on this machine, one after another in one go: server, database and load share its
cores. Figures of another machine, or of another run, compare only by their ratios.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import limits, processes, report, surroundings
from bench.dossiers import OF_A_PATIENT, id_of
from bench.dossiers import surroundings as surroundings_of
from bench.filling import fill
from bench.gateway_process import gateway_process
from bench.http_messages import request
from bench.load import LoadPlan
from bench.measuring import Measured, Scale, measure, run_load
from bench.peers import installing
from bench.processes import ServedProcess
from bench.records import Record, records
from bench.seeding import Seeded, seed
from bench.targets import Target, target_at


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def running(process: ServedProcess, settle_seconds: float) -> Iterator[dict[str, float]]:
    """Run a server; give what is known of its start, and of its memory at the end."""
    facts = {"cold_start_s": process.start()}
    try:
        time.sleep(settle_seconds)
        facts["idle_mb"] = processes.memory_mb([process.pid])
        yield facts
        facts["loaded_mb"] = processes.memory_mb([process.pid])
    finally:
        process.stop()


def http_limit(seconds: float) -> float:
    """Give how many empty answers of 1.3 kB this machine can serve."""
    process, port = limits.start_empty_http()
    try:
        processes.wait_listening(port)
        plain = LoadPlan("127.0.0.1", port, 32, seconds, [limits.encoded(request("GET", "/"))])
        return float(run_load(plain)["per_second"])
    finally:
        process.terminate()
        process.wait()


def measure_gateway(record: Record, patients: int, scale: Scale) -> Measured:
    """Measure the gateway on a record that is filled if it is new."""
    name = f"passerelle {record.database}"
    if record.is_new:
        filled = fill(record.url, patients)
        record.filled()
        say(f"  {name}: filled with {filled.resources} resources, {filled.per_second:.0f}/s")
    ids = tuple(id_of("Patient", number) for number in range(patients))
    process = gateway_process(record.url)
    with running(process, scale.settle_seconds) as facts:
        roots = (process.pid, *record.roots)
        target = Target(name, "127.0.0.1", process.port, process.path, roots, record.database)
        around = sum(1 for _ in surroundings_of(patients))
        seeded = Seeded(ids, patients * OF_A_PATIENT + around, "its own commit path, offline")
        measured = measure(target, seeded, scale, say)
    measured.facts.update(facts)
    return measured


def measure_peer(name: str, patients: int, scale: Scale) -> Measured:
    """Measure a peer of the registries. Raises NotThere."""
    cache = installing.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    process = installing.PEERS[name](cache)
    with running(process, scale.settle_seconds) as facts:
        target = Target(
            name,
            "127.0.0.1",
            process.port,
            process.path,
            (process.pid,),
            notes=(installing.IN_MEMORY,),
        )
        measured = measure(target, seed(target, patients), scale, say)
    measured.facts.update(facts)
    return measured


def arguments_of(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--patients", type=int, default=500, help="eight resources each; 64000 for the real run")
    add("--seconds", type=float, default=3.0, help="per line")
    add("--connections", type=int, default=32, help="at once, but for the CRUD mix")
    add("--users", type=int, default=300, help="at once in the CRUD mix")
    add("--depth", type=int, default=5_000, help="of the deep page")
    add("--databases", default="sqlite,postgresql", help="which ones, by commas; may be empty")
    add("--data", type=Path, help="keep the filled records there for the next run")
    add("--peers", action="store_true", help="install peers from PyPI and npm, measure them too")
    add("--peer-patients", type=int, default=2_000, help="as many at most are put over HTTP")
    add("--base-url", action="append", default=[], help="another FHIR server on this machine")
    add("--name", action="append", default=[], help="what to call it")
    add("--pid", action="append", default=[], help="of what serves it, by commas, for its CPU")
    add("--json", type=Path, help="write the run there")
    add("--page", type=Path, help="put the table between the marks of this page")
    return parser.parse_args(given)


def strangers(arguments: argparse.Namespace) -> Iterator[Target]:
    """Give the servers named by address. Raises ValueError."""
    for place, base_url in enumerate(arguments.base_url):
        name = arguments.name[place] if place < len(arguments.name) else base_url
        pids = arguments.pid[place] if place < len(arguments.pid) else ""
        yield target_at(name, base_url, tuple(int(pid) for pid in pids.split(",") if pid))


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all that is asked for; give the run as it is written."""
    scale = Scale(
        seconds=arguments.seconds,
        connections=arguments.connections,
        users=arguments.users,
        depth=arguments.depth,
    )
    few = min(arguments.patients, arguments.peer_patients)
    found: dict[str, Any] = surroundings.describe()
    found["settings"] = asdict(scale) | {"patients": arguments.patients, "peer_patients": few}
    found["skipped"] = ["ndjson import and export: left out, there is no door for them yet"]
    servers: list[Measured] = []
    floor = {"http": http_limit(scale.seconds)}
    targets = list(strangers(arguments))
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = arguments.data or temporary
        wanted = [name for name in arguments.databases.split(",") if name]
        for record in records(wanted, folder, arguments.patients, stack):
            floor |= limits.of_database(record.database, record.url, temporary, scale.seconds)
            servers.append(measure_gateway(record, arguments.patients, scale))
    for name in installing.PEERS if arguments.peers else ():
        try:
            servers.append(measure_peer(name, few, scale))
        except (installing.NotThere, RuntimeError) as fault:
            found["skipped"].append(f"{name}: {fault}")
    if arguments.peers:
        found["skipped"].append(installing.HAPI)
    for target in targets:
        servers.append(measure(target, seed(target, few), scale, say))
    found["limits"] = floor
    found["servers"] = {each.name: asdict(each) for each in servers}
    found["load_average_after"] = surroundings.busy()
    return found


def main() -> None:
    """Run, print the table, write it where it is asked for."""
    arguments = arguments_of()
    found = run(arguments)
    say("\n" + report.markdown(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if arguments.page:
        arguments.page.write_text(report.put_into(arguments.page.read_text("utf-8"), found))


if __name__ == "__main__":
    main()
