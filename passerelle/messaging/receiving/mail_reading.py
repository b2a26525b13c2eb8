"""Reading a mail from anybody, within limits: headers as text, parts as a small tree.

https://www.rfc-editor.org/rfc/rfc2046#section-5.1 . The standard parser does the work; it takes
time in proportion to depth times lines and memory to the number of parts, so that both are
bounded before it starts.
"""

import re
from dataclasses import dataclass, field
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser

READ_MAX_BYTES = 262_144
"""Receipts are small, and what they tell comes first: the rest of the bytes is not looked at."""

CONTAINERS_MAX = 16
PARTS_MAX = 500
GROUPS_MAX = 100
HEADER_MAX = 4_000

_CONTAINER = re.compile(rb"(?:\A|[\r\n])content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_CONTENT_TYPE = re.compile(
    rb"(?:\A|[\r\n])content-type:[^\r\n]*(?:[\r\n]+[ \t][^\r\n]*)*", re.IGNORECASE
)
_DELIMITER = re.compile(rb"[\r\n]--")
_FIELD_LINE = re.compile(r"([!-9;-~]{1,76}):[ \t]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail: its type, its headers by lower-case name (the first of each)."""

    media_type: str
    headers: dict[str, str] = field(repr=False)
    parts: tuple["Part", ...] = ()
    text: str = field(default="", repr=False)

    def header(self, name: str) -> str:
        """Give a header, unfolded and decoded, or an empty text."""
        return self.headers.get(name, "")

    def fields(self) -> list[dict[str, str]]:
        """Read the body as groups of fields (delivery status, disposition notification)."""
        groups = re.split(r"\n[ \t]*\n", self.text.replace("\r\n", "\n").strip("\n"))
        read = [_fields(group) for group in groups[:GROUPS_MAX]]
        return [group for group in read if group]

    def enclosed_header(self, name: str) -> str:
        """Give a header of the mail that this part encloses, whole or by its headers only."""
        if self.parts:
            return self.parts[0].header(name)
        return (self.fields() or [{}])[0].get(name, "")


def parse(raw: bytes) -> Part | None:
    """Read the beginning of a mail; None when it goes past a limit or is no mail. Never raises."""
    head = raw[:READ_MAX_BYTES]
    if not _is_within_limits(head):
        return None
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(head)
        mail = _part(message)
    except Exception:  # the standard parser promises not to raise and does, on bytes made for it
        return None
    return mail if mail.header("from") or mail.header("message-id") else None


def _is_within_limits(head: bytes) -> bool:
    """Tell whether the standard parser will be through in good time."""
    return (
        len(_CONTAINER.findall(head)) <= CONTAINERS_MAX
        and len(_DELIMITER.findall(head)) <= PARTS_MAX
        # Its reading of quoted parameters takes the square of their length.
        and all(len(found.group()) <= HEADER_MAX for found in _CONTENT_TYPE.finditer(head))
    )


def _part(message: "Message[str, str]") -> Part:
    media_type = message.get_content_type()
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), _decoded(str(value)))
    if media_type in ("message/delivery-status", "message/disposition-notification"):
        return Part(media_type, headers, text=_report_text(message))
    payload = message.get_payload()
    if isinstance(payload, list):
        inner = tuple(_part(each) for each in payload if isinstance(each, Message))
        return Part(media_type, headers, inner)
    return Part(media_type, headers, text=_text(message) if media_type.startswith("text/") else "")


def _report_text(message: "Message[str, str]") -> str:
    """Give the fields of a report, which the standard parser has read as enclosed mails."""
    payload = message.get_payload()
    if not isinstance(payload, list):
        return _text(message)
    encoding = str(message.get("content-transfer-encoding", "")).strip().lower()
    groups = []
    for inner in payload[:GROUPS_MAX]:
        if not isinstance(inner, Message):
            continue
        lines = [f"{name}: {value}" for name, value in inner.raw_items()]
        groups.append("\n".join(lines) if lines else str(inner.get_payload()))
    text = "\n\n".join(groups)
    if encoding in ("base64", "quoted-printable"):  # not allowed here, and seen all the same
        whole: Message[str, str] = Message()
        whole["content-transfer-encoding"] = encoding
        whole.set_payload(text)
        return _text(whole)
    return _utf8(text)


def _text(message: "Message[str, str]") -> str:
    content = message.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _fields(group: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", group).split("\n"):
        found = _FIELD_LINE.match(line)
        if found:
            fields.setdefault(found.group(1).lower(), _decoded(found.group(2)))
    return fields


def _decoded(value: str) -> str:
    """Unfold a header and decode its encoded words, as far as that goes."""
    value = _utf8(re.sub(r"\r?\n[ \t]*", " ", value[:HEADER_MAX])).strip()
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "utf-8", "replace")
            for piece, charset in pieces
        )
    except (LookupError, ValueError):  # an unknown charset, or base64 that is none
        return value


def _utf8(text: str) -> str:
    """Read again as UTF-8 what the parser kept as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
