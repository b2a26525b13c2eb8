"""Mail comes in: raw bytes kept first, then read, then settled; receipts move what they answer.

Nothing of a mail is believed: a receipt counts only for a Message-ID of ours and from (or for)
the recipient that we wrote to. A mail fetched twice is kept once, and none keeps the others from
being settled.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission_record import record
from passerelle.dossiers.mailing.transmission_sending import key_of
from passerelle.errors.refusals import Conflict, PasserelleError, Unavailable
from passerelle.messaging.addresses import domain_of, same_mailbox
from passerelle.messaging.receiving.imap import (
    FETCH_MAX,
    SIZE_MAX_BYTES,
    Fetched,
    MailboxUnavailable,
    Position,
    fetch_new,
    mark_seen,
)
from passerelle.messaging.receiving.receipts import Receipt, read
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Stale, Unit
from passerelle.store.outbox import Message, MessageChange, NewMessage

SETTLED_AT_ONCE = 100
log = structlog.get_logger("mail")


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit of the mailbox did, and how far it has been read by now."""

    fetched: int
    kept: int
    settled: int
    position: Position | None


async def visit(
    gateway: Gateway,
    mail: SecureMail,
    after: Position | None = None,
    *,
    size_max_bytes: int = SIZE_MAX_BYTES,
) -> Visit:
    """Fetch what is new, keep it, settle all that waits.

    ``after`` is the position of the visit before; without it, that of the newest mail kept. A
    mailbox whose numbers began anew is read from the start, and what is known is not kept again.
    Raises MailboxUnavailable, or Unavailable when the record is away; what was kept stays.
    """
    after = after or await _position(gateway, mail)
    fetched = await fetch_new(mail.account, after=after, size_max_bytes=size_max_bytes)
    kept = 0
    for one in fetched:
        kept += await _keep(gateway, mail, one)
        after = Position(one.uidvalidity, one.uid)
    settled = await settle_waiting(gateway)
    by_validity: dict[int, list[int]] = {}
    for one in fetched:
        by_validity.setdefault(one.uidvalidity, []).append(one.uid)
    for uidvalidity, uids in by_validity.items():
        await mark_seen(mail.account, uidvalidity, uids)
    return Visit(len(fetched), kept, settled, after)


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


async def _keep(gateway: Gateway, mail: SecureMail, fetched: Fetched) -> bool:
    """Keep the raw bytes of a mail before anything else is done with it; tell whether it is new.

    Its content says which mail it is: a restored mailbox numbers its mails anew. One too large to
    be read is known by its place only.
    """
    raw = fetched.raw or b""
    place = f"{fetched.uidvalidity}/{fetched.uid}"
    sha256 = hashlib.sha256(raw).hexdigest()
    large = fetched.raw is None
    identifier = f"too-large:{place}:{fetched.size}" if large else sha256
    known = await gateway.store.messages(direction="in", identifier=identifier)
    if any(message.account == mail.account.address for message in known):
        return False
    new = NewMessage(
        direction="in",
        kind="mail",
        account=mail.account.address,
        identifier=identifier,
        place=place,
        sha256=sha256,
        state="aside" if large else "kept",
        reason="mss.mail-too-large" if large else None,
    )
    try:
        await gateway.store.commit(Unit(messages=(new,), blobs=(raw,)), SYSTEM)
    except Conflict:
        return False  # another process kept it meanwhile
    return True


async def _settle(gateway: Gateway, message: Message) -> None:
    raw = b"".join([part async for part in gateway.store.blob(message.sha256)])
    receipt = await asyncio.to_thread(read, raw)
    if receipt.kind in ("ordinary", "automatic"):
        await _move(gateway, MessageChange(message.id, "received", reason=f"mail.{receipt.kind}"))
        return
    if receipt.kind == "unreadable":
        await _move(gateway, MessageChange(message.id, "aside", reason="mail.unreadable"))
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
    await record(gateway, key_of(subject), receipt.outcome, code, received=settled)


async def _move(gateway: Gateway, change: MessageChange) -> None:
    await gateway.store.commit(Unit(message_changes=(change,)), SYSTEM)


async def _sent(gateway: Gateway, receipt: Receipt) -> str | None:
    """Give the Communication that a receipt is about, if it is one of ours to that recipient.

    By the Message-ID that it answers, else by the envelope id that delivery reports give back.
    What was frozen tells, before the sending is even known to be done; not the Communication.
    """
    found: Sequence[Message] = ()
    if receipt.original_message_id is not None:
        identifier = receipt.original_message_id
        found = await gateway.store.messages(direction="out", identifier=identifier, limit=2)
    elif receipt.envelope_id is not None:
        subject = f"Communication/{receipt.envelope_id}"
        found = await gateway.store.messages(direction="out", subject=subject, limit=2)
    if len(found) != 1 or not _may_speak(receipt, found[0].place):
        return None
    return found[0].subject


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
        position: Position | None = None
        while not self._stopping.is_set():
            try:
                visited = await visit(self.gateway, self.mail, position)
                position = visited.position
                if visited.fetched >= FETCH_MAX or visited.settled >= SETTLED_AT_ONCE:
                    continue  # there is more
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
