"""What a mail that comes back says: delivered, read, integrated, refused; or nothing of that.

DSN: https://www.rfc-editor.org/rfc/rfc3464 ; MDN: https://www.rfc-editor.org/rfc/rfc8098 ;
automatic replies: https://www.rfc-editor.org/rfc/rfc3834 ; failures of integration: ANS, volet
"transmission de documents CDA par courriel MSS" (``processed/Error: <code>^<libellé>``, subject
``[KO Intégration système !][<code>] …``).

Anybody may write to a mailbox, so nothing here is believed: it says what the mail claims. The
caller moves a state only for a Message-ID of its own and a recipient that it wrote to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from passerelle.messaging.addresses import addr_spec
from passerelle.messaging.receiving.mail_reading import Part, parse
from passerelle.messaging.sending.subject import read_subject

Kind: TypeAlias = Literal["mdn", "dsn", "ko", "automatic", "ordinary", "unreadable"]
Outcome: TypeAlias = Literal["relayed", "delivered", "read", "failed"]

LABEL_MAX = 200
MESSAGE_ID_MAX = 250

OUTCOMES: dict[tuple[str, str], Outcome] = {
    ("dsn", "delivered"): "delivered",
    ("dsn", "relayed"): "relayed",
    ("dsn", "expanded"): "delivered",
    ("dsn", "failed"): "failed",
    ("mdn", "displayed"): "read",
    ("mdn", "processed"): "read",
    ("mdn", "dispatched"): "delivered",
    ("mdn", "deleted"): "delivered",  # it may or may not have been seen
    ("mdn", "denied"): "delivered",
    ("mdn", "failed"): "failed",
}
"""What becomes of a transmission, by kind and event; a delay changes nothing."""

_GRAVITY = ("delivered", "expanded", "relayed", "delayed", "failed")
_DISPOSITIONS = {event for kind, event in OUTCOMES if kind == "mdn"}
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ERROR = re.compile(r"error\b\s*:?(.*)", re.IGNORECASE | re.DOTALL)
_CODE_AND_LABEL = re.compile(r"\s*(?:(\d{3})\b\s*\^?)?(.*)", re.DOTALL)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|non remis|mail delivery failed|delivery status notification \(fail"
    r"|returned to sender|failure notice|échec de (?:la )?remise",
    re.IGNORECASE,
)
_ROBOTS = {"mailer-daemon", "postmaster"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one mail claims about another.

    ``event``: the disposition (MDN) or action (DSN). ``status``: RFC 3463. ``code`` and
    ``label``: the business error (900 to 906). ``original_message_id`` and ``envelope_id`` say
    which mail it is about. Addresses and the label do not show in the repr.
    """

    kind: Kind
    event: str | None = None
    refused: bool = False
    status: str | None = None
    code: str | None = None
    label: str | None = field(default=None, repr=False)
    original_message_id: str | None = None
    envelope_id: str | None = None
    final_recipient: str | None = field(default=None, repr=False)
    sender: str | None = field(default=None, repr=False)
    message_id: str | None = None

    @property
    def outcome(self) -> Outcome | None:
        """Say what becomes of the transmission, or None when the mail does not tell."""
        if self.refused:
            return "failed"
        return OUTCOMES.get((self.kind, self.event or ""))


def read(raw: bytes) -> Receipt:
    """Read a mail as a receipt; costs some milliseconds, so call it in a thread.

    Never raises, whatever the bytes: what cannot be understood, or goes past the limits on
    size, parts or depth, is ``unreadable``.
    """
    mail = parse(raw)
    if mail is None:
        return Receipt("unreadable")
    for reader in (_mdn, _dsn, _ko, _plain_bounce):
        receipt = reader(mail)
        if receipt is not None:
            return receipt
    kind: Kind = "automatic" if _is_automatic(mail) else "ordinary"
    return Receipt(
        kind,
        original_message_id=_original_id(mail),
        sender=_sender(mail),
        message_id=_message_id(mail.header("message-id")),
    )


def _mdn(mail: Part) -> Receipt | None:
    report = _report(mail, "disposition-notification")
    if report is None:
        return None
    fields = report.fields()
    if not fields:
        return _unreadable(mail)
    disposition = fields[0].get("disposition", "")
    kind, _, modifier = disposition.partition(";")[2].strip().partition("/")
    event = kind.strip().lower()
    if event not in _DISPOSITIONS:
        return _unreadable(mail)
    refused, code, label = _failure(modifier, fields[0].get("error"))
    heading = read_subject(mail.header("subject"))
    return Receipt(
        "mdn",
        event,
        refused=refused or event == "failed",
        code=(code or heading.code) if refused else None,
        label=label,
        original_message_id=_message_id(fields[0].get("original-message-id", ""))
        or _original_id(mail),
        final_recipient=_typed_address(fields[0].get("final-recipient", "")),
        sender=_sender(mail),
        message_id=_message_id(mail.header("message-id")),
    )


