"""A small real HTTP server that speaks the gateway's contract, and the command in a process of
its own or in this one."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from typer.testing import CliRunner

from passerelle.cli.main import app


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def path(self):
        return unquote(urlsplit(self.target).path)


@dataclass
class Server:
    """What was asked of it, and what it answers: (method, target) to (status, headers, body)."""

    answers: dict = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    address: str = ""

    def answer(self, method, target, body, status=200, **headers):
        made = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[method, target] = (status, named, made)


class _Handler(BaseHTTPRequestHandler):
    rigged: Server

    def _any(self):
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.rigged.seen.append(seen)
        status, named, body = self.rigged.answers.get((self.command, self.path), (404, {}, b"{}"))
        self.send_response(status)
        for name, value in named.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _any

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    rigged = Server()
    handler = type("Handler", (_Handler,), {"rigged": rigged})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        rigged.address = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setenv("PASSERELLE_SERVER", rigged.address)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield rigged
        listening.shutdown()
        thread.join()


@pytest.fixture
def passerelle(monkeypatch):
    """The command: called with its arguments, it gives (exit code, standard output, errors)."""
    monkeypatch.delenv("PASSERELLE_LANG", raising=False)
    monkeypatch.delenv("PASSERELLE_INS_ALLOW_TEST", raising=False)

    def run(*arguments, stdin=None):
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def write(tmp_path):
    def written(value, name="file.json"):
        file = tmp_path / name
        file.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return file

    return written


@pytest.fixture
def outcome():
    def made(*rules, severity="error"):
        return {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": severity,
                    "code": "value",
                    "details": {"coding": [{"code": rule}], "text": f"Texte de {rule}."},
                    "diagnostics": f"Text of {rule}.",
                    "expression": ["Patient.birthDate"],
                }
                for rule in rules
            ],
        }

    return made
