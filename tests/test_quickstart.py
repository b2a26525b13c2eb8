"""Every line of ``docs/quickstart.md``, executed against a real gateway and compared with what the
page shows; once with curl and once, for machines that have none, with its stand-in."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/quickstart.md"
SHOWN = "http://127.0.0.1:8080"
MARK = "=-=-= line {} =-=-="
START_SECONDS = 60


class Line(NamedTuple):
    """A command of the page and what it shows below it."""

    command: str
    shown: list[str]


def lines(page: str) -> list[Line]:
    """Read the commands of all console blocks; one that ends with a backslash goes on below."""
    found: list[Line] = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for text in block.splitlines():
            if text.startswith("$ "):
                found.append(Line(text[2:], []))
            elif not found[-1].shown and found[-1].command.endswith("\\"):
                found[-1] = Line(found[-1].command + "\n" + text, [])
            else:
                found[-1].shown.append(text)
    return found


def pattern(shown: list[str]) -> re.Pattern[str]:
    """Make what is to come of what is shown: ``…`` is anything, alone on a line any lines."""
    parts = []
    for line in shown:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(map(re.escape, line.rstrip().split("…"))) + r" *\n")
    return re.compile("".join(parts) + r"\Z")


class Served:
    """The gateway of the page, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.folder = folder
        (folder / "docs").symlink_to(ROOT / "docs")
        (folder / ".venv").mkdir()
        (folder / ".venv/bin").symlink_to(Path(sys.executable).parent)
        theirs = {n: v for n, v in os.environ.items() if not n.startswith("PASSERELLE_")}
        self.environment = theirs | {
            "PASSERELLE_BIND": self.address,
            "PASSERELLE_SERVER": f"http://{self.address}",
            "no_proxy": "127.0.0.1",
            "LC_ALL": "C.UTF-8",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.said: list[str] = []
        self._started = threading.Event()

    def start(self, command: str) -> None:
        """Start the gateway and wait until it says that it has started, or ends."""
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec env {command}"],
            cwd=self.folder,
            env=self.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._started.wait(START_SECONDS)
        assert self.process.poll() is None, "".join(self.said)

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.decode())
            if b"Uvicorn running" in line:
                self._started.set()
        self._started.set()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def run(self, commands: list[str], path: str) -> list[str]:
        """Run commands in one bash; give what each of them printed."""
        script = "\n".join(
            f"{command.replace(SHOWN, f'http://{self.address}')}\n"
            f"code=$?; printf '\\n%s\\n' '{MARK.format(number)}'; (exit $code)"
            for number, command in enumerate(commands)
        )
        done = subprocess.run(
            ["bash"],
            input=script.encode(),
            cwd=self.folder,
            env=self.environment | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        rest = done.stdout.decode().replace("\r\n", "\n").replace(f"http://{self.address}", SHOWN)
        found = []
        for number in range(len(commands)):
            printed, _, rest = rest.partition(f"\n{MARK.format(number)}\n")
            found.append(printed if not printed or printed.endswith("\n") else printed + "\n")
        return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()


def stand_in(folder: Path) -> str:
    """Make a folder whose ``curl`` is the stand-in; give its path."""
    folder.mkdir()
    program = folder / "curl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/curl_stand_in.py" "$@"\n')
    program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("client", ["curl", "stand-in"])
def test_every_line_of_the_quickstart_does_what_the_page_shows(
    served: Served, tmp_path: Path, client: str
) -> None:
    if client == "curl" and shutil.which("curl") is None:
        pytest.skip("left out: no curl on this machine; its stand-in is tried instead")
    path = os.environ["PATH"]
    if client == "stand-in":
        path = f"{stand_in(tmp_path / 'bin')}{os.pathsep}{path}"
    first, *others = lines(PAGE.read_text("utf-8"))
    assert first.command.endswith("passerelle serve")
    served.start(first.command)
    printed = served.run([line.command for line in others], path)
    assert served.stop() == 0
    started = "".join(served.said).replace(f"http://{served.address}", SHOWN)
    wrong = [
        f"$ {line.command}\n--- shown\n{chr(10).join(line.shown)}\n--- came\n{came}"
        for line, came in zip([first, *others], [started, *printed], strict=True)
        if not pattern(line.shown).match(came)
    ]
    assert not wrong, "\n\n".join(wrong)


def test_the_page_has_commands_in_every_chapter_but_the_last() -> None:
    chapters = PAGE.read_text("utf-8").split("\n## ")[1:]
    assert [len(lines(chapter)) > 0 for chapter in chapters] == [True] * (len(chapters) - 1) + [
        False
    ]


def test_what_is_shown_is_compared_line_by_line() -> None:
    shown = pattern(["a…z", "…", "end"])
    assert shown.match("a-z\nx\ny\nend\n")
    assert shown.match("az\nend\n")
    assert not shown.match("a-z\nend\nmore\n")
    assert not shown.match("b-z\nend\n")
    assert pattern([]).match("")
    assert not pattern([]).match("said\n")
