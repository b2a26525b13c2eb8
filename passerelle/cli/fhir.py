"""``passerelle fhir``: read, search and write resources of a gateway, check them without one.

https://hl7.org/fhir/R4/http.html
"""

import re
from typing import Annotated, Any

import typer

from passerelle.cli import client, printing
from passerelle.cli.client import SERVER, FileArgument, ServerOption
from passerelle.cli.printing import JsonOption
from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue

app = typer.Typer(no_args_is_help=True, help="Ressources FHIR : lire, chercher, écrire, vérifier.")

RESOURCES_MAX = 10_000
"""How many resources ``search --all`` asks for at most."""

_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}(/_history(/[A-Za-z0-9.\-]{1,64})?)?")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+(\?[^#\s]*)?")
_TRANSACTIONS = frozenset({"transaction", "batch"})


@app.command(epilog="Exemple : passerelle fhir get Patient/1")
def get(
    reference: Annotated[
        str, typer.Argument(help="Type/id, au besoin suivi de /_history/version.")
    ],
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Lit une ressource et l'écrit telle qu'elle est servie."""
    if not _REFERENCE.fullmatch(reference):
        raise _misused("Patient/1", json=json)
    with client.asking(server, json=json) as gateway:
        answer = gateway.ask("GET", f"fhir/{reference}", headers={"accept": client.FHIR_JSON})
        answer.json()
    printing.raw_json(answer.body, indent=0 if json else 2)


@app.command(epilog="Exemple : passerelle fhir search 'Patient?family=durand&birthdate=1974' --all")
def search(
    query: Annotated[str, typer.Argument(help="Type?paramètre=valeur&…")],
    every: Annotated[bool, typer.Option("--all", help="Demande toutes les pages.")] = False,
    server: ServerOption = SERVER,
    json: JsonOption = False,
) -> None:
    """Cherche des ressources ; avec --json, écrit le Bundle."""
    if not _SEARCH.fullmatch(query):
        raise _misused("Patient?family=durand", json=json)
    with client.asking(server, json=json) as gateway:
        bundle, more = _pages(gateway, f"/fhir/{query}", every=every)
    if json:
        printing.as_json(bundle)
        return
    entries = bundle.get("entry", [])
    columns = (("Ressource", "Resource"), ("Modifiée", "Updated"), ("Résumé", "Summary"))
    if entries:
        printing.table(columns, [_row(entry) for entry in entries])
    shown, total = len(entries), bundle.get("total")
    if total is None:
        printing.line(f"{shown} ressource(s).", f"{shown} resource(s).")
    else:
        printing.line(f"{shown} sur {total}.", f"{shown} of {total}.")
    if more:
        printing.issues([issue("cli.more-pages", limit=RESOURCES_MAX)], err=True)


@app.command(epilog="Exemple : passerelle fhir post patient.json")
def post(file: FileArgument, server: ServerOption = SERVER, json: JsonOption = False) -> None:
    """Crée une ressource, ou exécute un Bundle de type transaction ou batch."""
    body, resource = client.read_json(file, json=json)
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _SEARCH.fullmatch(kind):
        raise printing.stop(printing.REFUSED, issue("cli.not-a-resource"), json=json)
    whole = kind == "Bundle" and resource.get("type") in _TRANSACTIONS
    headers = {"content-type": client.FHIR_JSON, "accept": client.FHIR_JSON}
    with client.asking(server, json=json) as gateway:
        path = "fhir" if whole else f"fhir/{kind}"
        answer = gateway.ask("POST", path, content=body, headers=headers)
        made = answer.json() if answer.body else {}
    refused = whole and _tell_entries(made, json=json)
    if json:
        printing.raw_json(answer.body or b"{}")
    elif not whole:
        place = answer.headers.get("location", "")
        printing.line(f"Créée : {place}", f"Created: {place}", good=True)
    raise typer.Exit(printing.REFUSED if refused else printing.DONE)


@app.command(epilog="Exemple : passerelle fhir validate patient.json")
def validate(
    file: FileArgument,
    allow_test: Annotated[
        bool,
        typer.Option(
            "--allow-test",
            envvar="PASSERELLE_INS_ALLOW_TEST",
            help="Admet les OID d'INS de test et de démonstration.",
        ),
    ] = False,
    second_opinion: Annotated[
        bool,
        typer.Option(
            "--second-opinion",
            help="Dit aussi où le modèle R4B de fhir.resources est d'un autre avis.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Vérifie la structure R4 et les règles d'identité d'une ressource ; sans réseau."""
    from passerelle.fhir.conformance import structure
    from passerelle.fhir.json_places import located

    body, resource = client.read_json(file, json=json)
    faults = structure.check(resource) + _identity_issues(resource, allow_test=allow_test)
    found = list(located(body, faults))
    refused = printing.has_errors(found)
    other = _other_opinion(resource, found) if second_opinion else []
    if json:
        entries = [printing.issue_json(entry) for entry in (*found, *other)]
        printing.as_json({"valid": not refused, "issues": entries})
    else:
        printing.issues((*found, *other))
        if refused:
            printing.line("Ressource refusée.", "Resource refused.", good=False)
        else:
            printing.line("Ressource valide.", "Valid resource.", good=True)
    raise typer.Exit(printing.REFUSED if refused else printing.DONE)


def _other_opinion(resource: dict[str, Any], found: list[Issue]) -> list[Issue]:
    """Give where the R4B model disagrees: it never decides."""
    from passerelle.fhir.conformance.second_opinion import disagreements

    return disagreements(resource, {entry.expression for entry in found if entry.expression})


def _misused(wanted: str, *, json: bool) -> typer.Exit:
    return printing.stop(
        printing.UNREACHABLE, issue("cli.not-a-reference", wanted=wanted), json=json
    )


def _pages(gateway: client.Client, path: str, *, every: bool) -> tuple[dict[str, Any], bool]:
    """Ask for a search; with ``every`` for all pages, as one Bundle. Tell whether more follow."""
    headers = {"accept": client.FHIR_JSON}
    bundle = gateway.ask("GET", path, headers=headers).json()
    following = gateway.next_page(bundle)
    if not every:
        return bundle, following is not None
    entries, seen = list(bundle.get("entry", ())), {path}
    while following is not None and following not in seen and len(entries) < RESOURCES_MAX:
        seen.add(following)
        page = gateway.ask("GET", following, headers=headers).json()
        entries += page.get("entry", ())
        following = gateway.next_page(page)
    whole = {name: value for name, value in bundle.items() if name != "link"}
    return whole | {"entry": entries[:RESOURCES_MAX]}, following is not None


def _row(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Give reference, instant and summary of a search entry."""
    resource = entry.get("resource", {})
    updated = str(resource.get("meta", {}).get("lastUpdated", ""))
    return f"{resource.get('resourceType')}/{resource.get('id')}", updated[:19], _summary(resource)


def _summary(resource: dict[str, Any]) -> str:
    """Give a few words by which a person knows a resource."""
    name = resource.get("name")
    if isinstance(name, list) and name:
        first = name[0]
        parts = [first.get("family"), *first.get("given", ()), resource.get("birthDate")]
        return " ".join(str(part) for part in parts if part)
    if isinstance(name, str):
        return name
    words = (resource.get("description"), resource.get("title"), resource.get("status"))
    return next((word for word in words if isinstance(word, str)), "")


def _tell_entries(bundle: dict[str, Any], *, json: bool) -> bool:
    """Print what became of each entry of a batch or transaction; tell whether one was refused."""
    responses = [entry.get("response", {}) for entry in bundle.get("entry", ())]
    refused = [r for r in responses if not str(r.get("status", "")).startswith("2")]
    if not json:
        rows = [(r.get("status"), r.get("location"), r.get("etag")) for r in responses]
        printing.table((("Statut", "Status"), ("Adresse", "Location"), ("ETag", "ETag")), rows)
        for response in refused:
            printing.issues(client.outcome_issues(response.get("outcome", {})))
    return bool(refused)


def _identity_issues(resource: dict[str, Any], *, allow_test: bool) -> list[Issue]:
    """Check the identity of a Patient, or of every Patient in a Bundle's entries."""
    from dataclasses import replace

    from passerelle.ins.rules import check_patient

    if resource.get("resourceType") == "Patient":
        return check_patient(resource, allow_test=allow_test)
    entries = resource.get("entry")
    found: list[Issue] = []
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inner, dict) and inner.get("resourceType") == "Patient":
            place = f"Bundle.entry[{position}].resource"
            found += [
                replace(one, expression=place + (one.expression or "").removeprefix("Patient"))
                for one in check_patient(inner, allow_test=allow_test)
            ]
    return found
