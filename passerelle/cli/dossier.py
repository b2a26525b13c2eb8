"""``passerelle dossier``: push, pull, compare and check dossiers in the native form.

``PUT`` and ``GET /dossiers/{system}|{value}``; checking and comparing two files need no gateway.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from passerelle.cli import client, dossier_batch, dossier_compare, dossier_lists, printing
from passerelle.cli.client import SERVER, FileArgument, ServerOption
from passerelle.cli.printing import JsonOption
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue

app = typer.Typer(no_args_is_help=True, help="Dossiers : pousser, tirer, comparer, vérifier.")

app.command("list", epilog="Exemple : passerelle dossier list --name martin --sort name")(
    dossier_lists.list_dossiers
)
app.command(epilog="Exemple : passerelle dossier export liste.xlsx --purpose COC --status active")(
    dossier_lists.export
)

_REFUSED_ACTION = "refused"
_SHOWN_MAX = 60
"""Characters of a value that a comparison shows."""


@app.command(epilog="Exemple : passerelle dossier push dossier.json --strict --dry-run")
def push(
    file: Annotated[
        Path,
        typer.Argument(
            help="Fichier JSON, « - » pour l'entrée standard ; ou fichier .ndjson (un dossier par "
            "ligne) ou dossier de fichiers .json, poussés par lots.",
            show_default=False,
        ),
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="N'écrit rien si une seule entrée est refusée.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Dit ce qui serait fait, sans écrire.")
    ] = False,
    if_match: Annotated[
        str | None, typer.Option(help="Version attendue du dossier ; refus si elle a changé.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Lots : reprend après le dernier reçu gardé.")
    ] = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Pousse un dossier et montre le reçu, entrée par entrée ; ou beaucoup, et montre le bilan.

    Les reçus d'un lot sont gardés à côté, dans FILE.receipts.ndjson.
    """
    if dossier_batch.is_batch(file):
        dossier_batch.push(
            file, strict=strict, dry_run=dry_run, resume=resume, server=server, json=json
        )
    body, dossier = client.read_json(file, json=json)
    headers = {
        "content-type": "application/json",
        "prefer": f"handling={'strict' if strict else 'lenient'}",
    }
    if if_match is not None:
        headers["if-match"] = '"' + if_match.strip('"') + '"'
    path = path_of(_name(dossier, json=json)) + ("?dryRun=true" if dry_run else "")
    with client.asking(server, json=json) as gateway:
        try:
            answer = gateway.ask("PUT", path, content=body, headers=headers)
        except client.Refused as refusal:
            answer = refusal.answer
            if answer.status >= 500 or "entries" not in answer.json():
                raise
        receipt = answer.json()
    refused = answer.status >= 400 or _has_refusals(receipt)
    if json:
        printing.raw_json(answer.body)
    else:
        tell_receipt(receipt, dry_run=dry_run, refused=refused)
    raise typer.Exit(printing.REFUSED if refused else printing.DONE)


