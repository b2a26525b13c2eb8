"""``passerelle demo``: the main job, played on a gateway and an outside world of its own."""

import asyncio
import contextlib
import logging
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import uvicorn
    from rich.console import Console

    from passerelle.demo.scenario import Scenario
    from passerelle.settings import Settings
    from passerelle.simulation.operator import Operator

START_SECONDS = 15.0
INTERRUPTED = 130
"""The exit code of a demonstration that is stopped before its end."""

Once = Annotated[
    bool, typer.Option("--once", help="S'arrête à la fin ; code 0 si chaque étape a réussi.")
]
Bind = Annotated[
    str, typer.Option("--bind", help="Adresse d'écoute ; port 0 : un port libre est choisi.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Exemple : passerelle demo --once")(demo)


def demo(once: Once = False, bind: Bind = "127.0.0.1:8080") -> None:
    """Joue la démonstration : trois dossiers, une lettre par MSSanté, son accusé de lecture."""
    _quieten()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the folder goes away as at Ctrl-C
    try:
        with tempfile.TemporaryDirectory(prefix="passerelle-demo-") as folder:
            good = asyncio.run(_demonstrate(Path(folder), bind, once=once))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if good else 1)


def _quieten() -> None:
    """Keep the simulated operator's SMTP library from writing between the lines of the play."""
    logger = logging.getLogger("mail.log")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


async def _demonstrate(folder: Path, bind: str, *, once: bool) -> bool:
    from rich.console import Console

    from passerelle.demo.world import demo_settings, start_world

    console = Console(highlight=False, soft_wrap=True)
    console.print("[bold]Passerelle — démonstration[/bold]")
    console.print(
        "Un opérateur MSSanté simulé démarre (SMTP et IMAP réels, TLS), puis la passerelle."
    )
    operator, password = await start_world(folder)
    try:
        free = _free(bind)
        if free != bind and not bind.endswith(":0"):
            console.print(f"{bind} est occupé : la passerelle écoute sur {free}.")
        return await _watched(
            console, demo_settings(folder, operator, password, free), operator, once
        )
    finally:
        await operator.stop()


async def _watched(
    console: "Console", settings: "Settings", operator: "Operator", once: bool
) -> bool:
    """Serve, play, and stay until interrupted unless ``once``; give whether all went well."""
    server, serving = await _serve(settings)
    try:
        good = await _play(console, settings, operator)
        if not once:
            interrupted = _interruption()
            console.print("\nLa passerelle reste à l'écoute ; Ctrl-C pour arrêter.")
            await interrupted.wait()
    finally:
        server.should_exit = True
        await serving
    return good


def _free(bind: str) -> str:
    """Choose a free port where 0 (or one that is taken) is asked for."""
    import socket

    host, _, port = bind.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


async def _serve(settings: "Settings") -> "tuple[uvicorn.Server, asyncio.Task[None]]":
    """Start the gateway in this event loop; give it once it listens."""
    import uvicorn

    from passerelle.api.logs import configure
    from passerelle.app import server_options, start_worker, web_application

    configure(settings.log_level)
    application = web_application(settings, start_worker=start_worker)
    options = server_options(settings) | {"loop": "none"}
    server = uvicorn.Server(uvicorn.Config(application, **options))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(START_SECONDS):
        while not server.started and not serving.done():  # noqa: ASYNC110, uvicorn has no event
            await asyncio.sleep(0.02)
    return server, serving


async def _play(console: "Console", settings: "Settings", operator: "Operator") -> bool:
    import httpx

    from passerelle.demo.scenario import Scenario

    base = f"http://{settings.host}:{settings.port}/"
    async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as client:
        scenario = Scenario(client, operator, console.print)
        good = await scenario.play()
    _summary(console, scenario, base, good=good)
    return good


def _summary(console: "Console", scenario: "Scenario", base: str, *, good: bool) -> None:
    from rich.table import Table

    table = Table(title="\nCe qui s'est passé", title_justify="left", box=None, padding=(0, 1))
    table.add_column("", min_width=1)
    table.add_column("étape", no_wrap=True)
    table.add_column("résultat", no_wrap=True)
    for step in scenario.steps:
        mark = "[green]✓[/green]" if step.as_it_should else "[red]✗[/red]"
        table.add_row(mark, step.what, step.came)
    console.print(table)
    console.print("\n[bold]À explorer[/bold]")
    for path in ("fhir/metadata?_pretty=true", "fhir/Patient?_pretty=true", "docs", "metrics"):
        console.print(f"  {base}{path}")
    for address in scenario.addresses:
        console.print(f"  {address}")
    done = sum(step.as_it_should for step in scenario.steps)
    colour = "green" if good else "red"
    console.print(f"\n[{colour}]{done} étapes sur {len(scenario.steps)} comme attendu.[/{colour}]")


def _interruption() -> asyncio.Event:
    """Give an event that is set when the person, or the system, asks to stop."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    return interrupted
