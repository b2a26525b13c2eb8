"""The job that sends one message: bytes frozen first, then one SMTP dialogue, then its outcome.

Whatever stops the process between two of these steps, the same bytes with the same Message-ID are
what is sent next (reliability: nothing lost, any copy identical). RFC 5321 section 4.2.
"""

import asyncio
import contextlib
import hashlib

from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.secure_mail import SecureMail
from passerelle.dossiers.mailing.transmission import MESSAGE_ID_SYSTEM, configured, demand_still
from passerelle.dossiers.mailing.transmission_content import message_bytes
from passerelle.dossiers.mailing.transmission_states import State, advance, state_of
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import (
    Conflict,
    Gone,
    NotFound,
    PasserelleError,
    PreconditionFailed,
    Unavailable,
)
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.messaging.sending import smtp
from passerelle.messaging.sending.mail import demand_size
from passerelle.messaging.sending.smtp_replies import (
    SendDeferred,
    SendFault,
    SendRefused,
    SendUncertain,
)
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import (
    Job,
    JobEnd,
    Message,
    MessageChange,
    NewMessage,
    Put,
    Stale,
    Unit,
    Version,
)

TO_SEND: tuple[State, ...] = ("queued", "sending", "uncertain")
"""States from which a message is sent; in any other one it has arrived, or is not to."""


async def send_job(gateway: Gateway, job: Job) -> None:
    """See one ``mss.send`` job through: its Communication says afterwards what became of it.

    Raises Stale when another worker holds the job meanwhile, Unavailable when the record is away,
    and what a fault of ours raises, but for the last attempt: the sending has failed then.
    """
    try:
        await _send(gateway, job)
    except (Stale, Unavailable):
        raise
    except Exception as fault:
        if gateway.pace.due_again(gateway.clock(), job.attempts) is not None:
            raise
        code = f"fault.{type(fault).__name__}"
        end = JobEnd(job.id, job.holder, "dead", error=code)
        await record(gateway, key_of(job.subject), "failed", code, job_end=end)


async def _send(gateway: Gateway, job: Job) -> None:
    mail = configured(gateway)
    key = key_of(job.subject)
    try:
        communication = await _communication(gateway, key)
    except (NotFound, Gone):
        await gateway.store.commit(Unit(job_ends=(_end(job, "done"),)), SYSTEM)
        return
    if state_of(communication) not in TO_SEND:
        await gateway.store.commit(Unit(job_ends=(_end(job, "done"),)), SYSTEM)
        return
    try:
        await demand_still(gateway, mail, communication)
        frozen = await _frozen(gateway, mail, key, communication)
        raw = await _bytes(gateway, frozen.sha256)
    except Unavailable:
        raise
    except PasserelleError as refusal:
        await record(gateway, key, "failed", str(refusal), job_end=_end(job, "dead", refusal))
        return
    await _dialogue(gateway, mail, job, key, frozen, raw)


async def _dialogue(
    gateway: Gateway, mail: SecureMail, job: Job, key: Key, frozen: Message, raw: bytes
) -> None:
    """Hold the SMTP dialogue and write its outcome together with the end of the job."""
    await record(gateway, key, "sending", None)
    try:
        async with asyncio.timeout(gateway.pace.step_seconds):
            sent = await smtp.send(mail.account, raw, recipient=frozen.place, envelope_id=key.id)
    except TimeoutError:
        await _again(gateway, job, key, "uncertain", SendUncertain())
    except SendRefused as refused:
        await record(gateway, key, "failed", str(refused), job_end=_end(job, "dead", refused))
    except SendUncertain as uncertain:
        await _again(gateway, job, key, "uncertain", uncertain)
    except SendDeferred as deferred:
        await _again(gateway, job, key, "sending", deferred)
    else:
        await record(
            gateway,
            key,
            "sent",
            str(sent.code),
            job_end=_end(job, "done"),
            message=MessageChange(frozen.id, "sent", str(key)),
        )