def _failure(modifier: str, error_field: str | None) -> tuple[bool, str | None, str | None]:
    """Tell whether a disposition is a failure, and its code and label (``902^Patient inconnu``).

    They stand in the modifier (ANS) or in a field of their own (RFC 8098 section 3.2.7).
    """
    stated = _ERROR.search(modifier)
    if stated is None and error_field is None:
        return False, None, None
    text = (stated.group(1).strip() if stated else "") or error_field or ""
    found = _CODE_AND_LABEL.match(text)
    if found is None:
        return True, None, None
    return True, found.group(1), " ".join(found.group(2).split())[:LABEL_MAX].strip(" ^") or None


def _dsn(mail: Part) -> Receipt | None:
    report = _report(mail, "delivery-status")
    if report is None:
        return None
    groups = report.fields()
    recipients = [group for group in groups if group.get("action", "").lower() in _GRAVITY]
    if not recipients:
        return _unreadable(mail)
    # One recipient a mail; should a list have been expanded, the worst is what counts.
    worst = max(recipients, key=lambda group: _GRAVITY.index(group["action"].lower()))
    event = worst["action"].lower()
    status = _STATUS.search(worst.get("status", ""))
    return Receipt(
        "dsn",
        event,
        refused=event == "failed",
        status=status.group() if status else None,
        original_message_id=_original_id(mail),
        envelope_id=groups[0].get("original-envelope-id", "")[:MESSAGE_ID_MAX] or None,
        final_recipient=_typed_address(worst.get("final-recipient", "")),
        sender=_sender(mail),
        message_id=_message_id(mail.header("message-id")),
    )


def _ko(mail: Part) -> Receipt | None:
    """Read a failure of integration sent as a mail, because no MDN was asked for."""
    heading = read_subject(mail.header("subject"))
    if not heading.refused:
        return None
    return Receipt(
        "ko",
        refused=True,
        code=heading.code,
        original_message_id=_original_id(mail),
        final_recipient=_sender(mail),
        sender=_sender(mail),
        message_id=_message_id(mail.header("message-id")),
    )


def _plain_bounce(mail: Part) -> Receipt | None:
    """Read a bounce that is no DSN: a robot's mail with one of the usual subjects."""
    sender = _sender(mail) or ""
    robot = sender.partition("@")[0].lower() in _ROBOTS or mail.header("return-path") == "<>"
    if not robot or not _BOUNCE_SUBJECT.search(mail.header("subject")):
        return None
    return Receipt(
        "dsn",
        "failed",
        refused=True,
        original_message_id=_original_id(mail),
        sender=_sender(mail),
        message_id=_message_id(mail.header("message-id")),
    )


def _is_automatic(mail: Part) -> bool:
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or mail.header("x-autoreply").lower() == "yes"
        or mail.header("precedence").lower() == "auto_reply"
        or mail.header("return-path") == "<>"
    )


def _report(mail: Part, subtype: str) -> Part | None:
    return next(
        (part for part in _own_parts(mail) if part.media_type == f"message/{subtype}"), None
    )


def _own_parts(part: Part) -> Iterator[Part]:
    """Give the parts of a mail, without those of the mails that it encloses."""
    yield part
    if part.media_type.startswith("multipart/"):
        for inner in part.parts:
            yield from _own_parts(inner)


def _original_id(mail: Part) -> str | None:
    """Find which mail is answered: the enclosed one, else what the headers refer to."""
    for part in _own_parts(mail):
        if part is not mail and part.media_type in ("message/rfc822", "text/rfc822-headers"):
            found = _message_id(part.enclosed_header("message-id"))
            if found:
                return found
    references = _MESSAGE_ID.findall(mail.header("references"))
    return _message_id(mail.header("in-reply-to")) or (references[-1] if references else None)


def _message_id(text: str) -> str | None:
    found = _MESSAGE_ID.search(text)
    if found:
        return found.group()
    bare = text.strip()
    return f"<{bare}>" if _MESSAGE_ID.fullmatch(f"<{bare}>") and "@" in bare else None


def _typed_address(text: str) -> str | None:
    """Read ``rfc822; name@domain``."""
    return addr_spec(text.rpartition(";")[2].strip().strip("<>"))


def _sender(mail: Part) -> str | None:
    """Give the author's address, if From holds one and one only."""
    author = mail.header("from")
    bracketed = re.findall(r"<([^<>]*)>", author)
    if len(bracketed) > 1:
        return None
    return addr_spec((bracketed[0] if bracketed else author).strip())


def _unreadable(mail: Part) -> Receipt:
    return Receipt("unreadable", message_id=_message_id(mail.header("message-id")))
