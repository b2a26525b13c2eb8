"""The receipts that a simulated correspondent sends back: DSN, MDN, automatic reply.

DSN: https://www.rfc-editor.org/rfc/rfc3464 ; MDN: https://www.rfc-editor.org/rfc/rfc8098 ;
failure of integration: ANS, "réponse MDN" of the volet courriel MSS (code and label after
``processed/Error:``, subject ``[KO Intégration système !][code] …``, attachments given back).
"""

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """The mail that a receipt is about, and who sends the receipt."""

    raw: bytes  # as it was handed over
    sender: str  # envelope sender: the receipt goes there
    recipient: str  # whose mailbox it is
    envelope_id: str | None = None
    original_recipient: str | None = None  # ORCPT
    full: bool = False  # RET=FULL

    def header(self, name: str) -> str:
        """Give a header of the mail, unfolded, or an empty text."""
        parsed = BytesHeaderParser(policy=policy.default).parsebytes(self.raw)
        return str(parsed.get(name, "")).replace("\r", "").replace("\n", "")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes one receipt different from the next: its id and its date."""

    message_id: str
    date: datetime


def delivery_report(origin: Origin, stamp: Stamp, *, action: str, status: str) -> bytes:
    """Write a DSN: ``action`` delivered, relayed, delayed or failed, with its status."""
    mta = origin.recipient.rpartition("@")[2]
    fields = [f"Reporting-MTA: dns; {mta}"]
    if origin.envelope_id:
        fields.append(f"Original-Envelope-Id: {origin.envelope_id}")
    fields.append("")
    if origin.original_recipient:
        fields.append(f"Original-Recipient: {origin.original_recipient}")
    fields += [
        f"Final-Recipient: rfc822; {origin.recipient}",
        f"Action: {action}",
        f"Status: {status}",
    ]
    if action == "failed":
        fields.append(f"Diagnostic-Code: smtp; 550 {status} refused after acceptance")
    subject = (
        "Undelivered Mail Returned to Sender"
        if action == "failed"
        else "Successful Mail Delivery Report"
    )
    head = _head(f"MAILER-DAEMON@{mta}", origin, stamp, subject)
    parts = [
        _text("Rapport de remise du serveur de messagerie."),
        _part("message/delivery-status", "\r\n".join(fields).encode("ascii") + b"\r\n"),
        _original(origin, full=origin.full),
    ]
    return _report(head, "delivery-status", stamp, parts)


def read_report(
    origin: Origin,
    stamp: Stamp,
    *,
    disposition: str = "manual-action/MDN-sent-manually; displayed",
    failure: tuple[str, str] | None = None,
) -> bytes:
    """Write an MDN; ``failure`` (code, label) writes one of a failed integration."""
    subject = f"Lu : {origin.header('Subject')}"
    text = "Votre message a été affiché par son destinataire."
    if failure is not None:
        code, label = failure
        subject = f"[KO Intégration système !][{code}] {origin.header('Subject')}"
        text = f"Le document n'a pas été intégré : {code} {label}"
        disposition = f"automatic-action/MDN-sent-automatically; processed/Error: {code}^{label}"
    fields = [
        f"Reporting-UA: {origin.recipient.rpartition('@')[2]}; simulation",
        f"Original-Recipient: rfc822;{origin.recipient}",
        f"Final-Recipient: rfc822;{origin.recipient}",
        f"Original-Message-ID: {origin.header('Message-ID')}",
        f"Disposition: {disposition}",
    ]
    parts = [
        _text(text),
        _part("message/disposition-notification", ("\r\n".join(fields) + "\r\n").encode("utf-8")),
        _original(origin, full=failure is not None),
    ]
    head = _head(origin.recipient, origin, stamp, subject)
    return _report(head, "disposition-notification", stamp, parts)


def automatic_reply(origin: Origin, stamp: Stamp) -> bytes:
    """Write the reply of somebody who is away (RFC 3834)."""
    reply = EmailMessage(policy=policy.SMTP)
    reply["Date"] = format_datetime(stamp.date)
    reply["From"] = origin.recipient
    reply["To"] = origin.sender
    reply["Subject"] = "Absence : votre message n'est pas encore lu"
    reply["Message-ID"] = stamp.message_id
    reply["In-Reply-To"] = origin.header("Message-ID")
    reply["Auto-Submitted"] = "auto-replied"
    reply.set_content("Je suis absent jusqu'à lundi.\n")
    return reply.as_bytes()


def _head(sender: str, origin: Origin, stamp: Stamp, subject: str) -> list[str]:
    return [
        f"Date: {format_datetime(stamp.date)}",
        f"From: <{sender}>",
        f"To: <{origin.sender}>",
        "Subject: " + Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n"),
        f"Message-ID: {stamp.message_id}",
        f"In-Reply-To: {origin.header('Message-ID')}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
    ]


def _report(head: list[str], kind: str, stamp: Stamp, parts: list[bytes]) -> bytes:
    boundary = "=_report_" + "".join(c for c in stamp.message_id if c.isalnum())[:32]
    top = [*head, f'Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"']
    opening = f"\r\n--{boundary}\r\n".encode("ascii")
    closing = f"\r\n--{boundary}--\r\n".encode("ascii")
    body = b"".join(opening + part for part in parts)
    return "\r\n".join(top).encode("utf-8") + b"\r\n" + body + closing


def _text(text: str) -> bytes:
    return _part("text/plain; charset=utf-8", text.encode("utf-8") + b"\r\n", "8bit")


def _part(media_type: str, body: bytes, encoding: str | None = None) -> bytes:
    head = f"Content-Type: {media_type}\r\n"
    if encoding:
        head += f"Content-Transfer-Encoding: {encoding}\r\n"
    return head.encode("ascii") + b"\r\n" + body


def _original(origin: Origin, *, full: bool) -> bytes:
    if full:
        return _part("message/rfc822", origin.raw)
    return _part("text/rfc822-headers", origin.raw.partition(b"\r\n\r\n")[0] + b"\r\n")
