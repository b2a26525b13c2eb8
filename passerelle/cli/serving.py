"""``passerelle serve``, ``worker``, ``migrate``, ``reindex`` and ``check``: running the gateway.

What is heavy is imported inside the commands, so that ``--help`` answers at once.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.cli import printing, starting
from passerelle.cli.printing import JsonOption

if TYPE_CHECKING:
    from passerelle.dossiers.parameter_standing import Standing
    from passerelle.fhir.search.registry import Registry
    from passerelle.settings import Settings

Workers = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="Nombre de processus (PostgreSQL).")
]
NoWorker = Annotated[
    bool, typer.Option("--no-worker", help="Sans le travailleur, qui envoie et relève.")
]

Added = Annotated[
    bool, typer.Option("--added", help="Seulement les paramètres de recherche ajoutés, maintenant.")
]
Status = Annotated[
    bool, typer.Option("--status", help="Où en sont les paramètres ajoutés, sans rien faire.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Exemple : PASSERELLE_BIND=127.0.0.1:8080 passerelle serve")(serve)
    app.command(epilog="Exemple : passerelle worker")(worker)
    app.command(epilog="Exemple : passerelle migrate --json")(migrate)
    app.command(epilog="Exemple : passerelle check --json")(check)
    app.command(epilog="Exemple : passerelle reindex")(reindex)


def serve(workers: Workers = 1, no_worker: NoWorker = False, json: JsonOption = False) -> None:
    """Sert l'API ; s'arrête proprement à SIGTERM ou Ctrl-C."""
    gc.disable()  # until the application has started: nothing that is loaded is thrown away
    settings = settings_or_stop(json=json)
    if workers > 1 and settings.on_sqlite:
        from passerelle.errors.rules import issue

        refused = issue("settings.workers-need-postgresql", "--workers")
        raise printing.stop(printing.UNREACHABLE, refused, json=json)
    refusal = starting.port_refusal(settings)
    if refusal is not None:
        raise printing.stop(printing.UNREACHABLE, refusal, json=json)
    _load_logging_without_console()
    import uvicorn

    from passerelle.api.logs import configure
    from passerelle.app import server_options

    configure(settings.log_level)
    starting.tell_unknown_variables()
    # The server ends what is in hand first, then raises the signal again for us.
    signal.signal(signal.SIGTERM, _end)
    printing.line(
        f"Passerelle écoute sur {settings.fhir_base_url}",
        f"Passerelle listens on {settings.fhir_base_url}",
    )
    try:
        uvicorn.run(
            "passerelle.app:served_without_worker" if no_worker else "passerelle.app:served",
            factory=True,
            workers=workers if workers > 1 else None,
            **server_options(settings),
        )
    except SystemExit as end:
        if end.code != starting.FAILED:
            raise
        told = starting.why_not_started(settings)
        raise printing.stop(printing.UNREACHABLE, *told, json=json) from None


def worker(json: JsonOption = False) -> None:
    """Fait tourner le travailleur seul, à côté de processus qui servent."""
    settings = settings_or_stop(json=json)
    from passerelle.api.logs import configure
    from passerelle.app import make_gateway, make_workers

    configure(settings.log_level)
    starting.tell_unknown_variables()

    async def work() -> None:
        gateway = make_gateway(settings)
        await gateway.store.open()
        try:
            made = make_workers(gateway)

            def stop() -> None:
                for one in made:
                    one.stop()

            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop)
            await asyncio.gather(*(one.run() for one in made))
        finally:
            await gateway.store.close()

    _run(work(), json=json)


def migrate(json: JsonOption = False) -> None:
    """Amène la base de données à la dernière migration."""
    settings = settings_or_stop(json=json)
    from passerelle.errors.rules import issue
    from passerelle.store.migrate import migrate as run_migrations

    try:
        applied = run_migrations(settings.database_url.get_secret_value())
    except Exception as fault:  # the driver's own, which is not known here
        typer.echo(type(fault).__name__, err=True)
        refused = issue("record.unavailable", "PASSERELLE_DATABASE_URL")
        raise printing.stop(printing.UNREACHABLE, refused, json=json) from None
    from passerelle.store.upkeep.index_state import index_is_outdated

    outdated = asyncio.run(index_is_outdated(settings.database_url.get_secret_value()))
    if json:
        printing.as_json({"applied": applied, "reindex": outdated})
        return
    for name in applied:
        printing.line(f"appliquée : {name}", f"applied: {name}", good=True)
    if not applied:
        printing.line("La base est à jour.", "The database is up to date.", good=True)
    if outdated:
        printing.line(
            "Les paramètres de recherche ont changé : lancer passerelle reindex.",
            "Search parameters have changed: run passerelle reindex.",
            good=False,
        )


def _load_logging_without_console() -> None:
    """Load structlog without rich, which it only needs for consoles and which takes 0.1 s."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it fails, as if absent
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def _end(*_: object) -> None:
    """End well at SIGTERM, while starting as after serving."""
    raise SystemExit(0)


