"""Measure one server: each line of the table, with the CPU time of all that serves it."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from bench import deep_pages, processes
from bench.dossier_searches import SEARCHES
from bench.http_messages import request
from bench.load import LoadPlan
from bench.patients import IPP, family_of, head_of, ipp, patient_bytes, transaction_bytes
from bench.seeding import Seeded
from bench.targets import Target

IN_TRANSACTION = 20
NEW_NUMBERS = 10_000_000
"""What is created is numbered from here, so that it is none of what was there."""


@dataclass(frozen=True)
class Scale:
    """How long and how hard. ``different`` requests are sent in turns."""

    seconds: float = 5.0
    warm_seconds: float = 1.0
    settle_seconds: float = 2.0  # a started server is left alone before its memory is read
    connections: int = 32
    users: int = 300
    depth: int = 5_000
    different: int = 2_000
    created: int = 5_000


class Line(NamedTuple):
    """One line of the table: what is sent, what it is held against, resources in each request."""

    name: str
    plan: LoadPlan
    limit: str  # "read", "write" or "none"
    resources: int = 1


@dataclass
class Measured:
    """What was measured of one server."""

    name: str
    database: str | None
    seeded: dict[str, Any]
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def lines(target: Target, seeded: Seeded, scale: Scale) -> Iterator[Line]:
    """Give the lines of the table, in the order in which they are measured."""
    base, patients = target.path, len(seeded.ids)

    def plan(requests: list[bytes]) -> LoadPlan:
        texts = [base64.b64encode(one).decode() for one in requests]
        return LoadPlan(target.host, target.port, scale.connections, scale.seconds, texts)

    def searches(of: Callable[[int], str]) -> LoadPlan:
        """Search for patients spread over all that there are."""
        step = max(1, patients // scale.different)
        return plan([request("GET", f"{base}/Patient?{of(n)}") for n in range(0, patients, step)])

    step = max(1, patients // scale.different)
    yield Line(
        "read by id",
        plan([request("GET", f"{base}/Patient/{id_}") for id_ in seeded.ids[::step]]),
        "read",
    )
    yield Line(
        "search identifier",
        searches(lambda n: "identifier=" + quote(f"{IPP}|{ipp(n)}", safe="")),
        "read",
    )
    yield Line(
        "search family prefix, 10 given",
        searches(lambda n: f"family={quote(family_of(n)[:-1])}&_count=10"),
        "read",
    )
    yield Line(
        "search family, 1 in 40, 10 given",
        searches(lambda n: f"family={quote(head_of(n))}&_count=10"),
        "read",
    )
    if seeded.resources > patients:
        for name, of in SEARCHES.items():
            asked = [request("GET", f"{base}/{of(n)}") for n in range(0, patients, step)]
            yield Line(name, plan(asked), "read")
    pages = deep_pages.walk(target, f"Patient?_count={deep_pages.PAGE}", scale.depth)
    if pages.deep:
        first = plan([request("GET", page) for page in pages.first])
        yield Line("page 1 of 10", first, "read")
        name = f"page {pages.depth:,} of 10"
        yield Line(name, plan([request("GET", page) for page in pages.deep]), "read")
    made = range(NEW_NUMBERS, NEW_NUMBERS + scale.created)
    yield Line(
        "create, durable",
        plan([request("POST", f"{base}/Patient", patient_bytes(n)) for n in made]),
        "write",
    )
    first = NEW_NUMBERS * 2
    bundles = [
        transaction_bytes(first + n * IN_TRANSACTION, IN_TRANSACTION)
        for n in range(max(1, scale.created // IN_TRANSACTION))
    ]
    yield Line(
        f"transaction of {IN_TRANSACTION}",
        plan([request("POST", base or "/", one) for one in bundles]),
        "write",
        IN_TRANSACTION,
    )
    mixed = LoadPlan(
        target.host,
        target.port,
        scale.users,
        scale.seconds,
        mix_path=base,
        first_number=NEW_NUMBERS * 3,
    )
    yield Line(f"CRUD mix, {scale.users} users", mixed, "none")


def run_load(plan: LoadPlan) -> dict[str, Any]:
    """Run the load in a process of its own; give what it counted."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=plan.dump(), capture_output=True, check=True
    )
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def figure_of(line: Line, target: Target, scale: Scale) -> dict[str, Any]:
    """Measure one line, once warm: what was counted, and CPU milliseconds a request."""
    plan = line.plan.__dict__
    warm = min(scale.warm_seconds, scale.seconds)
    if warm:
        run_load(LoadPlan(**plan | {"seconds": warm, "first_number": line.plan.first_number * 2}))
    before = processes.cpu_seconds(target.roots)
    counted = run_load(line.plan)
    spent = processes.cpu_seconds(target.roots) - before
    asked = max(1, sum(counted["statuses"].values()))
    counted["cpu_ms"] = 1000 * spent / asked if target.roots else None
    counted["refused_count"] = asked - counted["count"] if counted["statuses"] else 0
    counted["resources_per_second"] = counted["per_second"] * line.resources
    counted["resources"] = line.resources
    counted["limit"] = line.limit
    return counted


def measure(target: Target, seeded: Seeded, scale: Scale, tell: Callable[[str], None]) -> Measured:
    """Measure all lines of a server; what it does not do is noted, and is no figure."""
    facts = {"resources": seeded.resources, "patients": len(seeded.ids), "how": seeded.how}
    measured = Measured(target.name, target.database, facts, notes=list(target.notes))
    for line in lines(target, seeded, scale):
        counted = figure_of(line, target, scale)
        if not counted["count"]:
            statuses = ", ".join(counted["statuses"]) or "no answer"
            measured.notes.append(f"{line.name}: not done ({statuses})")
            tell(f"  {target.name}: {line.name}: not done: {counted['refused'][:200]}")
            continue
        measured.figures[line.name] = counted
        refused = counted["refused_count"] + counted["errors"]
        tell(
            f"  {target.name}: {line.name}: {counted['resources_per_second']:.0f}/s"
            + (f", {refused} refused or lost: {counted['refused'][:200]}" if refused else "")
        )
    return measured
