"""A running gateway, asked over HTTP by the commands.

https://hl7.org/fhir/R4/http.html and the contract of ``/dossiers`` and ``/mss``. A command that
asks runs inside :func:`asking`, which turns what goes wrong into words and an exit code.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

import typer

from passerelle.cli import printing
from passerelle.errors.refusals import Invalid, Issue, Severity
from passerelle.errors.rules import issue

if TYPE_CHECKING:
    import httpx

FHIR_JSON = "application/fhir+json"
ANSWER_MAX_BYTES = 256 * 1024 * 1024
FILE_MAX_BYTES = 100 * 1024 * 1024
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NOT_SUPPORTED = 501

ServerOption = Annotated[
    str,
    typer.Option("--server", envvar="PASSERELLE_SERVER", help="Adresse de la passerelle."),
]
SERVER = "http://127.0.0.1:8080"

FileArgument = Annotated[
    Path, typer.Argument(help="Fichier JSON ; « - » lit l'entrée standard.", show_default=False)
]


class Unreachable(Exception):
    """Nobody answers, or what answers is no gateway."""

    def __init__(self, found: Issue) -> None:
        """Keep the issue that says why."""
        super().__init__(found.rule)
        self.issue = found


class Refused(Exception):
    """The gateway answered that it will not."""

    def __init__(self, answer: "Answer") -> None:
        """Keep the answer."""
        super().__init__(str(answer.status))
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Give the body as a JSON object; raises Unreachable when it is none."""
        from passerelle.fhir.json_text import decode

        try:
            return decode(self.body)
        except Invalid:
            raise self.unexpected() from None

    def unexpected(self) -> Unreachable:
        """Make the exception that says: this is not what a gateway answers."""
        return Unreachable(issue("cli.unexpected-answer", status=self.status))

    def issues(self) -> list[Issue]:
        """Give the issues told in an OperationOutcome or a receipt."""
        try:
            body = self.json()
        except Unreachable as fault:
            return [fault.issue]
        if body.get("resourceType") == "OperationOutcome":
            return outcome_issues(body)
        found = receipt_issues(body)
        return found or [issue("cli.unexpected-answer", status=self.status)]


class Client:
    """The gateway at an address. Redirects are not followed, answers are bounded."""

    def __init__(self, server: str) -> None:
        """Take the address of the gateway; raises Unreachable when it is no address."""
        import httpx

        try:
            parts = urlsplit(server)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError
            self._http = httpx.Client(
                base_url=server.rstrip("/") + "/",
                timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                trust_env=parts.hostname not in _LOOPBACK,
            )
        except (ValueError, httpx.InvalidURL):
            raise Unreachable(issue("cli.not-an-address")) from None
        self.server = server

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to a path under the address (with its query) and give the answer.

        Raises Unreachable (nobody answers), Refused (status 400 and above).
        """
        import httpx

        try:
            with self._http.stream(
                # The slash: ``dossiers:batch`` would be taken for an address of another scheme.
                method,
                "/" + path.lstrip("/"),
                content=content,
                headers=dict(headers or {}),
            ) as response:
                body = self._read(response)
                named = {name.lower(): value for name, value in response.headers.items()}
                answer = Answer(response.status_code, named, body)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            reason = type(fault).__name__
            raise Unreachable(issue("cli.unreachable", server=self.server, reason=reason)) from None
        if answer.status >= 300:
            raise Refused(answer)
        return answer

    def next_page(self, bundle: Mapping[str, Any]) -> str | None:
        """Give path and query of a Bundle's next page, always under our own address.

        The gateway may be reached under another name than the one it writes into its links.
        """
        for link in bundle.get("link", ()):
            if link.get("relation") == "next":
                parts = urlsplit(str(link.get("url")))
                path = parts.path[parts.path.find("/fhir") :] if "/fhir" in parts.path else "/fhir"
                return f"{path}?{parts.query}"
        return None

    def _read(self, response: "httpx.Response") -> bytes:
        """Read a body up to the limit; raises Unreachable beyond."""
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > ANSWER_MAX_BYTES:
                raise Unreachable(issue("cli.answer-too-large", size_max=ANSWER_MAX_BYTES))
            chunks.append(chunk)
        return b"".join(chunks)


@contextmanager
def asking(server: str, *, json: bool) -> Iterator[Client]:
    """Give a client; what it raises is printed and ends the command with 1 or 2."""
    client: Client | None = None
    try:
        client = Client(server)
        yield client
    except Unreachable as fault:
        raise printing.stop(printing.UNREACHABLE, fault.issue, json=json) from None
    except Refused as refusal:
        answer = refusal.answer
        failed = answer.status >= 500 and answer.status != _NOT_SUPPORTED
        code = printing.UNREACHABLE if failed else printing.REFUSED
        raise printing.stop(code, *answer.issues(), json=json) from None
    finally:
        if client is not None:
            client.close()


def read_file(path: Path, *, json: bool) -> bytes:
    """Give the bytes of a file, or of standard input for ``-``.

    Ends the command with 2 when it cannot be read or is too large.
    """
    try:
        if str(path) == "-":
            body = sys.stdin.buffer.read(FILE_MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                body = file.read(FILE_MAX_BYTES + 1)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        found = issue("cli.file-unreadable", reason=reason)
        raise printing.stop(printing.UNREACHABLE, found, json=json) from None
    if len(body) > FILE_MAX_BYTES:
        found = issue("cli.file-too-large", size_max=FILE_MAX_BYTES)
        raise printing.stop(printing.UNREACHABLE, found, json=json)
    return body


def read_json(path: Path, *, json: bool) -> tuple[bytes, dict[str, Any]]:
    """Give the bytes of a file and the JSON object they are; ends the command with 1 when none."""
    from passerelle.fhir.json_places import located
    from passerelle.fhir.json_text import decode

    body = read_file(path, json=json)
    try:
        return body, decode(body)
    except Invalid as refusal:
        found = located(body, refusal.issues)
        raise printing.stop(printing.REFUSED, *found, json=json) from None


def outcome_issues(outcome: Mapping[str, Any]) -> list[Issue]:
    """Read the issues of an OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html)."""
    found = []
    for entry in outcome.get("issue", ()):
        details = entry.get("details", {})
        coding: Mapping[str, Any] = next(iter(details.get("coding", ())), {})
        english = str(entry.get("diagnostics", ""))
        text = str(details.get("text") or english)
        where = next(iter(entry.get("expression", entry.get("location", ()))), None)
        rule = str(coding.get("code") or entry.get("code", ""))
        found.append(_issue(entry, rule, text, english or text, where))
    return found


def receipt_issues(receipt: Mapping[str, Any]) -> list[Issue]:
    """Read the issues of a receipt."""
    found = []
    for entry in receipt.get("issues", ()):
        texts = str(entry.get("text", "")), str(entry.get("textEn", "")) or None
        found.append(_issue(entry, str(entry.get("rule", "")), *texts, entry["path"]))
    return found


def _issue(
    entry: Mapping[str, Any], rule: str, text: str, english: str | None, where: object
) -> Issue:
    severity = entry.get("severity")
    known = severity if severity in ("fatal", "error", "warning", "information") else "error"
    place = None if where is None else str(where)
    code = str(entry.get("code", ""))
    return Issue(cast(Severity, known), code, rule, text, english or text, place)
