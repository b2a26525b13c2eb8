"""``passerelle mss``: send documents by secure mail (MSSanté) and follow them.

``POST /fhir/DocumentReference/{id}/$send-mss`` is answered 202 with one Communication a recipient;
a Communication tells its state and the events that led there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from passerelle.cli import client, printing
from passerelle.cli.client import SERVER, ServerOption
from passerelle.cli.printing import JsonOption
from passerelle.errors.rules import issue
from passerelle.fhir.urls import PASSERELLE_EXTENSION

app = typer.Typer(no_args_is_help=True, help="Messagerie sécurisée de santé (MSSanté).")

STATE = PASSERELLE_EXTENSION + "mss-state"
EVENT = PASSERELLE_EXTENSION + "mss-event"

_DOCUMENT = re.compile(r"DocumentReference/[A-Za-z0-9.\-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9.\-]{1,253}")


@app.command(
    epilog="Exemple : passerelle mss send DocumentReference/1 --to dr.martin@demo.mssante.fr"
)
def send(
    document: Annotated[str, typer.Argument(help="DocumentReference/id.")],
    to: Annotated[list[str], typer.Option("--to", help="Adresse MSSanté ; à répéter.")],
    resend: Annotated[
        bool, typer.Option("--resend", help="Envoie encore ce qui l'a déjà été.")
    ] = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Demande l'envoi d'un document et donne les Communications qui le suivent."""
    if not _DOCUMENT.fullmatch(document):
        raise _misused("DocumentReference/1", json=json)
    parameters: list[dict[str, Any]] = [
        {"name": "recipient", "valueString": address} for address in to
    ]
    if resend:
        parameters.append({"name": "resend", "valueBoolean": True})
    from passerelle.fhir.json_text import encode

    body = encode({"resourceType": "Parameters", "parameter": parameters})
    headers = {"content-type": client.FHIR_JSON, "accept": client.FHIR_JSON}
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("POST", f"fhir/{document}/$send-mss", content=body, headers=headers)
        made = [
            str(parameter.get("valueReference", {}).get("reference", ""))
            for parameter in answer.json().get("parameter", ())
            if parameter.get("name") == "communication"
        ]
    if json:
        printing.as_json({"communications": made})
        return
    for reference in made:
        printing.line(f"Mis en file : {reference}", f"Queued: {reference}", good=True)


@app.command(epilog="Exemple : passerelle mss track 0192f3c4")
def track(
    communication: Annotated[str, typer.Argument(help="Communication/id, ou id seul.")],
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Montre l'état d'un envoi et les événements qui y ont mené."""
    id_ = communication.removeprefix("Communication/")
    if not _ID.fullmatch(id_):
        raise _misused("Communication/1", json=json)
    with client.asking(server, json=json) as gateway:
        headers = {"accept": client.FHIR_JSON}
        found = gateway.ask("GET", f"fhir/Communication/{id_}", headers=headers).json()
    state = next((e.get("valueCode") for e in _extensions(found, STATE)), None)
    if state is None:
        raise printing.stop(printing.REFUSED, issue("cli.not-a-transmission"), json=json)
    events = [_event(extension) for extension in _extensions(found, EVENT)]
    recipients = [
        entry.get("identifier", {}).get("value") or entry.get("reference", "")
        for entry in found.get("recipient", ())
    ]
    if json:
        printing.as_json({"state": state, "recipients": recipients, "events": events})
        return
    whom = ", ".join(map(str, recipients))
    printing.line(f"Destinataire : {whom}", f"Recipient: {whom}")
    if events:
        columns = (("Instant", "Instant"), ("État", "State"), ("Code", "Code"))
        printing.table(columns, [(e["at"], e["state"], e["code"]) for e in events])
    good = {"delivered": True, "read": True, "failed": False, "cancelled": False}.get(state)
    printing.line(f"État : {state}", f"State: {state}", good=good)


@app.command(epilog="Exemple : passerelle mss inbox --json")
def inbox(server: ServerOption = SERVER, json: JsonOption = False) -> None:
    """Montre les messages reçus, les derniers d'abord, et ce qu'ils sont devenus."""
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("GET", "mss/messages?direction=in")
        messages = answer.json().get("messages")
        if not isinstance(messages, list):
            raise answer.unexpected()
    if json:
        printing.raw_json(answer.body)
        return
    columns = (
        ("Reçu", "Received"),
        ("Boîte", "Mailbox"),
        ("Message", "Message"),
        ("État", "State"),
        ("Objet", "About"),
        ("Motif", "Reason"),
    )
    names = ("account", "identifier", "state", "subject", "reason")
    rows = [[_instant(found), *(found.get(name) for name in names)] for found in messages]
    printing.table(columns, rows)
    printing.line(f"{len(messages)} message(s).", f"{len(messages)} message(s).")


@app.command(epilog="Exemple : passerelle mss whitelist demo.mssante.fr")
def whitelist(
    domain: Annotated[str | None, typer.Argument(help="Domaine à chercher.")] = None,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Montre la liste blanche de MSSanté, ou dit si un domaine y est."""
    if domain is not None and not _DOMAIN.fullmatch(domain):
        raise _misused("demo.mssante.fr", json=json)
    query = f"?domain={quote(domain, safe='')}" if domain else ""
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("GET", f"mss/white-list{query}")
        domains = answer.json().get("domains")
        if not isinstance(domains, list):
            raise answer.unexpected()
    if json:
        printing.raw_json(answer.body)
    elif domain is None:
        for name in domains:
            typer.echo(printing.clean(name))
    elif domains:
        printing.line("Ce domaine est sur la liste blanche.", "On the white list.", good=True)
    else:
        printing.issues([issue("cli.not-on-white-list")])
    raise typer.Exit(printing.REFUSED if domain and not domains else printing.DONE)


def _misused(wanted: str, *, json: bool) -> typer.Exit:
    return printing.stop(
        printing.UNREACHABLE, issue("cli.not-a-reference", wanted=wanted), json=json
    )


def _instant(message: Mapping[str, Any]) -> str:
    """Give when a message was kept: an instant, or microseconds since 1970 UTC."""
    from passerelle.fhir.instants import dump_instant

    at = message.get("at")
    return dump_instant(at) if isinstance(at, int) else str(at or "")


def _extensions(resource: Mapping[str, Any], url: str) -> Iterator[Mapping[str, Any]]:
    for extension in resource.get("extension", ()):
        if extension.get("url") == url:
            yield extension


def _event(extension: Mapping[str, Any]) -> dict[str, str | None]:
    """Read one event: state, instant, and a code that says more when there is one."""
    parts = {part.get("url"): part for part in extension.get("extension", ())}
    return {
        "state": parts.get("state", {}).get("valueCode"),
        "at": parts.get("at", {}).get("valueInstant"),
        "code": parts.get("code", {}).get("valueString"),
    }
