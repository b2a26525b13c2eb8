"""What others do meanwhile: clients that write on a Communication, workers that stop or collide."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing import transmission
from passerelle.dossiers.mailing.transmission_sending import send_job
from passerelle.dossiers.mailing.transmission_states import STATE_URL, history_of, state_of
from passerelle.dossiers.pace import SECOND, Pace
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.worker import Worker
from passerelle.fhir.resource import Key
from passerelle.ins.patient_identity import RELIABILITY
from passerelle.messaging.white_list import parse
from passerelle.simulation.operator import Operator
from passerelle.simulation.smtp_server import Accepted
from passerelle.store.caller import SYSTEM
from tests.databases import Clock
from tests.dossiers.test_sending_and_receipts import (
    DOCTOR,
    GATEWAY,
    PASSWORD,
    asked,
    read,
    with_mail,
    worker,
)

pytestmark = pytest.mark.anyio
STRANGER = "inconnu@ailleurs.example"
NUMBER = "279035121518989"


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        for address in (GATEWAY, DOCTOR, STRANGER):
            running.create(address, PASSWORD)
        yield running


async def write(gateway: Gateway, key: Key, **changes: Any) -> None:
    """Write on a resource as any client may."""
    body = await read(gateway, key) | changes
    kept = {name: value for name, value in body.items() if value is not None}
    await Repository(gateway, SYSTEM).update(key, kept)


def forged(state: str) -> list[dict[str, str]]:
    return [{"url": STATE_URL, "valueCode": state}]


@pytest.mark.parametrize("state", ["read", "failed", "cancelled", "delivered", None])
async def test_a_state_written_by_hand_loses_no_mail(
    gateway: Gateway, operator: Operator, state: str | None
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    await write(mailing, sending, extension=forged(state) if state else None)
    assert (await asked(mailing))[1] == sending
    await worker(mailing).step()
    assert len(operator.accepted) == 1
    assert state_of(await read(mailing, sending)) == "sent"


async def test_a_recipient_written_by_hand_gets_nothing(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    address = {"system": transmission.ADDRESS_SYSTEM, "value": STRANGER}
    await write(
        mailing,
        sending,
        recipient=[{"identifier": address}],
        about=None,
        payload=None,
        identifier=None,
    )
    await worker(mailing).step()
    assert [mail.recipient for mail in operator.accepted] == [DOCTOR]


async def test_a_sending_that_failed_and_is_written_queued_by_hand_is_sent_when_asked_again(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    operator.faults.refuse_data = 1
    await worker(mailing).step()
    communication = await read(mailing, sending)
    assert communication["statusReason"]["coding"][0]["code"] == "sending.failed-refused"
    await write(mailing, sending, extension=forged("queued"))
    _, again = await asked(mailing)
    assert again != sending
    await worker(mailing).step()
    assert state_of(await read(mailing, again)) == "sent"


async def test_a_communication_made_by_hand_does_not_stand_for_a_sending(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    copy = await read(mailing, sending) | {"id": "copy"}
    await Repository(mailing, SYSTEM).delete(sending)
    await Repository(mailing, SYSTEM).update(Key("Communication", "copy"), copy)
    _, again = await asked(mailing)
    assert again.id not in ("copy", sending.id)


async def test_deleting_its_communication_withdraws_a_sending(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    await Repository(mailing, SYSTEM).delete(sending)
    await worker(mailing).step()
    assert not operator.accepted
    (job,) = await mailing.store.jobs(str(sending))
    assert job["state"] == "done"


async def test_a_full_mailbox_is_tried_again_and_told_in_the_end(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(replace(gateway, pace=Pace(retry_seconds=(60.0, 60.0))), operator)
    _, sending = await asked(mailing)
    mailbox = operator.mailbox(DOCTOR)
    mailbox.size_max_bytes = 10
    for _ in range(2):
        await worker(mailing).step()
        assert state_of(await read(mailing, sending)) == "sending"
        clock.now += 60 * SECOND
    await worker(mailing).step()
    communication = await read(mailing, sending)
    assert state_of(communication) == "failed"
    assert communication["statusReason"]["coding"][0]["code"] == "sending.failed-quota"


async def test_a_wrong_password_is_not_tried_as_long_as_a_server_that_is_away(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    pace = Pace(retry_seconds=(60.0,) * 9, bounded_seconds=100.0)
    mailing, mail = with_mail(replace(gateway, pace=pace), operator)
    _, sending = await asked(mailing)
    account = replace(mail.account, password="faux")
    wrong = replace(mailing, mail=replace(mail, account=account))
    for _ in range(5):
        await worker(wrong).step()
        clock.now += 60 * SECOND
    communication = await read(mailing, sending)
    assert communication["statusReason"]["coding"][0]["code"] == "sending.failed-authentication"
    assert [event for event, _, _ in history_of(communication)].count("failed") == 1


async def test_a_worker_that_stops_within_the_data_leaves_the_same_bytes_to_the_next(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    taken, deliver = asyncio.Event(), operator._submission._deliver

    def tell(accepted: Accepted) -> None:
        deliver(accepted)
        taken.set()

    operator._submission._deliver = tell
    operator.faults.delay_seconds = 3_600.0
    first = Worker(mailing, {transmission.JOB_KIND: send_job}, "first", grace_seconds=0.0)
    running = asyncio.create_task(first.run())
    await asyncio.wait_for(taken.wait(), 30)
    first.stop()
    await asyncio.wait_for(running, 30)
    assert state_of(await read(mailing, sending)) == "uncertain"
    operator.faults.delay_seconds = 0.0
    await worker(mailing).step()
    one, other = operator.accepted
    assert one.raw == other.raw
    assert state_of(await read(mailing, sending)) == "sent"


async def test_two_workers_on_one_job_lose_nothing(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    until = clock.now + 1
    claim = mailing.store.claim_jobs
    kinds = (transmission.JOB_KIND,)
    (one,) = await claim(kinds, holder="one", now=clock.now, lease_until=until, limit=1)
    clock.now += 60 * SECOND
    (two,) = await claim(kinds, holder="two", now=clock.now, lease_until=clock.now * 2, limit=1)
    done = await asyncio.gather(
        send_job(mailing, one), send_job(mailing, two), return_exceptions=True
    )
    assert [type(outcome).__name__ for outcome in done] == ["Stale", "NoneType"]
    assert len({mail.raw for mail in operator.accepted}) == 1
    assert state_of(await read(mailing, sending)) == "sent"
    (job,) = await mailing.store.jobs(str(sending))
    assert job["state"] == "done"


async def test_a_domain_taken_off_the_white_list_meanwhile_gets_nothing(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    listed = operator.white_list().replace(b"demo.mssante.fr", b"autre.mssante.fr")
    without = replace(mailing, mail=replace(mail, white_list=lambda: parse(listed)))
    await worker(without).step()
    assert not operator.accepted
    communication = await read(mailing, sending)
    assert communication["statusReason"]["text"] == "mss.recipient-not-listed"


def provisional(patient: dict[str, Any]) -> list[dict[str, Any]]:
    coded = {"url": "identityStatus", "valueCoding": {"code": "PROV"}}
    others = [e for e in patient["extension"] if e["url"] != RELIABILITY]
    return [*others, {"url": RELIABILITY, "extension": [coded]}]


async def downgrade(gateway: Gateway, document: Key) -> None:
    reference = (await read(gateway, document))["subject"]["reference"]
    key = Key("Patient", reference.partition("/")[2])
    await write(gateway, key, extension=provisional(await read(gateway, key)))


async def test_an_identity_downgraded_before_the_message_is_built_leaves_without_matricule(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, _ = await asked(mailing)
    await downgrade(mailing, document)
    await worker(mailing).step()
    (accepted,) = operator.accepted
    assert message_from_bytes(accepted.raw, policy=policy.default)["X-MSS-INS"] == "N"
    for part in (accepted.raw, *decoded(accepted.raw)):
        assert NUMBER[:13].encode() not in part


def decoded(raw: bytes) -> list[bytes]:
    """Give every part of a mail decoded, and every member of its archive."""
    found: list[bytes] = []
    for part in message_from_bytes(raw, policy=policy.default).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found.append(content)
        if part.get_content_type() == "application/zip":
            with zipfile.ZipFile(BytesIO(content)) as archive:  # type: ignore[arg-type]
                found += [archive.read(name) for name in archive.namelist()]
    assert len(found) > 3
    return found


async def test_frozen_bytes_that_bear_a_matricule_do_not_leave_once_the_identity_is_downgraded(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, sending = await asked(mailing)
    operator.faults.defer = 1
    await worker(mailing).step()
    await downgrade(mailing, document)
    clock.now += 3600 * SECOND
    await worker(mailing).step()
    assert not operator.accepted
    communication = await read(mailing, sending)
    assert communication["statusReason"]["text"] == "sending.identity-changed"


async def test_the_date_is_that_of_the_request_and_the_message_id_is_of_the_account(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(gateway, operator)
    await asked(mailing)
    clock.now += 86_400 * SECOND
    await worker(mailing).step()
    mail = message_from_bytes(operator.accepted[0].raw, policy=policy.default)
    assert mail["Date"].datetime.isoformat().startswith("2026-01-12T10:00:00+01:00")
    assert mail["Message-ID"].endswith("@demo.mssante.fr>")


async def test_a_job_that_kills_every_worker_is_laid_aside_in_the_end(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(replace(gateway, pace=Pace(retry_seconds=(60.0,))), operator)
    _, sending = await asked(mailing)
    for _ in range(2):  # claimed, and never heard of again
        claimed = await mailing.store.claim_jobs(
            (transmission.JOB_KIND,),
            holder="dead",
            now=clock.now,
            lease_until=clock.now + 1,
            limit=1,
        )
        assert claimed
        clock.now += 60 * SECOND
    await worker(mailing).step()
    communication = await read(mailing, sending)
    assert communication["statusReason"]["coding"][0]["code"] == "sending.failed-uncertain"
    assert not operator.accepted
    assert await worker(mailing).step() == 0
