"""The job that sends one message: bytes frozen first, then one SMTP dialogue, then its outcome.

Whatever stops the process between two of these steps, the same bytes with the same Message-ID are
what is sent next (reliability: nothing lost, any copy identical). RFC 5321 section 4.2.

The policy is asked again at every attempt. The identity decides what the bytes say when they are
frozen; from then on they stay, and when the identity would no longer let them leave they do not:
the sending fails, and is asked for again by a person.
"""

import asyncio
import contextlib
import hashlib

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission import configured, demand_still
from passerelle.dossiers.mailing.transmission_content import message_bytes
from passerelle.dossiers.mailing.transmission_order import Order, parse
from passerelle.dossiers.mailing.transmission_record import (
    communication_of,
    message_kept,
    record,
    state_of_message,
)
from passerelle.dossiers.mailing.transmission_states import State
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Conflict, PasserelleError, Unavailable, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.resource import Key
from passerelle.messaging.sending import smtp
from passerelle.messaging.sending.mail import demand_size
from passerelle.messaging.sending.smtp_replies import (
    SendDeferred,
    SendFault,
    SendRefused,
    SendUncertain,
)
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Stale, Unit
from passerelle.store.outbox import Job, JobEnd, Message, MessageChange, NewMessage

TO_SEND: tuple[State, ...] = ("queued", "sending", "uncertain")
"""States from which a message is sent; in any other one it has arrived, or is not to."""

TELLS_INS = b"\r\nX-MSS-INS: O\r\n"

WHY = {
    "refused": "sending.failed-refused",
    "quota": "sending.failed-quota",
    "uncertain": "sending.failed-uncertain",
    "temporary": "sending.failed-temporary",
    "connection": "sending.failed-connection",
    "tls": "sending.failed-tls",
    "authentication": "sending.failed-authentication",
    "service": "sending.failed-service",
    "protocol": "sending.failed-protocol",
}
"""The rule that tells people why a message was not taken in the end."""


async def send_job(gateway: Gateway, job: Job) -> None:
    """See one ``mss.send`` job through: its Communication says afterwards what became of it.

    Raises Stale when another worker holds the job meanwhile, Unavailable when the record is away,
    and what a fault of ours raises, but for the last attempt: the sending has failed then.
    """
    if gateway.pace.is_spent(job.attempts):  # workers died of it, attempt after attempt
        await _failed(gateway, job, key_of(job.subject), SendUncertain())
        return
    try:
        await _send(gateway, job)
    except Stale:
        raise
    except Exception as fault:
        if gateway.pace.due_again(gateway.clock(), job.attempts) is not None:
            raise
        said = isinstance(fault, PasserelleError)
        code = str(fault) if said else f"fault.{type(fault).__name__}"
        end = JobEnd(job.id, job.holder, "dead", error=code)
        await record(gateway, key_of(job.subject), "failed", code, job_end=end)


async def _send(gateway: Gateway, job: Job) -> None:
    mail = configured(gateway)
    key, order = key_of(job.subject), parse(job.payload)
    kept = await message_kept(gateway.store, key)
    if state_of_message(kept) not in TO_SEND:
        await gateway.store.commit(Unit(job_ends=(_end(job, "done"),)), SYSTEM)
        return
    if await communication_of(gateway, key) is None:
        await _withdraw(gateway, job, kept)
        return
    try:
        matricule = await demand_still(gateway, mail, order)
        frozen = kept or await _freeze(gateway, mail, key, order)
        raw = await _bytes(gateway, frozen.sha256)
        if matricule is None and TELLS_INS in raw.partition(b"\r\n\r\n")[0] + b"\r\n":
            raise Unprocessable(issue("sending.identity-changed", "Patient.identifier"))
    except Unavailable:
        raise
    except PasserelleError as refusal:
        why = refusal.issues[0] if refusal.issues else None
        end = _end(job, "dead", refusal)
        await record(gateway, key, "failed", str(refusal), why=why, job_end=end)
        return
    await _dialogue(gateway, mail, job, key, frozen, raw)


async def _withdraw(gateway: Gateway, job: Job, kept: Message | None) -> None:
    """End the job of a sending whose Communication was deleted: that is how it is withdrawn."""
    changes = () if kept is None else (MessageChange(kept.id, "cancelled"),)
    unit = Unit(job_ends=(_end(job, "done"),), message_changes=changes)
    await gateway.store.commit(unit, SYSTEM)


