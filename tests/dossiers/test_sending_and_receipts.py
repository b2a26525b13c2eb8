"""The job that sends and the visit that reads, with a real operator and a clock that is wound."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passerelle.demo import samples
from passerelle.dossiers.exchange.reception import receive
from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing import transmission
from passerelle.dossiers.mailing.mail_reception import visit
from passerelle.dossiers.mailing.secure_mail import Emitter, SecureMail
from passerelle.dossiers.mailing.transmission_sending import key_of, send_job
from passerelle.dossiers.mailing.transmission_states import history_of, state_of
from passerelle.dossiers.pace import SECOND, Pace
from passerelle.dossiers.repository import Repository
from passerelle.dossiers.worker import Worker
from passerelle.fhir import json_text
from passerelle.fhir.resource import Key, Resource
from passerelle.messaging.accounts import Account
from passerelle.messaging.white_list import WhiteList, parse
from passerelle.simulation.operator import Operator
from passerelle.store.caller import SYSTEM
from tests.databases import Clock

pytestmark = pytest.mark.anyio
DOCTOR, GATEWAY = samples.DOCTOR, samples.GATEWAY
PASSWORD = "mot de passe d'essai"


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        running.create(GATEWAY, PASSWORD)
        running.create(DOCTOR, PASSWORD)
        yield running


def with_mail(
    gateway: Gateway, operator: Operator, white_list: Callable[[], WhiteList] | None = None
) -> tuple[Gateway, SecureMail]:
    account = Account(
        address=GATEWAY,
        display="",
        nil="DEMO-0001",
        smtp_host=operator.host,
        imap_host=operator.host,
        ca_file=operator.certificates.ca_file,
        smtp_port=operator.smtp_port,
        imap_port=operator.imap_port,
        username=GATEWAY,
        password=PASSWORD,
    )
    mail = SecureMail(account, white_list or (lambda: parse(operator.white_list())), Emitter())
    return replace(gateway, mail=mail), mail


async def asked(gateway: Gateway) -> tuple[Key, Key]:
    """Push the sample and ask for its document to be sent; give document and Communication."""
    dossier = samples.qualified(b"%PDF-1.4 lettre")
    name = f"{dossier['id']['system']}|{dossier['id']['value']}"
    body = json.dumps(dossier).encode()
    options: dict[str, Any] = {"if_match": None, "strict": True, "dry_run": False}
    receipt = await receive(gateway, SYSTEM, name, body, **options)
    (reference,) = [e.reference for e in receipt.entries if e.section == "documents"]
    document = key_of(str(reference))
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "recipient", "valueString": DOCTOR}],
    }
    made = await transmission.request(gateway, SYSTEM, document, parameters)
    return document, key_of(made["parameter"][0]["valueReference"]["reference"])


async def read(gateway: Gateway, key: Key) -> Resource:
    return json_text.decode((await Repository(gateway, SYSTEM).read(key)).body or b"")


def worker(gateway: Gateway) -> Worker:
    return Worker(gateway, {transmission.JOB_KIND: send_job}, "worker")


async def test_a_job_waits_as_long_as_the_pace_says_and_no_longer(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(replace(gateway, pace=Pace(retry_seconds=(60.0,))), operator)
    _, sending = await asked(mailing)
    operator.faults.defer = 2
    assert await worker(mailing).step() == 1
    assert await worker(mailing).step() == 0
    clock.now += 60 * SECOND
    assert await worker(mailing).step() == 1
    clock.now += 3600 * SECOND
    assert await worker(mailing).step() == 0
    communication = await read(mailing, sending)
    assert state_of(communication) == "failed"
    assert "451 4.3.0" in communication["statusReason"]["text"]


async def test_what_may_not_leave_any_more_does_not(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, sending = await asked(mailing)
    operator.faults.defer = 1
    await worker(mailing).step()
    withdrawn = await read(mailing, document) | {"status": "entered-in-error"}
    await Repository(mailing, SYSTEM).update(document, withdrawn)
    clock.now += 3600 * SECOND
    await worker(mailing).step()
    communication = await read(mailing, sending)
    assert communication["statusReason"]["text"] == "sending.document-not-current"
    assert not operator.accepted


async def test_after_the_last_attempt_a_fault_of_ours_is_told_on_the_sending(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(replace(gateway, pace=Pace(retry_seconds=())), operator)
    _, sending = await asked(mailing)

    def broken() -> WhiteList:
        raise ZeroDivisionError

    at_fault, _ = with_mail(mailing, operator, broken)
    await worker(at_fault).step()
    communication = await read(mailing, sending)
    assert state_of(communication) == "failed"
    assert communication["statusReason"]["text"] == "fault.ZeroDivisionError"


async def test_an_operator_that_does_not_answer_is_left_before_the_lease_runs_out(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(replace(gateway, pace=Pace(lease_seconds=1.0)), operator)
    _, sending = await asked(mailing)
    operator.faults.delay_seconds = 3_600.0
    await asyncio.wait_for(worker(mailing).step(), 30)
    communication = await read(mailing, sending)
    assert state_of(communication) == "uncertain"
    assert [event for event, _, _ in history_of(communication)] == [
        "queued",
        "sending",
        "uncertain",
    ]


async def test_what_has_arrived_already_is_not_sent_again(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    operator.faults.lose_after_data = 1
    await worker(mailing).step()
    assert state_of(await read(mailing, sending)) == "uncertain"
    await visit(mailing, mail)  # the report of its delivery
    clock.now += 3600 * SECOND
    await worker(mailing).step()
    assert state_of(await read(mailing, sending)) == "delivered"
    assert len(operator.accepted) == 1


def receipt_about(message_id: str, author: str = DOCTOR) -> bytes:
    return (
        f"From: <{author}>\r\nTo: <{GATEWAY}>\r\nSubject: Lu\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{DOCTOR}\r\nOriginal-Message-ID: {message_id}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_mail_that_cannot_be_settled_keeps_no_other_from_being_settled(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    await worker(mailing).step()
    decoy: Resource = {
        "resourceType": "Communication",
        "id": "decoy",
        "status": "in-progress",
        "identifier": [{"system": transmission.MESSAGE_ID_SYSTEM, "value": "<decoy@x.example>"}],
    }
    await Repository(mailing, SYSTEM).update(Key("Communication", "decoy"), decoy)
    communication = await read(mailing, sending)
    mailbox = operator.mailbox(GATEWAY)
    mailbox.deliver(receipt_about("<decoy@x.example>"))
    mailbox.deliver(receipt_about(communication["identifier"][0]["value"]))
    await visit(mailing, mail)
    assert state_of(await read(mailing, sending)) == "read"
    (aside,) = await mailing.store.messages(direction="in", state="aside")
    assert aside.reason == "mail.unknown-original"
    assert not await mailing.store.messages(direction="in", state="kept")


async def test_a_mailbox_whose_numbers_begin_anew_is_read_once_more_and_not_for_ever(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    mailbox = operator.mailbox(GATEWAY)
    for number in range(3):
        mailbox.deliver(receipt_about(f"<{number}@x.example>"))
    first = await visit(mailing, mail)
    mailbox.renumber(2)
    again = await visit(mailing, mail)
    then = await visit(mailing, mail, again.position)
    assert [(one.fetched, one.kept) for one in (first, again, then)] == [(3, 3), (3, 0), (0, 0)]


@pytest.mark.parametrize(
    ("author", "state"),
    [(DOCTOR, "read"), ("secretariat@demo.mssante.fr", "read"), ("faux@x.mssante.fr", "delivered")],
)
async def test_a_receipt_counts_from_the_mailbox_or_its_domain(
    gateway: Gateway, operator: Operator, author: str, state: str
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    await worker(mailing).step()
    communication = await read(mailing, sending)
    message_id = communication["identifier"][0]["value"]
    operator.mailbox(GATEWAY).deliver(receipt_about(message_id, author))
    await visit(mailing, mail)
    assert state_of(await read(mailing, sending)) == state
