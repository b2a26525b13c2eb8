"""The account of a run, from what was measured: Markdown that a terminal shows as well. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Run = Mapping[str, Any]
BEGIN, END = "<!-- run: begin -->", "<!-- run: end -->"
GATEWAYS = ("passerelle sqlite", "passerelle postgresql")
BUSY = 0.5
"""A machine had other work when so much of each core was taken before the run."""


def rate(value: float) -> str:
    """Spell a rate or a count with as many digits as it is worth."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def limit_of(figure: Mapping[str, Any], database: str | None, limits: Mapping[str, float]) -> float:
    """Give the rate that the machine could at best reach for a line; 0 when nothing says."""
    if database is None or figure["limit"] == "none":
        return 0.0
    if figure["limit"] == "write":
        return limits[f"{database} commit"]
    return min(limits["http"], limits[f"{database} read"])


def ratio(of: float, to: float) -> str:
    """Spell how many times one figure is another."""
    if not to or not of:
        return "–"
    times = of / to
    return f"{times:.2f}" if times < 10 else f"{times:.0f}"


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def table(run: Run) -> Iterator[str]:
    """Give the lines of the table: one row for each line of each server."""
    servers = run["servers"]
    peers = [name for name in servers if name not in GATEWAYS]
    heads = ["what", "server", "/s", "p50 ms", "p99 ms", "CPU ms", "of the limit"]
    heads += [f"rate × {peer}" for peer in peers] + [f"CPU ÷ {peer}" for peer in peers]
    yield row(*heads)
    yield row(*["---"] * 2, *["--:"] * (len(heads) - 2))
    names = dict.fromkeys(name for server in servers.values() for name in server["figures"])
    for what in names:
        for name, server in servers.items():
            figure = server["figures"].get(what)
            if figure is None:
                continue
            yield row(what, name, *figures(figure, server, run), *beside(what, name, peers, run))


def figures(figure: Mapping[str, Any], server: Mapping[str, Any], run: Run) -> Iterator[str]:
    """Give the figures of one line of one server, as they are printed."""
    unit = " resources" if figure["resources"] > 1 else ""
    yield rate(figure["resources_per_second"]) + unit
    yield f"{figure['p50_ms']:.1f}"
    yield f"{figure['p99_ms']:.1f}"
    yield "–" if figure["cpu_ms"] is None else f"{figure['cpu_ms']:.3f}"
    best = limit_of(figure, server["database"], run["limits"])
    yield ratio(figure["resources_per_second"], best)


def beside(what: str, name: str, peers: list[str], run: Run) -> Iterator[str]:
    """Give how a gateway stands beside each peer: by rate, then by CPU time a request."""
    ours = run["servers"][name]["figures"][what]
    for key in ("per_second", "cpu_ms"):
        for peer in peers:
            theirs = run["servers"][peer]["figures"].get(what)
            if name not in GATEWAYS or theirs is None:
                yield "–"
            elif key == "cpu_ms":
                yield ratio(theirs[key] or 0, ours[key] or 0)
            else:
                yield ratio(ours[key], theirs[key])


def facts(run: Run) -> Iterator[str]:
    """Give what each server held, how long it took to start, what memory it took."""
    yield row("server", "resources", "patients", "filled by", "start s", "idle MB", "loaded MB")
    yield row("---", "--:", "--:", "---", "--:", "--:", "--:")
    for name, server in run["servers"].items():
        weights = (
            f"{server['facts'][fact]:.{digits}f}" if fact in server["facts"] else "–"
            for fact, digits in (("cold_start_s", 2), ("idle_mb", 0), ("loaded_mb", 0))
        )
        seeded = server["seeded"]
        yield row(
            name,
            f"{seeded['resources']:,}",
            f"{seeded['patients']:,}",
            str(seeded["how"]),
            *weights,
        )


def limits(run: Run) -> Iterator[str]:
    """Give the raw limits of the machine."""
    yield row("limit of this machine, in this run", "/s")
    yield row("---", "--:")
    for name, value in run["limits"].items():
        yield row(name, rate(value))


def notes(run: Run) -> Iterator[str]:
    """Give what was not done, and why; what was refused."""
    for name, server in run["servers"].items():
        for note in server["notes"]:
            yield f"- {name}: {note}"
        for what, figure in server["figures"].items():
            lost = figure["refused_count"] + figure["errors"]
            if lost:
                yield f"- {name}: {what}: {lost} requests refused or lost, and not counted"
    for note in run["skipped"]:
        yield f"- {note}"


def markdown(run: Run) -> str:
    """Give the whole account of a run."""
    machine, versions = run["machine"], run["versions"]
    spelled = ", ".join(f"{name} {version}" for name, version in versions.items())
    settings = ", ".join(f"{name} {value}" for name, value in run["settings"].items())
    parts = [
        f"Run of {run['date']}, commit {run['commit']}, on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}.",
        _load(run),
        f"Versions: {spelled}.",
        f"Settings: {settings}.",
        "\n".join(limits(run)),
        "\n".join(facts(run)),
        "\n".join(table(run)),
        "\n".join(notes(run)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _load(run: Run) -> str:
    """Tell how busy the machine was: before the run, it was so with the work of others alone."""
    before, after = run["load_average"][0], run["load_average_after"]
    told = f"Load average before and after: {before} and {after}; servers one after another."
    if before < BUSY * run["machine"]["cores"]:
        return told
    return (
        f"{told} Others worked on the machine too: that takes from every rate and, by their use of "
        "the caches, adds to every CPU ms."
    )


def put_into(page: str, run: Run) -> str:
    """Give a page with the account of a run between its two marks. Raises ValueError."""
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{markdown(run)}\n{END}{after}"
