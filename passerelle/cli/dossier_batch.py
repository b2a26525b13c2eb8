"""``passerelle dossier push FILE.ndjson|FOLDER``: many dossiers, some at a time.

``POST /dossiers:batch``. Receipts are kept beside what is pushed, so that a push that was broken
off goes on behind the last of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import typer

from passerelle.cli import client, printing
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue

SUFFIXES = frozenset({".ndjson", ".jsonl"})
LINES_AT_ONCE = 100
BYTES_AT_ONCE = 4 * 1024 * 1024
"""Of one request; the progress moves as often."""

SHOWN_MAX = 20
_FAILED = 500


class Given(NamedTuple):
    """A dossier to push: its number, its JSON on one line, how far it brings us in the whole."""

    number: int
    body: bytes
    size: int


@dataclass
class Summary:
    """What became of the lines."""

    lines: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    stopped: dict[str, Any] | None = None

    def add(self, receipt: dict[str, Any]) -> None:
        """Count a receipt."""
        self.lines += 1
        if receipt["status"] >= 400:
            self.counts["refused"] += 1
            self.refused.append(receipt)
        elif receipt["status"] == 201:
            self.counts["created"] += 1
        else:
            same = receipt.get("actions", {}).keys() <= {"unchanged"}
            self.counts["unchanged" if same else "updated"] += 1
        if receipt.get("actions", {}).get("refused"):
            self.counts["with refused entries"] += 1


def is_batch(path: Path) -> bool:
    """Tell whether a path is a folder of dossiers, or a file with one a line."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def receipts_of(path: Path) -> Path:
    """Give the file of the receipts of what is pushed."""
    return path.with_name(path.name + ".receipts.ndjson")


def push(path: Path, *, strict: bool, dry_run: bool, resume: bool, server: str, json: bool) -> None:
    """Push all dossiers of a folder or a file; ends the command with 1 when some are refused."""
    summary, kept = Summary(), receipts_of(path)
    behind = _last_line(kept) if resume else 0
    query = "?dryRun=true" if dry_run else ""
    mode = "ab" if resume else "wb"
    try:
        with (
            client.asking(server, json=json) as gateway,
            kept.open(mode) if not dry_run else nullcontext() as receipts,
            _Progress(_size(path), shown=not json) as progress,
        ):
            for some in _parts(_skipped(path, behind, progress, json=json)):
                told = _send(gateway, some, query, strict=strict)
                _keep(told, summary, receipts)
                progress.on(sum(each.size for each in some))
                if summary.stopped is not None:
                    break
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        found = issue("cli.file-unreadable", reason=reason)
        raise printing.stop(printing.UNREACHABLE, found, json=json) from None
    _tell(summary, kept, dry_run=dry_run, json=json)


def _send(
    gateway: client.Client, some: Sequence[Given], query: str, *, strict: bool
) -> list[dict[str, Any]]:
    """Send some dossiers; give their receipts under their own numbers. Raises Unreachable."""
    from passerelle.fhir.json_text import decode

    handling = "strict" if strict else "lenient"
    answer = gateway.ask(
        "POST",
        f"dossiers:batch{query}",
        content=b"".join(each.body + b"\n" for each in some),
        headers={
            "content-type": "application/x-ndjson",
            "prefer": f"return=minimal, handling={handling}",
        },
    )
    try:
        told = [decode(line) for line in answer.body.splitlines()]
        return [{**one, "line": some[int(one["line"]) - 1].number} for one in told]
    except (Invalid, LookupError, TypeError, ValueError):
        raise answer.unexpected() from None


def _keep(told: list[dict[str, Any]], summary: Summary, receipts: IO[bytes] | None) -> None:
    """Count the receipts and write them down, until the gateway itself fails."""
    from passerelle.fhir.json_text import encode

    for receipt in told:
        if receipt["status"] >= _FAILED:
            summary.stopped = receipt
            break
        summary.add(receipt)
        if receipts is not None:
            receipts.write(encode(receipt) + b"\n")
    if receipts is not None:
        receipts.flush()


