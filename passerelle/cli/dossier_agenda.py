"""``passerelle dossier agenda``: a calendar (iCalendar) into a dossier, or the dossier's out.

``POST /dossiers/{system}|{value}:agenda`` and ``GET /dossiers/{system}|{value}?as=ical``.
"""

from pathlib import Path
from typing import Annotated

import typer

from passerelle.cli import client, dossier, printing
from passerelle.cli.client import SERVER, ServerOption
from passerelle.cli.printing import JsonOption

_NAME = "'https://coord.example/dossiers|D-1'"


def register(app: typer.Typer) -> None:
    """Add the command to the group of dossiers."""
    app.command(epilog=f"Exemple : passerelle dossier agenda {_NAME} rdv.ics --dry-run")(agenda)


def agenda(
    name: Annotated[str, typer.Argument(help="Nom du dossier : system|value.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Fichier .ics à prendre, « - » pour l'entrée standard ; sans lui, l'agenda du "
            "dossier est donné.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="N'écrit rien si un seul événement est en défaut.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Dit ce qui serait fait, sans écrire.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Fichier à écrire.", dir_okay=False)
    ] = None,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Prend les rendez-vous d'un agenda et montre le reçu ; ou donne l'agenda du dossier."""
    path = dossier.path_of(dossier.named(name, json=json))
    if file is None:
        _give(path, output, server=server, json=json)
        return
    body = client.read_file(file, json=json)
    handling = "strict" if strict else "lenient"
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask(
            "POST",
            path + ":agenda" + ("?dryRun=true" if dry_run else ""),
            content=body,
            headers={"content-type": "text/calendar", "prefer": f"handling={handling}"},
        )
        receipt = answer.json()
    refused = any(entry["action"] == "refused" for entry in receipt["entries"])
    if json:
        printing.raw_json(answer.body)
    else:
        dossier.tell_receipt(receipt, dry_run=dry_run, refused=refused)
    raise typer.Exit(printing.REFUSED if refused else printing.DONE)


def _give(path: str, output: Path | None, *, server: str, json: bool) -> None:
    with client.asking(server, json=json) as gateway:
        body = gateway.ask("GET", path + "?as=ical").body
    if output is not None:
        output.write_bytes(body)
        printing.line(f"Écrit : {output}", f"Written: {output}")
        return
    typer.echo(body.decode("utf-8"), nl=False)