def _run(work: Coroutine[Any, Any, None], *, json: bool) -> None:
    """Run to the end; a refusal is printed and stops with its exit code."""
    from passerelle.errors.refusals import PasserelleError

    try:
        asyncio.run(work)
    except PasserelleError as refusal:
        raise printing.stop(printing.UNREACHABLE, *refusal.issues, json=json) from None


def check(json: JsonOption = False) -> None:
    """Vérifie que ce qui est dérivé s'accorde avec le journal ; code 1 sinon."""
    settings = settings_or_stop(json=json)
    from passerelle.app import clock
    from passerelle.dossiers.keeping import derive
    from passerelle.store.upkeep.check import check as check_record

    registry = _registry_of(settings, json=json)
    database_url = settings.database_url.get_secret_value()
    derived = partial(derive, registry=registry)
    report = asyncio.run(check_record(database_url, derived, now=clock()))
    counts = {
        name: getattr(report, name)
        for name in ("resources", "versions", "rows", "blobs", "jobs", "messages")
    }
    found = [{"rule": each.rule, "place": each.place} for each in report.findings]
    if json:
        printing.as_json({"clean": report.clean, **counts, "findings": found})
    else:
        rows = [(finding["rule"], finding["place"]) for finding in found]
        printing.table((("compté", "counted"), ("", "")), counts.items())
        if rows:
            printing.table((("constat", "finding"), ("où", "where")), rows)
        else:
            printing.line("Tout s'accorde.", "All agrees.", good=True)
    raise typer.Exit(printing.DONE if report.clean else printing.REFUSED)


def reindex(added: Added = False, status: Status = False, json: JsonOption = False) -> None:
    """Reconstruit du journal tout ce qui en est dérivé : index, droits, identifiants."""
    settings = settings_or_stop(json=json)
    if added or status:
        _added(settings, work=added, json=json)
        return
    from passerelle.dossiers.keeping import derive
    from passerelle.store.upkeep.reindex import reindex as rebuild

    registry = _registry_of(settings, json=json)
    shown = None if json else _progress
    derived = partial(derive, registry=registry)
    report = asyncio.run(rebuild(settings.database_url.get_secret_value(), derived, progress=shown))
    asyncio.run(_gather_full_text(settings))
    conflicts = [str(key) for key in report.conflicts]
    if json:
        printing.as_json({"resources": report.resources, "conflicts": conflicts})
    else:
        count = report.resources
        printing.line(f"{count} ressources réindexées", f"{count} resources indexed", good=True)
        for key in conflicts:
            told = (f"identifiant déjà pris : {key}", f"identifier taken already: {key}")
            printing.line(*told, good=False)
    raise typer.Exit(printing.REFUSED if conflicts else printing.DONE)


async def _gather_full_text(settings: "Settings") -> None:
    """Forget the words of all resources and gather them again, when they are to be kept."""
    from passerelle.app import make_gateway
    from passerelle.store.upkeep.full_text_again import forget_full_text, gather_full_text

    await forget_full_text(settings.database_url.get_secret_value())
    store = make_gateway(settings).store
    await store.open()
    try:
        await gather_full_text(store)
    finally:
        await store.close()


def _progress(done: int, of: int) -> None:
    """Show on a terminal how far it is, on one line that is written over."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done}/{of}" + ("\n" if done == of else ""), nl=False, err=True)


def _registry_of(settings: "Settings", *, json: bool) -> "Registry":
    """Give the search parameters of the record; when it cannot be opened say why and stop."""
    from passerelle.app import make_gateway

    found: list[Registry] = []

    async def look() -> None:
        store = make_gateway(settings).store
        await store.open()
        found.append(store.parameters.registry)
        await store.close()

    _run(look(), json=json)
    return found[0]


def _shown_added(rows: "Sequence[Standing]", *, json: bool) -> None:
    """Show the parameters that were added, and how far each is."""
    if json:
        told = [row._asdict() | {"issues": [said.rule for said in row.issues]} for row in rows]
        printing.as_json(told)
        return
    heads = (("paramètre", "parameter"), ("type", "type"), ("état", "state"), ("%", "%"))
    lines = [
        (
            row.url,
            f"{row.type} {row.code}",
            row.state,
            ", ".join(said.rule for said in row.issues) or row.percent,
        )
        for row in rows
    ]
    printing.table(heads, lines)


def _added(settings: "Settings", *, work: bool, json: bool) -> None:
    """Show the parameters that were added, after their old data was indexed if ``work``."""
    from passerelle.app import make_gateway
    from passerelle.dossiers.parameter_indexing import index_all
    from passerelle.dossiers.parameter_standing import standings

    found: list[Standing] = []

    async def look() -> None:
        gateway = make_gateway(settings)
        await gateway.store.open()
        try:
            if work:
                await index_all(gateway)
            found.extend(await standings(gateway))
        finally:
            await gateway.store.close()

    _run(look(), json=json)
    _shown_added(found, json=json)


def settings_or_stop(*, json: bool) -> "Settings":
    """Give the settings, or print everything that is wrong with them and stop."""
    from passerelle.errors.refusals import Invalid
    from passerelle.settings import load

    try:
        return load()
    except Invalid as refusal:
        raise printing.stop(printing.UNREACHABLE, *refusal.issues, json=json) from None