async def _again(gateway: Gateway, job: Job, key: Key, state: State, fault: SendFault) -> None:
    """Let the job wait for its next try, or fail the sending after the last one."""
    due = gateway.pace.due_again(gateway.clock(), job.attempts)
    if due is None:
        await record(gateway, key, "failed", str(fault), job_end=_end(job, "dead", fault))
        return
    end = JobEnd(job.id, job.holder, "waiting", due, str(fault))
    await record(gateway, key, state, str(fault), job_end=end)


async def record(
    gateway: Gateway,
    key: Key,
    event: State,
    code: str | None,
    *,
    job_end: JobEnd | None = None,
    message: MessageChange | None = None,
) -> None:
    """Write an event on a Communication together with what goes with it; safe among writers."""

    async def attempt() -> None:
        version, communication = await _read(gateway, key)
        changed = advance(communication, event, at=gateway.clock(), code=code)
        unit = Unit(
            writes=(Put(keeping.draft(key, changed), if_match=version.version),),
            job_ends=() if job_end is None else (job_end,),
            message_changes=() if message is None else (message,),
        )
        try:
            await gateway.store.commit(unit, SYSTEM)
        except PreconditionFailed as lost:
            raise _Moved from lost

    for _ in range(16):
        try:
            return await attempt()
        except _Moved:
            continue
    raise Stale


class _Moved(Exception):
    """The Communication was written by another meanwhile: read it again."""


async def _frozen(gateway: Gateway, mail: SecureMail, key: Key, communication: Resource) -> Message:
    """Give the frozen message of a Communication, building it the first time."""
    found = await gateway.store.messages(direction="out", subject=str(key), limit=1)
    if found:
        return found[0]
    message_id = message_id_of(communication)
    recipient = recipient_of(communication)
    repository = Repository(gateway, SYSTEM)
    raw = await message_bytes(repository, mail, communication, recipient, message_id)
    demand_size(raw, recipient=recipient, size_max_bytes=mail.account.size_max_bytes)
    sha256 = hashlib.sha256(raw).hexdigest()
    new = NewMessage(
        "out", "mail", mail.account.address, message_id, recipient, sha256, "frozen", str(key)
    )
    with contextlib.suppress(Conflict):  # another worker froze it first: its bytes count
        await gateway.store.commit(Unit(messages=(new,), blobs=(raw,)), SYSTEM)
    (frozen,) = await gateway.store.messages(direction="out", subject=str(key), limit=1)
    return frozen


async def _bytes(gateway: Gateway, sha256: str) -> bytes:
    return b"".join([part async for part in gateway.store.blob(sha256)])


async def _communication(gateway: Gateway, key: Key) -> Resource:
    return (await _read(gateway, key))[1]


async def _read(gateway: Gateway, key: Key) -> tuple[Version, Resource]:
    version = await Repository(gateway, SYSTEM).read(key)
    return version, json_text.decode(version.body or b"")


def key_of(subject: str) -> Key:
    """Read ``Communication/1``."""
    type_, _, id_ = subject.partition("/")
    return Key(type_, id_)


def message_id_of(communication: Resource) -> str:
    """Give the Message-ID that was fixed when the sending was asked for."""
    for identifier in communication["identifier"]:
        if identifier.get("system") == MESSAGE_ID_SYSTEM:
            return str(identifier["value"])
    raise KeyError(MESSAGE_ID_SYSTEM)


def recipient_of(communication: Resource) -> str:
    """Give the address that the message goes to."""
    return str(communication["recipient"][0]["identifier"]["value"])


def _end(job: Job, state: str, fault: Exception | None = None) -> JobEnd:
    assert state in ("done", "dead")
    return JobEnd(
        job.id,
        job.holder,
        "done" if state == "done" else "dead",
        error=None if fault is None else str(fault),
    )
