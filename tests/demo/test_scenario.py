"""The demonstration: what it shows fits the screen, and a step that fails fails it."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from passerelle.cli.demo import _watched
from passerelle.demo.world import demo_settings, start_world

pytestmark = pytest.mark.anyio
COLUMNS = 100
COMMAND = (sys.executable, "-m", "passerelle", "demo")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_white_list_without_the_doctors_domain_fails_the_demonstration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator, password = await start_world(tmp_path)
    listed = operator.white_list().replace(b"demo.mssante.fr", b"autre.mssante.fr")
    (tmp_path / "liste-blanche.xml").write_bytes(listed)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = demo_settings(tmp_path, operator, password, bind)
    try:
        assert not await _watched(Console(width=COLUMNS), settings, operator, once=True)
    finally:
        await operator.stop()
    assert "refusé (422)" in capsys.readouterr().out


def test_every_step_succeeds_on_a_port_that_is_taken_and_no_line_is_too_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [*COMMAND, "--once", "--bind", bind], capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{bind} est occupé" in done.stdout
    assert not done.stderr
    assert [line for line in done.stdout.splitlines() if len(line) > COLUMNS] == []
    table = done.stdout.partition("Ce qui s'est passé")[2].partition("À explorer")[0]
    said, steps = re.findall(r"(\d+) étapes sur (\d+)", done.stdout)[0]
    assert said == steps == str(table.count("✓"))
    assert "…" not in table


async def test_an_interruption_ends_it_cleanly() -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--bind",
        "127.0.0.1:0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(120):
        while b"Ctrl-C" not in await process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        await process.stdout.read()
        assert await process.stderr.read() == b""
        assert await process.wait() == 0
