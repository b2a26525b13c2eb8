"""A mail as a value, and the exact bytes it becomes: the same value always gives the same bytes.

Tree (Référentiel socle MSSanté #2, ECO.2.1.1, ECO.2.2.3, ECO.2.2.4): ``multipart/mixed`` of a
``text/plain; charset=utf-8``, then ``application/zip; name="IHE_XDM.ZIP"``, then the PDF copies.
https://www.rfc-editor.org/rfc/rfc2046#section-5.1.3

``build`` is synchronous and costs some 10 ms a megabyte: call it in a thread.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from passerelle.errors.refusals import Issue, TooLarge, Unprocessable
from passerelle.errors.rules import issue
from passerelle.messaging.addresses import check_address, is_citizen
from passerelle.messaging.sending.header_text import has_control, parameter, phrase, unstructured

SUBJECT_MAX = 400
DISPLAY_MAX = 200
TEXT_MAX = 100_000
ATTACHMENTS_MAX = 50
NAME_MAX_BYTES = 200
HEADERS_MAX = 32
HEADER_VALUE_MAX = 900
CITIZEN_SIZE_MAX_BYTES = 25_000_000
"""Largest message that Mon espace santé takes, whatever the sender's operator admits."""

_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]"
_MESSAGE_ID = re.compile(rf"<{_LOCAL}{{1,128}}@[A-Za-z0-9.-]{{1,120}}>")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_PATH_CHARACTERS = set('/\\:*?"<>|')
_RESERVED = frozenset(
    {"date", "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "message-id"}
    | {"return-path", "received", "mime-version", "disposition-notification-to"}
    | {"content-type", "content-transfer-encoding", "content-disposition"}
)


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Who writes or is written to: an address and the name shown with it."""

    address: str = field(repr=False)  # a citizen's address is the matricule
    display: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a mail: its name, its media type, its bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one recipient.

    ``message_id`` stands between angle brackets; ``date`` knows its offset; ``receipt`` asks for
    an MDN to the sender's address (to no other: RFC 8098 section 2.1 lets only that one be
    answered without asking). ``headers`` are added as given (X-MSS-*, In-Reply-To, References,
    Auto-Submitted). Nothing of the patient's shows in the repr.
    """

    message_id: str
    date: datetime
    sender: Correspondent
    to: Correspondent
    subject: str = field(repr=False)
    text: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    reply_to: str | None = None
    receipt: bool = False


def check(mail: Mail) -> list[Issue]:
    """Give every fault that keeps a mail from being written; none: ``build`` will write it."""
    return [
        *_check_envelope(mail),
        *_check_line(mail.subject, "subject", SUBJECT_MAX),
        *_check_subject(mail.subject),
        *_check_text(mail.text),
        *_check_headers(mail.headers),
        *_check_attachments(mail.attachments),
    ]


def build(mail: Mail) -> bytes:
    """Write a mail as the exact bytes that leave, lines ended by CRLF.

    Raises Unprocessable with all the faults of ``check``, and ValueError for a date without
    offset (a fault of the caller's code).
    """
    if mail.date.tzinfo is None:
        raise ValueError("the date of a mail knows its offset")
    faults = check(mail)
    if faults:
        raise Unprocessable(*faults)
    head = "".join(f"{name}: {value}\r\n" for name, value in _header_lines(mail)).encode("ascii")
    if not mail.attachments:
        return head + _text_part(mail.text)
    boundary = "=_" + sha256(mail.message_id.encode("ascii")).hexdigest()[:40]
    # "=_" appears neither in base64 nor in quoted-printable, so no part can hold the boundary.
    delimiter = f"\r\n--{boundary}".encode("ascii")
    parts = [_text_part(mail.text), *(_attachment_part(each) for each in mail.attachments)]
    return b"".join(
        [
            head,
            f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n'.encode("ascii"),
            *(delimiter + b"\r\n" + part for part in parts),
            delimiter + b"--\r\n",
        ]
    )


def demand_size(raw: bytes, *, recipient: str, size_max_bytes: int) -> None:
    """Refuse a written mail that its way or its recipient does not take.

    ``size_max_bytes`` is the operator's limit; a citizen's mailbox has one of its own. Raises
    TooLarge (mss.too-large).
    """
    limit = min(size_max_bytes, CITIZEN_SIZE_MAX_BYTES) if is_citizen(recipient) else size_max_bytes
    if len(raw) > limit:
        raise TooLarge(issue("mss.too-large", limit=limit))


def _header_lines(mail: Mail) -> Iterator[tuple[str, str]]:
    yield "Date", format_datetime(mail.date)
    yield "From", _mailbox(mail.sender)
    if mail.reply_to is not None:
        yield "Reply-To", mail.reply_to
    yield "To", _mailbox(mail.to)
    yield "Subject", unstructured(mail.subject)
    yield "Message-ID", mail.message_id
    if mail.receipt:
        yield "Disposition-Notification-To", mail.sender.address
    yield from mail.headers
    yield "MIME-Version", "1.0"


def _mailbox(correspondent: Correspondent) -> str:
    if not correspondent.display:
        return correspondent.address
    return f"{phrase(correspondent.display)}\r\n <{correspondent.address}>"


def _text_part(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    # The first line end tells b2a_qp which one to write for its soft breaks: always CRLF here.
    body = b2a_qp("\r\n".join([*lines, ""]).encode("utf-8"))
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + body
    )


def _attachment_part(attachment: Attachment) -> bytes:
    head = (
        f"Content-Type: {attachment.media_type};\r\n {parameter('name', attachment.name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {parameter('filename', attachment.name)}\r\n\r\n"
    )
    return head.encode("ascii") + encodebytes(attachment.content).replace(b"\n", b"\r\n")


def _check_envelope(mail: Mail) -> Iterator[Issue]:
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        yield issue("mss.message-id-invalid", "message_id")
    yield from check_address(mail.sender.address, "sender.address")
    yield from check_address(mail.to.address, "to.address")
    if mail.reply_to is not None:
        yield from check_address(mail.reply_to, "reply_to")
    yield from _check_line(mail.sender.display, "sender.display", DISPLAY_MAX)
    yield from _check_line(mail.to.display, "to.display", DISPLAY_MAX)


def _check_line(text: str, expression: str, limit: int) -> Iterator[Issue]:
    if len(text) > limit:
        yield issue("mss.text-too-long", expression, limit=limit)
    elif has_control(text):
        yield issue("mss.control-character", expression)


def _check_subject(subject: str) -> Iterator[Issue]:
    if not subject.strip():
        yield issue("mss.subject-missing", "subject")
    elif subject.strip().upper() == "[FIN]":
        yield issue("mss.subject-fin", "subject")


def _check_text(text: str) -> Iterator[Issue]:
    if len(text) > TEXT_MAX:
        yield issue("mss.text-too-long", "text", limit=TEXT_MAX)
    elif has_control(text.replace("\r\n", "\n"), allowed="\n\t"):
        yield issue("mss.control-character", "text")


def _check_headers(headers: tuple[tuple[str, str], ...]) -> Iterator[Issue]:
    if len(headers) > HEADERS_MAX:
        yield issue("mss.header-not-allowed", "headers")
        return
    names: set[str] = set()
    for place, (name, value) in enumerate(headers):
        where = f"headers[{place}]"
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED | names:
            yield issue("mss.header-not-allowed", where)
        names.add(name.lower())
        if len(value) > HEADER_VALUE_MAX:
            yield issue("mss.text-too-long", where, limit=HEADER_VALUE_MAX)
        elif not value.strip() or not value.isascii() or has_control(value):
            yield issue("mss.control-character", where)


def _check_attachments(attachments: tuple[Attachment, ...]) -> Iterator[Issue]:
    if len(attachments) > ATTACHMENTS_MAX:
        yield issue("mss.too-many-attachments", "attachments", limit=ATTACHMENTS_MAX)
        return
    for place, attachment in enumerate(attachments):
        if not _is_file_name(attachment.name):
            yield issue("mss.attachment-name", f"attachments[{place}].name")
        if not _MEDIA_TYPE.fullmatch(attachment.media_type):
            yield issue("mss.attachment-media-type", f"attachments[{place}].media_type")


def _is_file_name(name: str) -> bool:
    return (
        bool(name)
        and not has_control(name)  # first: a lone surrogate cannot be encoded
        and len(name.encode("utf-8")) <= NAME_MAX_BYTES
        and not _PATH_CHARACTERS & set(name)
        and name.strip(". ") == name == name.strip()  # readers leave such edges away
    )
