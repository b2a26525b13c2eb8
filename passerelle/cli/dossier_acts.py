"""``passerelle dossier suspend``, ``close``, ``reopen``, and what a death brings.

``POST /dossiers/{system}|{value}:close`` and the like; each with a dry run that shows the
difference.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from passerelle.cli import client, dossier, printing
from passerelle.cli.client import SERVER, ServerOption
from passerelle.cli.printing import JsonOption

_OPTIONS = {"close": " --reason moved --tasks cancel", "declare_death": " --date 2026-11-20"}
_NAME = "'https://coord.example/dossiers|D-1'"

NameArgument = Annotated[str, typer.Argument(help="Nom du dossier : system|value.")]
ByOption = Annotated[
    str, typer.Option(help="Qui agit : une clé du cercle, ou person.", show_default=False)
]
AtOption = Annotated[
    str | None, typer.Option(help="Quand, à la seconde et avec le fuseau ; sinon maintenant.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Dit ce qui serait changé, sans écrire.")
]
DestinyOption = Literal["keep", "cancel"]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of dossiers."""
    for act in (suspend, close, reopen, declare_death, cancel_death):
        options = _OPTIONS.get(act.__name__, "")
        name = act.__name__.replace("_", "-")
        example = f"Exemple : passerelle dossier {name} {_NAME} --by m1{options} --dry-run"
        app.command(name, epilog=example)(act)


def suspend(
    name: NameArgument,
    by: ByOption,
    at: AtOption = None,
    dry_run: DryRunOption = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Suspend un dossier et montre ce qui change."""
    ask("suspend", name, {"by": by, "at": at}, dry_run=dry_run, server=server, json=json)


def close(
    name: NameArgument,
    by: ByOption,
    reason: Annotated[
        str, typer.Option(help="Motif : deceased, goals-met, moved, …", show_default=False)
    ],
    text: Annotated[str | None, typer.Option(help="Ce qu'il y a à en dire.")] = None,
    tasks: Annotated[
        DestinyOption | None, typer.Option(help="Ce que deviennent les tâches ouvertes.")
    ] = None,
    appointments: Annotated[
        DestinyOption | None, typer.Option(help="Ce que deviennent les rendez-vous à venir.")
    ] = None,
    at: AtOption = None,
    dry_run: DryRunOption = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Clôt un dossier et montre ce qui change."""
    asked = {"by": by, "at": at, "reason": reason, "text": text}
    asked |= {"tasks": tasks, "appointments": appointments}
    ask("close", name, asked, dry_run=dry_run, server=server, json=json)


def reopen(
    name: NameArgument,
    by: ByOption,
    at: AtOption = None,
    dry_run: DryRunOption = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Rouvre un dossier suspendu ou clos et montre ce qui change."""
    ask("reopen", name, {"by": by, "at": at}, dry_run=dry_run, server=server, json=json)


def declare_death(
    name: NameArgument,
    by: ByOption,
    date: Annotated[str | None, typer.Option(help="Date du décès, même partielle.")] = None,
    place: Annotated[str | None, typer.Option(help="Lieu du décès.")] = None,
    place_code: Annotated[str | None, typer.Option(help="Code officiel du lieu (COG).")] = None,
    source: Annotated[
        Literal["declared", "hospital", "national"], typer.Option(help="D'où on le sait.")
    ] = "declared",
    close_too: Annotated[
        bool, typer.Option("--close", help="Clôt aussi les dossiers ouverts de la personne.")
    ] = False,
    at: AtOption = None,
    dry_run: DryRunOption = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Déclare le décès de la personne et montre ce qui prend fin, dans tous ses dossiers."""
    asked = {"by": by, "at": at, "date": date, "place": place, "placeCode": place_code}
    asked |= {"source": source}
    more = {"close": True} if close_too else {}
    ask("declare-death", name, asked | more, dry_run=dry_run, server=server, json=json)


def cancel_death(
    name: NameArgument,
    by: ByOption,
    at: AtOption = None,
    dry_run: DryRunOption = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Annule une déclaration de décès : ce qu'elle a changé redevient ce qu'il était."""
    ask("cancel-death", name, {"by": by, "at": at}, dry_run=dry_run, server=server, json=json)


def ask(
    act: str, name: str, asked: Mapping[str, Any], *, dry_run: bool, server: str, json: bool
) -> None:
    """Ask an act of the gateway and show its receipt with the differences."""
    from passerelle.fhir.json_text import encode

    path = f"{dossier.path_of(dossier.named(name, json=json))}:{act}"
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask(
            "POST",
            path + ("?dryRun=true" if dry_run else ""),
            content=encode({key: value for key, value in asked.items() if value is not None}),
            headers={"content-type": "application/json"},
        )
        receipt = answer.json()
    if json:
        printing.raw_json(answer.body)
        return
    from passerelle.mappers.native.dossier_diff import Change

    for told in receipt["dossiers"]:
        printing.line(told["dossier"], told["dossier"])
        dossier.tell_changes([Change(**change) for change in told["changes"]])
    dossier.tell_receipt(receipt, dry_run=dry_run, refused=False)
