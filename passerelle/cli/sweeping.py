"""``passerelle sweep``: deletes, or tells, the bytes that nothing came to name.

docs/decisions/2611-bytes-that-nothing-names.md . The worker does the same by itself.
"""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.cli import printing
from passerelle.cli.printing import JsonOption
from passerelle.cli.serving import settings_or_stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from passerelle.store.uploads import Swept, Unnamed

SHOWN_MAX = 10_000
"""As many blobs are told one by one."""

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Montre ce qui serait effacé, sans rien effacer.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Exemple : passerelle sweep --dry-run")(sweep)


def sweep(dry_run: DryRun = False, json: JsonOption = False) -> None:
    """Efface les octets qu'un envoi refusé ou interrompu a laissés et que rien ne nomme.

    Seulement ceux qui sont là depuis PASSERELLE_UPLOADS_KEPT_SECONDS. Codes : 0 ; 2, la base ne
    s'ouvre pas.
    """
    from passerelle.app import make_gateway
    from passerelle.dossiers import sweeping
    from passerelle.errors.refusals import PasserelleError

    settings = settings_or_stop(json=json)

    async def work() -> "tuple[Sequence[Unnamed], Swept | None]":
        gateway = make_gateway(settings)
        await gateway.store.open()
        try:
            if dry_run:
                return await sweeping.sweepable(gateway, limit=SHOWN_MAX), None
            await sweeping.note_unnoted(gateway)
            return (), await sweeping.sweep(gateway)
        finally:
            await gateway.store.close()

    try:
        found, done = asyncio.run(work())
    except PasserelleError as refusal:
        raise printing.stop(printing.UNREACHABLE, *refusal.issues, json=json) from None
    if done is None:
        _tell_found(found, json=json)
    elif json:
        printing.as_json({"deleted": done.deleted, "bytes": done.size})
    else:
        printing.line(
            f"Effacé : {done.deleted} contenus, {done.size} octets",
            f"Deleted: {done.deleted} contents, {done.size} bytes",
            good=True,
        )


def _tell_found(found: "Sequence[Unnamed]", *, json: bool) -> None:
    """Tell what would be deleted."""
    from passerelle.fhir.instants import dump_instant

    rows = [(each.sha256, dump_instant(each.at), each.size) for each in found]
    if json:
        printing.as_json(
            {
                "bytes": sum(each.size for each in found),
                "blobs": [{"sha256": d, "since": at, "bytes": size} for d, at, size in rows],
            }
        )
        return
    if rows:
        heads = (("sha256", "sha256"), ("depuis", "since"), ("octets", "bytes"))
        printing.table(heads, rows)
    total = sum(each.size for each in found)
    printing.line(
        f"Serait effacé : {len(rows)} contenus, {total} octets",
        f"Would be deleted: {len(rows)} contents, {total} bytes",
    )