async def _dialogue(
    gateway: Gateway, mail: SecureMail, job: Job, key: Key, frozen: Message, raw: bytes
) -> None:
    """Hold the SMTP dialogue and write its outcome together with the end of the job."""
    await record(gateway, key, "sending", None)
    try:
        async with asyncio.timeout(gateway.pace.step_seconds):
            sent = await smtp.send(mail.account, raw, recipient=frozen.place, envelope_id=key.id)
    except asyncio.CancelledError:  # told to stop: the bytes may have left
        await _released(gateway, job, key)
        raise
    except TimeoutError:
        await _again(gateway, job, key, SendUncertain())
    except SendRefused as refused:
        if refused.permanent:
            await _failed(gateway, job, key, refused)
        else:
            await _again(gateway, job, key, refused)
    except (SendUncertain, SendDeferred) as fault:
        await _again(gateway, job, key, fault)
    else:
        await _sent(gateway, job, key, str(sent.code))


async def _sent(gateway: Gateway, job: Job, key: Key, code: str) -> None:
    """Write that the operator has taken the message, were the job another's by now."""
    try:
        await record(gateway, key, "sent", code, job_end=_end(job, "done"))
    except Stale:
        await record(gateway, key, "sent", code)
        raise


async def _again(gateway: Gateway, job: Job, key: Key, fault: SendFault) -> None:
    """Let the job wait for its next try, or fail the sending after the last one."""
    bounded = isinstance(fault, SendDeferred) and fault.bounded
    due = gateway.pace.due_again(gateway.clock(), job.attempts, bounded=bounded)
    if due is None:
        await _failed(gateway, job, key, fault)
        return
    state: State = "uncertain" if isinstance(fault, SendUncertain) else "sending"
    end = JobEnd(job.id, job.holder, "waiting", due, str(fault))
    await record(gateway, key, state, str(fault), job_end=end)


async def _failed(gateway: Gateway, job: Job, key: Key, fault: SendFault) -> None:
    why = issue(WHY[_kind(fault)], "Communication.recipient[0]")
    end = _end(job, "dead", fault)
    await record(gateway, key, "failed", str(fault), why=why, job_end=end)


def _kind(fault: SendFault) -> str:
    """Name why a message was not taken, as the table of rules above does."""
    if isinstance(fault, SendDeferred):
        return fault.reason
    if isinstance(fault, SendRefused):
        return "refused" if fault.permanent else "quota"
    return "uncertain"


async def _released(gateway: Gateway, job: Job, key: Key) -> None:
    """Give a job back at once: another worker sends the same bytes again."""
    end = JobEnd(job.id, job.holder, "waiting", gateway.clock(), "stopped")
    with contextlib.suppress(Stale, PasserelleError):
        await record(gateway, key, "uncertain", "stopped", job_end=end)


async def _freeze(gateway: Gateway, mail: SecureMail, key: Key, order: Order) -> Message:
    """Build the message of an order and keep its bytes, before any of them leaves."""
    raw = await message_bytes(Repository(gateway, SYSTEM), mail, order)
    demand_size(raw, recipient=order.recipient, size_max_bytes=mail.account.size_max_bytes)
    new = NewMessage(
        direction="out",
        kind="mail",
        account=mail.account.address,
        identifier=order.message_id,
        place=order.recipient,
        sha256=hashlib.sha256(raw).hexdigest(),
        state="frozen",
        subject=str(key),
    )
    with contextlib.suppress(Conflict):  # another worker froze it first: its bytes count
        await gateway.store.commit(Unit(messages=(new,), blobs=(raw,)), SYSTEM)
    frozen = await message_kept(gateway.store, key)
    assert frozen is not None  # committed here or by another
    return frozen


async def _bytes(gateway: Gateway, sha256: str) -> bytes:
    return b"".join([part async for part in gateway.store.blob(sha256)])


def key_of(subject: str) -> Key:
    """Read ``Communication/1``."""
    type_, _, id_ = subject.partition("/")
    return Key(type_, id_)


def _end(job: Job, state: str, fault: Exception | None = None) -> JobEnd:
    assert state in ("done", "dead")
    return JobEnd(
        job.id,
        job.holder,
        "done" if state == "done" else "dead",
        error=None if fault is None else str(fault),
    )