def _given(path: Path, *, json: bool) -> Iterator[Given]:
    """Give the dossiers of a file by their lines, of a folder by the names of its files."""
    if not path.is_dir():
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield Given(number, line.strip(b"\r\n"), len(line))
        return
    import msgspec

    for number, each in enumerate(sorted(path.glob("*.json")), 1):
        body = client.read_file(each, json=json)
        try:
            # JSON has no line break but between its parts: on one line it says the same.
            yield Given(number, msgspec.json.format(body, indent=-1), 1)
        except msgspec.DecodeError:
            yield Given(number, body.replace(b"\n", b" "), 1)


def _skipped(path: Path, behind: int, progress: "_Progress", *, json: bool) -> Iterator[Given]:
    for each in _given(path, json=json):
        if each.number <= behind or not each.body.strip():
            progress.on(each.size)
        else:
            yield each


def _parts(given: Iterator[Given]) -> Iterator[list[Given]]:
    """Give so many, or so many bytes, at a time."""
    some: list[Given] = []
    for each in given:
        if some and sum(len(one.body) for one in some) + len(each.body) > BYTES_AT_ONCE:
            yield some
            some = []
        some.append(each)
        if len(some) == LINES_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _last_line(kept: Path) -> int:
    """Give the number of the last line that has a receipt; half a receipt is cut off."""
    from passerelle.fhir.json_text import decode

    if not kept.exists():
        return 0
    last, whole = 0, 0
    with kept.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            last, whole = int(decode(line)["line"]), whole + len(line)
    with kept.open("rb+") as file:
        file.truncate(whole)
    return last


def _size(path: Path) -> int:
    return sum(1 for _ in path.glob("*.json")) if path.is_dir() else path.stat().st_size


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, total: int, *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
        self._bar = Progress(
            *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
        )
        self._task = self._bar.add_task(printing.told("Dossiers", "Dossiers"), total=total)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on(self, size: int) -> None:
        """Move on."""
        self._bar.advance(self._task, size)


def _tell(summary: Summary, kept: Path, *, dry_run: bool, json: bool) -> None:
    """Print what became of the lines, and end the command."""
    stopped = summary.stopped
    if json:
        printing.as_json(
            {
                "lines": summary.lines,
                **{name: summary.counts[name] for name in ("created", "updated", "unchanged")},
                "refused": summary.refused,
                "stoppedAt": stopped and stopped["line"],
                "dryRun": dry_run,
            }
        )
    else:
        _tell_people(summary, kept, dry_run=dry_run)
    if stopped is not None:
        raise typer.Exit(printing.UNREACHABLE)
    failed = summary.refused or summary.counts["with refused entries"]
    raise typer.Exit(printing.REFUSED if failed else printing.DONE)


def _tell_people(summary: Summary, kept: Path, *, dry_run: bool) -> None:
    for receipt in summary.refused[:SHOWN_MAX]:
        line = f"ligne {receipt['line']}", f"line {receipt['line']}"
        rules = ", ".join(dict.fromkeys(str(each["rule"]) for each in receipt["issues"]))
        printing.line(f"{line[0]} : {rules}", f"{line[1]}: {rules}", good=False)
    more = len(summary.refused) - SHOWN_MAX
    if more > 0:
        printing.line(f"… et {more} autres", f"… and {more} more", good=False)
    count = summary.counts
    printing.line(
        f"{summary.lines} dossiers : {count['created']} créés, {count['updated']} modifiés, "
        f"{count['unchanged']} inchangés, {count['refused']} refusés",
        f"{summary.lines} dossiers: {count['created']} created, {count['updated']} updated, "
        f"{count['unchanged']} unchanged, {count['refused']} refused",
        good=not summary.refused,
    )
    if dry_run:
        printing.line("Essai : rien n'a été écrit.", "Dry run: nothing was written.")
    else:
        printing.line(f"Reçus : {kept}", f"Receipts: {kept}")
    if summary.stopped is not None:
        at = summary.stopped["line"]
        printing.line(
            f"Arrêt à la ligne {at} : la passerelle ne répond plus. Reprendre avec --resume.",
            f"Stopped at line {at}: the gateway fails. Go on with --resume.",
            good=False,
        )