@app.command(epilog="Exemple : passerelle dossier pull 'https://coord.example/dossiers|D-1'")
def pull(
    name: Annotated[str, typer.Argument(help="Nom du dossier : system|value.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Fichier à écrire.", dir_okay=False)
    ] = None,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Tire un dossier sous sa forme native, qui est du JSON dans tous les cas."""
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("GET", path_of(named(name, json=json)))
        dossier = answer.json()
    if output is None:
        printing.raw_json(answer.body, indent=0 if json else 2)
        return
    output.write_bytes(answer.body)
    version = dossier.get("version", "")
    printing.line(f"Écrit : {output} (version {version})", f"Written: {output} (version {version})")


@app.command(
    epilog="Exemple : passerelle dossier ack 'https://coord.example/dossiers|D-1' al1 --by m1"
)
def ack(
    name: Annotated[str, typer.Argument(help="Nom du dossier : system|value.")],
    key: Annotated[str, typer.Argument(help="Clé de l'alerte dans le dossier.")],
    by: Annotated[
        str, typer.Option(help="Qui acquitte : une clé du cercle, ou person.", show_default=False)
    ],
    at: Annotated[
        str | None, typer.Option(help="Quand, à la seconde et avec le fuseau ; sinon maintenant.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Dit ce qui serait fait, sans écrire.")
    ] = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Acquitte une alerte d'un dossier et montre le reçu."""
    from passerelle.fhir.json_text import encode

    path = f"{path_of(named(name, json=json))}/alerts/{quote(key, safe='')}:ack"
    asked = {"by": by} | ({"at": at} if at is not None else {})
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask(
            "POST",
            path + ("?dryRun=true" if dry_run else ""),
            content=encode(asked),
            headers={"content-type": "application/json"},
        )
        receipt = answer.json()
    if json:
        printing.raw_json(answer.body)
    else:
        tell_receipt(receipt, dry_run=dry_run, refused=False)


@app.command(epilog="Exemple : passerelle dossier diff avant.json apres.json")
def diff(
    first: Annotated[
        str, typer.Argument(help="L'avant : fichier, ou nom de dossier system|value.")
    ],
    second: Annotated[
        str | None,
        typer.Argument(help="L'après ; sans lui, FIRST est comparé à ce que tient la passerelle."),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="État de l'avant : une version du dossier, ou un instant.")
    ] = None,
    after: Annotated[str | None, typer.Option(help="État de l'après.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Rend 1 quand les dossiers diffèrent.")
    ] = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Compare deux fichiers, deux dossiers, deux états, ou la passerelle à ce qu'on va pousser."""
    from passerelle.mappers.native.dossier_diff import diff as compare

    if any(dossier_compare.is_name(each) for each in (first, second or "")):
        changes = dossier_compare.asked(
            first, second, before=before, after=after, server=server, json=json
        )
    else:
        content = client.read_json(Path(first), json=json)[1]
        if second is not None:
            changes = compare(content, client.read_json(Path(second), json=json)[1])
        else:
            with client.asking(server, json=json) as gateway:
                held = gateway.ask("GET", path_of(_name(content, json=json))).json()
            changes = compare(held, content)
    if json:
        printing.as_json({"changes": [change._asdict() for change in changes]})
    else:
        tell_changes(changes)
    raise typer.Exit(printing.REFUSED if changes and exit_code else printing.DONE)


@app.command(epilog="Exemple : passerelle dossier validate dossier.json")
def validate(file: FileArgument, json: JsonOption = False) -> None:
    """Vérifie un dossier et montre tous ses défauts ; sans réseau.

    Une référence à une entrée que seule la passerelle connaît est dite inconnue.
    """
    from passerelle.mappers.native.dossier_form import parse

    found: tuple[Issue, ...]
    try:
        found = parse(client.read_file(file, json=json)).issues
    except PasserelleError as refusal:
        found = refusal.issues
    valid = not printing.has_errors(found)
    if json:
        entries = [printing.issue_json(entry) for entry in found]
        printing.as_json({"valid": valid, "issues": entries})
    else:
        printing.issues(found)
        if valid:
            printing.line("Dossier valide.", "Valid dossier.", good=True)
        else:
            printing.line("Dossier refusé.", "Dossier refused.", good=False)
    raise typer.Exit(printing.DONE if valid else printing.REFUSED)


def _name(dossier: Mapping[str, Any], *, json: bool) -> str:
    """Give the ``system|value`` of a dossier; ends the command with 1 when it has none."""
    identifier = dossier.get("id")
    parts = identifier if isinstance(identifier, dict) else {}
    system, value = parts.get("system"), parts.get("value")
    if not (isinstance(system, str) and isinstance(value, str) and system and value):
        raise printing.stop(printing.REFUSED, issue("cli.not-a-dossier"), json=json)
    return f"{system}|{value}"


def named(name: str, *, json: bool) -> str:
    """Give a name as typed; ends the command with 2 when it is no ``system|value``."""
    system, bar, value = name.rpartition("|")
    if not (system and bar and value):
        wanted = issue("cli.not-a-reference", wanted="system|value")
        raise printing.stop(printing.UNREACHABLE, wanted, json=json)
    return name


def path_of(name: str) -> str:
    """Give the address of a dossier below the gateway's."""
    return f"dossiers/{quote(name, safe='')}"


def _has_refusals(receipt: Mapping[str, Any]) -> bool:
    """Tell whether a receipt refuses an entry or tells an error."""
    actions = [entry.get("action") for entry in receipt.get("entries", ())]
    return _REFUSED_ACTION in actions or printing.has_errors(client.receipt_issues(receipt))


def tell_receipt(receipt: Mapping[str, Any], *, dry_run: bool, refused: bool) -> None:
    """Print a receipt: entries, issues, identity, then the line that sums up."""
    columns = (
        ("Section", "Section"),
        ("Clé", "Key"),
        ("Action", "Action"),
        ("Ressource", "Resource"),
        ("Version", "Version"),
    )
    entries = receipt.get("entries", ())
    names = ("section", "key", "action", "reference", "version")
    printing.table(columns, [[entry.get(name) for name in names] for entry in entries])
    printing.issues(client.receipt_issues(receipt))
    status = receipt.get("identity", {}).get("status")
    if status:
        printing.line(f"Identité : {status}", f"Identity: {status}")
    version = receipt.get("version")
    if refused:
        printing.line("Des entrées sont refusées.", "Entries are refused.", good=False)
    elif dry_run:
        printing.line("Essai : rien n'a été écrit.", "Dry run: nothing was written.", good=True)
    else:
        printing.line(f"Version {version}", f"Version {version}", good=True)


def tell_changes(changes: Sequence[Any]) -> None:
    """Print differences by section: + added, - removed, ~ changed."""
    if not changes:
        printing.line("Aucune différence.", "No difference.", good=True)
    section = None
    for change in changes:
        if change.section != section:
            section = change.section
            typer.secho(printing.clean(section), bold=True)
        sign = {"added": "+", "removed": "-", "changed": "~"}[change.kind]
        place = " ".join(part for part in (change.key, change.path) if part)
        if change.kind == "changed":
            values = f"{_shown(change.before)} → {_shown(change.after)}"
        else:
            values = _shown(change.after if change.kind == "added" else change.before)
        text = f"  {sign} {place}: {values}" if place else f"  {sign} {values}"
        colour = {"+": typer.colors.GREEN, "-": typer.colors.RED, "~": typer.colors.YELLOW}[sign]
        typer.secho(printing.clean(text), fg=colour)


def _shown(value: Any) -> str:
    """Give a value as short JSON."""
    from passerelle.fhir.json_text import encode

    text = encode(value).decode()
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
