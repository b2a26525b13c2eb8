"""Mails at fault: rows of the table of bad input."""

import base64
from dataclasses import dataclass

from tests.flows.bad_archives import BOMB, ZIP_BOMB
from tests.flows.bad_input import CANARY
from tests.flows.operator_process import DOCTOR, GATEWAY

HEAD = (
    f"From: <{DOCTOR}>\r\nTo: <{GATEWAY}>\r\nSubject: {CANARY}\r\n"
    "Date: Mon, 23 Nov 2026 09:00:00 +0100\r\nMessage-ID: <{id}@demo.mssante.fr>\r\n"
    "MIME-Version: 1.0\r\n"
)


@dataclass(frozen=True)
class BadMail:
    """A mail, and what becomes of it: its state and the reason."""

    title: str
    raw: bytes
    state: str
    reason: str | None


def _mail(name: str, more: str, body: str | bytes = "") -> bytes:
    text = HEAD.replace("{id}", name) + more
    return text.encode("utf-8") + (body if isinstance(body, bytes) else body.encode("utf-8"))


def report(
    name: str, original: str, *, sender: str = DOCTOR, disposition: str = "displayed"
) -> bytes:
    """Give an MDN about a mail."""
    return _mail(
        name,
        "Content-Type: multipart/report; report-type=disposition-notification;"
        ' boundary="b"\r\n\r\n',
        "--b\r\nContent-Type: text/plain\r\n\r\nLu.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{sender}\r\nOriginal-Message-ID: {original}\r\n"
        f"Disposition: manual-action/MDN-sent-manually; {disposition}\r\n\r\n--b--\r\n",
    ).replace(f"From: <{DOCTOR}>".encode(), f"From: <{sender}>".encode())


def nested(depth: int) -> str:
    """Give parts in one another."""
    opened = "".join(
        f'--b{n}\r\nContent-Type: multipart/mixed; boundary="b{n + 1}"\r\n\r\n'
        for n in range(depth)
    )
    return f'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n{opened}'


def attached(name: str, content: bytes) -> bytes:
    """Give a mail with an archive attached."""
    data = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: application/zip; name=IHE_XDM.ZIP\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return _mail(name, head, data + b"\r\n--b--\r\n")


UNKNOWN = "mail.unknown-original"
UNREADABLE = "mail.unreadable"
ORDINARY = "mail.ordinary"
MAILS = (
    BadMail("a body only", b"\r\n" + CANARY.encode() + b"\r\n", "aside", UNREADABLE),
    BadMail(
        "bytes that are no text",
        _mail("m1", "\r\n", bytes(range(128, 256)) * 3),
        "received",
        ORDINARY,
    ),
    BadMail(
        "an unknown charset, base64 that is none",
        _mail(
            "m2",
            "Content-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n"
            "Subject: =?klingon?Q?=FF?= =?utf-8?B?*?=\r\n\r\n",
            "****\r\n",
        ),
        "received",
        ORDINARY,
    ),
    BadMail("1,000 parts in one another", _mail("m3", nested(1_000)), "aside", UNREADABLE),
    BadMail(
        "20,000 parts beside one another",
        _mail(
            "m4",
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n',
            "--b\r\n\r\na\r\n" * 20_000,
        ),
        "aside",
        UNREADABLE,
    ),
    BadMail(
        "a boundary that never comes",
        _mail("m5", 'Content-Type: multipart/mixed; boundary="never"\r\n\r\nx\r\n'),
        "received",
        ORDINARY,
    ),
    BadMail(
        "headers of 500,000 bytes",
        _mail("m6", f"X-Long: {'a' * 900}\r\n" * 550 + "\r\n", "x\r\n"),
        "received",
        ORDINARY,
    ),
    BadMail("an archive that is a bomb", attached("m7", ZIP_BOMB), "received", ORDINARY),
    BadMail("XML with an entity bomb", attached("m8", BOMB), "received", ORDINARY),
    BadMail("a receipt of an unknown mail", report("m9", "<nobody@x.example>"), "aside", UNKNOWN),
    BadMail(
        "a receipt whose Message-ID is of 900 characters",
        report("m10", f"<{'a' * 900}@x.example>"),
        "aside",
        UNKNOWN,
    ),
    BadMail(
        "a receipt whose Message-ID is full of marks",
        report("m11", "<a,b|c$d\\e&identifier=f%00@x.example>"),
        "aside",
        UNKNOWN,
    ),
    BadMail(
        "a receipt that says nothing",
        report("m12", "", disposition=""),
        "aside",
        UNREADABLE,
    ),
    BadMail(
        "a delivery report without recipients",
        _mail(
            "m13",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n',
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            "--b--\r\n",
        ),
        "aside",
        UNREADABLE,
    ),
)
