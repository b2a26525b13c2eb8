"""``passerelle packages``: the FHIR packages of a record, worked on without a server.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from passerelle.cli import printing
from passerelle.cli.printing import JsonOption
from passerelle.cli.serving import settings_or_stop

if TYPE_CHECKING:
    from passerelle.dossiers.gateway import Gateway
    from passerelle.dossiers.package_conflicts import CanonicalConflict
    from passerelle.dossiers.packages import Added
    from passerelle.errors.refusals import Issue
    from passerelle.fhir.packages.package_reading import PackageKey
    from passerelle.store.packages import InstalledPackage

    _Listed = tuple[tuple[InstalledPackage, ...], tuple[CanonicalConflict, ...]]

app = typer.Typer(no_args_is_help=True, help="Paquets FHIR : guides, profils, nomenclatures.")

SHOWN_MAX = 10
"""Warnings of one rule that are printed one by one."""

STATES = {
    "ready": ("installé", "installed"),
    "loading": ("ajout inachevé", "adding not ended"),
    "removing": ("retrait inachevé", "removal not ended"),
}

T = TypeVar("T")


@app.callback()
def packages() -> None:
    """Paquets FHIR installés dans la base : profils, jeux de valeurs, nomenclatures."""


@app.command(epilog="Exemple : passerelle packages add hl7.fhir.fr.core-2.1.0.tgz")
def add(
    files: Annotated[list[Path], typer.Argument(help="Paquets FHIR (.tgz), un ou plusieurs.")],
    json: JsonOption = False,
) -> None:
    """Installe des paquets ; un paquet déjà là ne change rien.

    Codes : 0, tous sont là ; 1, l'un au moins est refusé (les autres sont installés) ; 2, la base
    ne s'ouvre pas. Un ajout interrompu se reprend en ajoutant de nouveau le paquet.
    """
    from passerelle.dossiers import packages as use_case
    from passerelle.dossiers.package_folder import read_file
    from passerelle.errors.refusals import PasserelleError

    async def work(gateway: "Gateway") -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for file in files:
            try:
                progress = None if json else _progress
                added = await use_case.add(gateway, read_file(file), progress=progress)
            except PasserelleError as refusal:
                told.append(_tell_refused(file, refusal.issues, json=json))
            else:
                told.append(_tell_added(added, json=json))
        return told

    told = _with_gateway(work, json=json)
    if json:
        printing.as_json({"packages": told})
    refused = any(each["state"] == "refused" for each in told)
    raise typer.Exit(printing.REFUSED if refused else printing.DONE)


@app.command("list", epilog="Exemple : passerelle packages list --json")
def list_(json: JsonOption = False) -> None:
    """Montre les paquets installés, les dépendances qui leur manquent, ce qu'ils redéfinissent.

    Codes : 0 ; 2, la base ne s'ouvre pas.
    """
    from passerelle.dossiers import packages as use_case
    from passerelle.dossiers.package_conflicts import conflicts
    from passerelle.fhir.instants import dump_instant
    from passerelle.fhir.packages.package_reading import PackageKey

    async def look(gateway: "Gateway") -> "_Listed":
        return await use_case.installed_all(gateway), await conflicts(gateway)

    found, doubled = _with_gateway(look, json=json)
    missing = use_case.missing_by_package(found)
    if json:
        shown = [
            {
                "name": each.name,
                "version": each.version,
                "state": each.state,
                "title": each.title,
                "canonical": each.canonical,
                "resources": each.resources,
                "examples": each.examples,
                "added": dump_instant(each.at),
                "dependencies": use_case.dependencies(each),
                "missing": [
                    printing.issue_json(said)
                    for said in missing[PackageKey(each.name, each.version)]
                ],
            }
            for each in found
        ]
        told = [printing.issue_json(each.told) for each in doubled]
        printing.as_json({"packages": shown, "conflicts": told})
        return
    columns = (
        ("Paquet", "Package"),
        ("Version", "Version"),
        ("Ressources", "Resources"),
        ("Exemples", "Examples"),
        ("État", "State"),
    )
    rows = [
        (each.name, each.version, each.resources, each.examples, printing.told(*STATES[each.state]))
        for each in found
    ]
    printing.table(columns, rows)
    for key, issues in missing.items():
        if issues:
            printing.line(f"Dépendances de {key} :", f"Dependencies of {key}:")
            printing.issues(issues)
    if doubled:
        printing.line("Contenus multiples :", "Several contents:")
        printing.issues([each.told for each in doubled])
    printing.line(f"{len(found)} paquet(s).", f"{len(found)} package(s).")


@app.command(epilog="Exemple : passerelle packages remove hl7.fhir.fr.core#2.1.0")
def remove(
    package: Annotated[str, typer.Argument(help="NOM#VERSION d'un paquet installé.")],
    json: JsonOption = False,
) -> None:
    """Retire un paquet et ses ressources ; leurs versions restent au journal.

    Les paquets qui s'appuient sur lui restent, et sont nommés. Codes : 0 ; 1, ce paquet n'est pas
    installé ; 2, NOM#VERSION est mal écrit ou la base ne s'ouvre pas.
    """
    from passerelle.dossiers import packages as use_case
    from passerelle.errors.refusals import NotFound
    from passerelle.errors.rules import issue
    from passerelle.fhir.packages.package_reading import parse_key

    key: PackageKey | None = parse_key(package)
    if key is None:
        raise printing.stop(printing.UNREACHABLE, issue("package.not-a-key"), json=json)

    async def work(gateway: "Gateway") -> "use_case.Removed | tuple[Issue, ...]":
        try:
            return await use_case.remove(gateway, key, progress=None if json else _progress)
        except NotFound as refusal:
            return refusal.issues

    done = _with_gateway(work, json=json)
    if not isinstance(done, use_case.Removed):
        raise printing.stop(printing.REFUSED, *done, json=json)
    if json:
        told = {"name": key.name, "version": key.version, "resources": done.resources}
        printing.as_json(told | {"issues": [printing.issue_json(each) for each in done.issues]})
    else:
        count = done.resources
        printing.line(
            f"Retiré : {key} ({count} ressources)", f"Removed: {key} ({count} resources)", good=True
        )
        printing.issues(done.issues, err=True)


def _with_gateway(work: "Callable[[Gateway], Awaitable[T]]", *, json: bool) -> T:
    """Do some work on the record of the settings; say why and stop when it cannot be opened."""
    from passerelle.app import make_gateway, open_record
    from passerelle.errors.refusals import PasserelleError

    settings = settings_or_stop(json=json)

    async def run() -> T:
        gateway = make_gateway(settings)
        await open_record(gateway, settings)
        try:
            return await work(gateway)
        finally:
            await gateway.store.close()

    try:
        return asyncio.run(run())
    except PasserelleError as refusal:
        raise printing.stop(printing.UNREACHABLE, *refusal.issues, json=json) from None


def _tell_added(added: "Added", *, json: bool) -> dict[str, Any]:
    """Print what became of a package; give it for JSON."""
    state = "added" if added.is_new else "there"
    if not json:
        fr, en = ("Installé", "Added") if added.is_new else ("Déjà là", "Already there")
        counts = f"{added.key} ({added.resources} ressources, {added.examples} exemples)"
        counts_en = f"{added.key} ({added.resources} resources, {added.examples} examples)"
        printing.line(f"{fr} : {counts}", f"{en}: {counts_en}", good=True)
        _tell_warnings(added.issues)
    return {
        "name": added.key.name,
        "version": added.key.version,
        "state": state,
        "resources": added.resources,
        "examples": added.examples,
        "issues": [printing.issue_json(each) for each in added.issues],
    }


def _tell_warnings(issues: "tuple[Issue, ...]") -> None:
    """Print warnings; those of one rule about many files are counted."""
    from collections import Counter

    counts = Counter(each.rule for each in issues)
    printing.issues([each for each in issues if counts[each.rule] <= SHOWN_MAX], err=True)
    for rule, count in counts.items():
        if count > SHOWN_MAX:
            fr = f"alerte  {rule} : {count} fichiers (tous avec --json)"
            en = f"warning  {rule}: {count} files (all of them with --json)"
            typer.secho(printing.told(fr, en), fg=typer.colors.YELLOW, err=True)


def _tell_refused(file: Path, issues: "tuple[Issue, ...]", *, json: bool) -> dict[str, Any]:
    if not json:
        printing.line(f"Refusé : {file.name}", f"Refused: {file.name}", good=False)
        printing.issues(issues, err=True)
    return {
        "file": file.name,
        "state": "refused",
        "issues": [printing.issue_json(each) for each in issues],
    }


def _progress(done: int, of: int) -> None:
    """Show on a terminal how far it is, on one line that is written over."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done}/{of}" + ("\n" if done == of else ""), nl=False, err=True)
