"""The gateway as a process of its own: ``passerelle serve`` on a database of its own."""

import sys

from bench.processes import ServedProcess, free_port


def gateway_process(database_url: str, workers: int = 1) -> ServedProcess:
    """Make the process of a gateway on a database; it is still to be started."""
    port = free_port()
    environment = {
        "PASSERELLE_DATABASE_URL": database_url,
        "PASSERELLE_BIND": f"127.0.0.1:{port}",
        "PASSERELLE_AUTO_MIGRATE": "true",
        "PASSERELLE_INS_ALLOW_TEST": "true",
        "PASSERELLE_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "passerelle", "serve", "--no-worker"]
    if workers > 1:
        command += ["--workers", str(workers)]
    return ServedProcess(command, port, environment=environment)
