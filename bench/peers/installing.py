"""The peers, each in a folder of its own under a cache: installed once, from its public registry.

PyPI and npm through their own clients, in versions that are fixed here. HAPI's JPA server is not
published as something that runs (there is no ``hapi-fhir-jpaserver-starter`` on Maven Central):
start one by other means and name it by ``--base-url``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.processes import ServedProcess, free_port

HERE = Path(__file__).resolve().parent
INSTALL_SECONDS = 600
FHIRSTARTER = ("fhirstarter==4.2.0", "uvicorn==0.54.0", "uvloop")
NODE_CORE = "@asymmetrik/node-fhir-server-core@2.2.5"


class NotThere(Exception):
    """A peer that cannot be had on this machine, and why."""


def cache_folder() -> Path:
    """Give the folder that the peers are kept in from run to run."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "passerelle-bench"


def _run(what: str, *command: str, folder: Path) -> None:
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise NotThere(f"{what} could not be installed: {type(fault).__name__}") from None


def fhirstarter(cache: Path) -> ServedProcess:
    """Give fhirstarter (PyPI), everything in memory. Raises NotThere."""
    folder = cache / "fhirstarter"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("fhirstarter", sys.executable, "-m", "venv", str(folder), folder=cache)
        _run("fhirstarter", str(python), "-m", "pip", "install", "-q", *FHIRSTARTER, folder=cache)
        (folder / "ready").touch()
    port = free_port()
    command = [str(python), "-W", "ignore", str(HERE / "fhirstarter_app.py"), str(port)]
    sequence = {"FHIR_SEQUENCE": "R4B"}
    return ServedProcess(command, port, path="", environment=sequence, folder=folder)


def node_core(cache: Path) -> ServedProcess:
    """Give node-fhir-server-core (npm), everything in memory. Raises NotThere."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotThere("node-fhir-server-core: there is no node or npm here")
    folder = cache / "node-core"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts")
        _run("node-fhir-server-core", npm, "install", *quiet, NODE_CORE, folder=folder)
        (folder / "ready").touch()
    port = free_port()
    command = [node, str(HERE / "node_core_app.js"), str(port)]
    return ServedProcess(command, port, path="/4_0_1", folder=folder)


PEERS: dict[str, Callable[[Path], ServedProcess]] = {
    "fhirstarter": fhirstarter,
    "node-fhir-server-core": node_core,
}
IN_MEMORY = "everything in memory: nothing durable, no history, no transaction"
HAPI = (
    "HAPI's JPA server was left out: Maven Central has its libraries, not the starter "
    "that runs; start one and name it by --base-url"
)
