"""Commands given bad input: rows of the table of bad input."""

import json
from dataclasses import dataclass
from typing import Any

from tests.flows.bad_input import CANARY, dossier, patient


@dataclass(frozen=True)
class BadCommand:
    """A command with its file, its exit code and the rule that it names."""

    title: str
    arguments: tuple[str, ...]  # ``{file}`` stands for the file
    content: Any
    code: int
    rule: str

    def body(self) -> bytes:
        """Give the bytes of the file."""
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )


PUSH = ("dossier", "push", "{file}", "--strict", "--json")
VALIDATE = ("fhir", "validate", "{file}", "--json")
CHECK = ("ins", "check")
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
COMMANDS = (
    BadCommand("nothing", PUSH, b"", 1, "json.malformed"),
    BadCommand("JSON cut short", PUSH, b'{"a":', 1, "json.malformed"),
    BadCommand("no dossier", PUSH, {"resourceType": "Patient"}, 1, "cli.not-a-dossier"),
    BadCommand("an unknown element", PUSH, dossier(surname=CANARY), 1, "dossier.schema"),
    BadCommand(
        "a file that is not there",
        ("dossier", "push", "/nowhere", "--json"),
        b"",
        2,
        "cli.file-unreadable",
    ),
    BadCommand(
        "an address that is none",
        ("dossier", "push", "{file}", "--json", "--server", "nowhere"),
        dossier(),
        2,
        "cli.not-an-address",
    ),
    BadCommand("JSON cut short", VALIDATE, b"{", 1, "json.malformed"),
    BadCommand("10,000 objects in one another", VALIDATE, DEEP, 1, "json.too-deep"),
    BadCommand("a name twice", VALIDATE, b'{"a":1,"a":2}', 1, "json.duplicate-key"),
    BadCommand("NUL", VALIDATE, b'{"a":"\\u0000"}', 1, "json.bad-character"),
    BadCommand("no type", VALIDATE, {"a": CANARY}, 1, "structure.unknown-type"),
    BadCommand(
        "an unknown element", VALIDATE, patient(surname=CANARY), 1, "structure.unknown-element"
    ),
    BadCommand(
        "a day that is not in the calendar",
        VALIDATE,
        patient(birthDate="2026-02-30"),
        1,
        "structure.no-such-day",
    ),
    BadCommand("a wrong key", (*CHECK, "279035121518912", "--json"), b"", 1, "ins.key"),
    BadCommand("letters", (*CHECK, CANARY + "ABC", "--json"), b"", 1, "ins.characters"),
    BadCommand("too few digits", (*CHECK, "123", "--json"), b"", 1, "ins.length"),
    BadCommand(
        "an unknown OID",
        (*CHECK, "279035121518989", "--oid", "1.2.3", "--json"),
        b"",
        1,
        "ins.oid-unknown",
    ),
    BadCommand(
        "a test OID where none is admitted",
        (*CHECK, "279035121518989", "--oid", "1.2.250.1.213.1.4.10", "--json"),
        b"",
        1,
        "ins.test-oid",
    ),
)
