"""Mail comes in: raw bytes kept first, then read, then settled; receipts move what they answer.

Nothing of a mail is believed: a receipt counts only for a Message-ID of ours and from (or for)
the recipient that we wrote to. A mail fetched twice is kept once, and none keeps the others from
being settled.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from urllib.parse import quote

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission import MESSAGE_ID_SYSTEM
from passerelle.dossiers.mailing.transmission_sending import key_of, recipient_of, record
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Conflict, Gone, NotFound, PasserelleError, Unavailable
from passerelle.fhir import json_text
from passerelle.fhir.search.query import parse_criteria
from passerelle.fhir.search.query_values import escape
from passerelle.messaging.addresses import domain_of, same_mailbox
from passerelle.messaging.receiving.imap import (
    Fetched,
    MailboxUnavailable,
    Position,
    fetch_new,
    mark_seen,
)
from passerelle.messaging.receiving.receipts import Receipt, read
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Message, MessageChange, NewMessage, Stale, Unit

SETTLED_AT_ONCE = 100
log = structlog.get_logger("mail")


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit of the mailbox did."""

    kept: int
    settled: int


async def visit(gateway: Gateway, mail: SecureMail) -> Visit:
    """Fetch what is new, keep it, settle all that waits.

    Raises MailboxUnavailable, or Unavailable when the record is away; what was kept stays.
    """
    fetched = await fetch_new(mail.account, after=await _position(gateway, mail))
    for one in fetched:
        await _keep(gateway, mail, one)
    settled = await settle_waiting(gateway)
    by_validity: dict[int, list[int]] = {}
    for one in fetched:
        by_validity.setdefault(one.uidvalidity, []).append(one.uid)
    for uidvalidity, uids in by_validity.items():
        await mark_seen(mail.account, uidvalidity, uids)
    return Visit(len(fetched), settled)


async def settle_waiting(gateway: Gateway) -> int:
    """Settle the mails that are kept and not yet read; give how many there were."""
    waiting = await gateway.store.messages(direction="in", state="kept", limit=SETTLED_AT_ONCE)
    for message in reversed(waiting):  # oldest first
        try:
            await _settle(gateway, message)
        except (Unavailable, Stale):
            raise
        except Exception as fault:  # this mail waits for a person, and not the others behind it
            log.error("mail.fault", fault=type(fault).__name__)
            reason = f"fault.{type(fault).__name__}"
            await _move(gateway, MessageChange(message.id, "aside", reason=reason))
    return len(waiting)


async def _position(gateway: Gateway, mail: SecureMail) -> Position | None:
    """Give how far the mailbox has been read: the newest mail kept of it."""
    for message in await gateway.store.messages(direction="in", limit=SETTLED_AT_ONCE):
        if message.account == mail.account.address:
            uidvalidity, _, uid = message.place.partition("/")
            return Position(int(uidvalidity), int(uid))
    return None


async def _keep(gateway: Gateway, mail: SecureMail, fetched: Fetched) -> None:
    """Keep the raw bytes of a mail before anything else is done with it; once."""
    raw = fetched.raw or b""
    sha256 = hashlib.sha256(raw).hexdigest()
    state, reason = ("kept", None) if fetched.raw is not None else ("aside", "mss.mail-too-large")
    new = NewMessage(
        direction="in",
        kind="mail",
        account=mail.account.address,
        identifier=sha256,
        place=f"{fetched.uidvalidity}/{fetched.uid}",
        sha256=sha256,
        state=state,
        reason=reason,
    )
    try:
        await gateway.store.commit(Unit(messages=(new,), blobs=(raw,)), SYSTEM)
    except Conflict:
        log.info("mail.known")


async def _settle(gateway: Gateway, message: Message) -> None:
    raw = b"".join([part async for part in gateway.store.blob(message.sha256)])
    receipt = await asyncio.to_thread(read, raw)
    if receipt.kind in ("ordinary", "automatic"):
        await _move(gateway, MessageChange(message.id, "received", reason=f"mail.{receipt.kind}"))
        return
    subject = await _sent(gateway, receipt)
    if subject is None:
        await _move(gateway, MessageChange(message.id, "aside", reason="mail.unknown-original"))
        return
    if receipt.outcome is None:
        await _move(gateway, MessageChange(message.id, "settled", subject))
        return
    code = receipt.code or receipt.status or receipt.event
    settled = MessageChange(message.id, "settled", subject)
    await record(gateway, key_of(subject), receipt.outcome, code, message=settled)


async def _move(gateway: Gateway, change: MessageChange) -> None:
    await gateway.store.commit(Unit(message_changes=(change,)), SYSTEM)


async def _sent(gateway: Gateway, receipt: Receipt) -> str | None:
    """Give the Communication that a receipt is about, if it is one of ours to that recipient."""
    original = receipt.original_message_id
    if original is None:
        return None
    query = parse_criteria(
        "Communication", f"identifier={MESSAGE_ID_SYSTEM}|{quote(escape(original))}"
    )
    ids = await gateway.store.matching(query, SYSTEM, limit=2)
    if len(ids) != 1:
        return None
    subject = f"Communication/{ids[0]}"
    try:
        version = await Repository(gateway, SYSTEM).read(key_of(subject))
    except (NotFound, Gone):
        return None
    recipient = recipient_of(json_text.decode(version.body or b""))
    return subject if _may_speak(receipt, recipient) else None


def _may_speak(receipt: Receipt, recipient: str) -> bool:
    """Tell whether a receipt comes from whom it should.

    A report of delivery is a robot's and names the recipient. Any other receipt is the mailbox's
    own, or names it and comes from its domain: several people may read one mailbox.
    """
    named, author = receipt.final_recipient, receipt.sender
    is_named = named is not None and same_mailbox(named, recipient)
    if receipt.kind == "dsn":
        return is_named
    if author is None:
        return False
    same_domain = domain_of(author) == domain_of(recipient)
    return same_mailbox(author, recipient) or (is_named and same_domain)


class MailReader:
    """Visits the mailbox again and again until it is told to stop."""

    def __init__(self, gateway: Gateway, mail: SecureMail) -> None:
        self.gateway = gateway
        self.mail = mail
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the visit in hand, then return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Visit at every interval; an operator or a record that is away is waited for."""
        while not self._stopping.is_set():
            try:
                await visit(self.gateway, self.mail)
            except MailboxUnavailable as unavailable:
                log.warning("mail.unavailable", reason=unavailable.reason)
            except PasserelleError as refusal:
                log.warning("mail.not-settled", rules=str(refusal))
            except Exception as fault:  # one mail must not stop the others for ever
                log.error("mail.fault", fault=type(fault).__name__)
            try:
                await asyncio.wait_for(self._stopping.wait(), self.mail.poll_seconds)
            except TimeoutError:
                continue
