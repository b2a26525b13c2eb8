"""Where the fate of a sending is written: on its message, which decides, and its Communication.

The state of the kept message is the one that counts; the Communication shows it, and is set right
at the next event when somebody wrote another one on it. Réf. #2 MSSanté ECO.4.1.1 (traces).
"""

from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.transmission_states import NEXT, State, advance, after
from passerelle.dossiers.repository import Repository
from passerelle.errors.refusals import Gone, Issue, NotFound, PreconditionFailed
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Put, Stale, Store, Unit
from passerelle.store.outbox import JobEnd, Message, MessageChange

TRIES = 16


async def record(
    gateway: Gateway,
    key: Key,
    event: State,
    code: str | None,
    *,
    why: Issue | None = None,
    job_end: JobEnd | None = None,
    received: MessageChange | None = None,
) -> None:
    """Write an event on a sending together with what goes with it; safe among writers.

    A Communication that was deleted meanwhile keeps nothing from being written. Raises Stale when
    the job is another's, or others write all the time.
    """
    for _ in range(TRIES):
        unit = await _unit(gateway, key, event, code, why)
        ends = () if job_end is None else (job_end,)
        changes = unit.message_changes + (() if received is None else (received,))
        whole = Unit(writes=unit.writes, job_ends=ends, message_changes=changes)
        try:
            await gateway.store.commit(whole, SYSTEM)
        except PreconditionFailed:
            continue  # written by another meanwhile: read it again
        return
    raise Stale


async def message_kept(store: Store, key: Key) -> Message | None:
    """Give the frozen message of a sending, or None while there is none."""
    found = await store.messages(direction="out", subject=str(key), limit=1)
    return found[0] if found else None


async def state_kept(store: Store, key: Key) -> State:
    """Give the state of a sending, from its message: queued while there is none."""
    return state_of_message(await message_kept(store, key))


def state_of_message(message: Message | None) -> State:
    """Give the state that a kept message stands for; one just frozen is queued."""
    for state in NEXT:
        if message is not None and message.state == state:
            return state
    return "queued"


async def communication_of(gateway: Gateway, key: Key) -> tuple[int, Resource] | None:
    """Give version and body of a Communication, or None when it is not there any more."""
    try:
        version = await Repository(gateway, SYSTEM).read(key)
    except (NotFound, Gone):
        return None
    return version.version, json_text.decode(version.body or b"")


async def _unit(
    gateway: Gateway, key: Key, event: State, code: str | None, why: Issue | None
) -> Unit:
    # The Communication first: when another moves the message after, its version has moved too.
    found = await communication_of(gateway, key)
    message = await message_kept(gateway.store, key)
    before = state_of_message(message)
    changes: tuple[MessageChange, ...] = ()
    if message is not None and after(before, event) != before:
        changes = (MessageChange(message.id, after(before, event)),)
    if found is None:
        return Unit(message_changes=changes)
    version, communication = found
    changed = advance(communication, event, at=gateway.clock(), code=code, before=before, why=why)
    draft = keeping.draft(key, changed, registry=gateway.store.parameters.registry)
    return Unit(writes=(Put(draft, if_match=version),), message_changes=changes)
