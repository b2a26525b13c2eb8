"""Write ``docs/bad-input.md`` from the tables that ``tests/flows`` sends.

    python -m tools.write_bad_input [FILE]

The same tables give the same page to the byte; ``tests/flows/test_bad_input_page.py`` sees that
the committed one is that.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.flows import bad_archives, bad_commands, bad_mails
from tests.flows.bad_input import DOORS, RESOURCES, Answer, Case, Text
from tests.flows.bad_sections import SECTIONS
from tests.flows.bad_texts import FAULTS, TEXTS
from tests.flows.bad_xml import XML_TEXTS
from tools.reference_markdown import code, page, table

FILE = Path(__file__).parents[1] / "docs/bad-input.md"
INTRODUCTION = """What the gateway answers to what it cannot take, door by door. The rows are sent
to a gateway in a process of its own, on SQLite and on PostgreSQL, by the tests of `tests/flows`:
the status, the rule and the place are as this page says, the answer is an `OperationOutcome`,
no value of the input stands in it or in the log, and nothing has been written. The texts
of the rules are on [the page of refusals](reference/refusals.md)."""
BOUNDS = """A body over `PASSERELLE_BODY_LIMIT` is 413 `http.body-too-large` at every door: before a
byte of it is read when `Content-Length` tells its size, else as soon as the limit is passed; the
connection is closed. A body that is cut writes nothing. What does not even read as HTTP is
answered 400 in plain text, a head of more than 128 KiB is 431, by the server in front of the
doors."""
BATCHES = """In a batch each entry is answered in its place, and a faulty one keeps no other from
being done. A transaction is done whole or not at all; a `GET` in it that finds nothing is answered
in its place, once everything is written."""


def write() -> str:
    """Give the page."""
    blocks = [INTRODUCTION, BOUNDS, "## Bodies that are no sound JSON", _doors(), _texts(TEXTS)]
    blocks += ["## Bodies that are no sound XML", XML, _texts(XML_TEXTS)]
    blocks += ["## Resources at fault", _faults()]
    for title, cases in SECTIONS:
        blocks += [f"## {title}", _cases(cases)]
        if title == "Transactions":
            blocks.append(BATCHES)
    blocks += ["## Mails that come in", MAILS, _mails(), "## IHE_XDM archives", _archives()]
    blocks += ["## CDA documents to send", DOCUMENTS, _documents(), "## Commands", _commands()]
    return page("Bad input", *(" ".join(b.split("\n")) if _is_prose(b) else b for b in blocks))


XML = """The same at each of these doors, under `application/fhir+xml`."""
MAILS = """Whatever its bytes, a mail is kept raw, settled once, and keeps no other from being read.
`aside` waits for a person; a receipt about one of our mails counts only from the recipient that we
wrote to."""
DOCUMENTS = """The sending is accepted (202), then the `Communication` says `failed` with the rule;
no mail leaves."""


def _is_prose(block: str) -> bool:
    return not block.startswith(("|", "#"))


def _doors() -> str:
    return f"The same at each of these doors: {', '.join(door.title for door in DOORS)}."


def _texts(texts: Iterable[Text]) -> str:
    return table(("What is sent", "Answer", "But"), [_text(text) for text in texts])


def _text(text: Text) -> tuple[str, str, str]:
    others = [f"{door}: {_answer(answer)}" for door, answer in text.otherwise.items()]
    return text.title, _answer(text.answer), ", ".join(others)


def _faults() -> str:
    rows = [(fault.title, _answer(fault.answer), code("Patient" + fault.place)) for fault in FAULTS]
    doors = ", ".join(door.title for door in RESOURCES)
    return table((f"What is sent ({doors})", "Answer", "Place"), rows)


def _cases(cases: Iterable[Case]) -> str:
    rows = [
        (case.title, code(case.method), _answer(case.answer), code(case.place or ""))
        for case in cases
    ]
    return table(("What is sent", "Method", "Answer", "Place"), rows)


def _answer(answer: Answer) -> str:
    return f"{answer.status} {code(answer.rule)}"


def _mails() -> str:
    rows = [(bad.title, bad.state, code(bad.reason or "")) for bad in bad_mails.MAILS]
    return table(("What comes in", "State", "Reason"), rows)


def _archives() -> str:
    return table(
        ("What is read", "Rule"), [(bad.title, code(bad.rule)) for bad in bad_archives.ARCHIVES]
    )


def _documents() -> str:
    return table(
        ("What is sent", "Rule"), [(bad.title, code(bad.rule)) for bad in bad_archives.DOCUMENTS]
    )


def _commands() -> str:
    rows = [
        (code(" ".join(bad.arguments[:2])), bad.title, str(bad.code), code(bad.rule))
        for bad in bad_commands.COMMANDS
    ]
    return table(("Command", "What is given", "Exit code", "Rule"), rows)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else FILE).write_text(write(), encoding="utf-8")
