"""What comes back in odd shapes: receipts without a Message-ID, twice, too early; other mails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing.mail_reception import visit
from passerelle.dossiers.mailing.transmission_states import state_of
from passerelle.dossiers.pace import SECOND
from passerelle.dossiers.repository import Repository
from passerelle.messaging.receiving.imap import FETCH_MAX
from passerelle.simulation.operator import Operator
from passerelle.store.caller import SYSTEM
from tests.databases import Clock
from tests.dossiers.test_sending_and_receipts import (
    DOCTOR,
    GATEWAY,
    PASSWORD,
    asked,
    read,
    receipt_about,
    with_mail,
    worker,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        running.create(GATEWAY, PASSWORD)
        running.create(DOCTOR, PASSWORD)
        yield running


async def test_a_receipt_still_settles_when_the_communication_was_deleted_or_rewritten(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    await worker(mailing).step()
    message_id = (await read(mailing, sending))["identifier"][0]["value"]
    await Repository(mailing, SYSTEM).delete(sending)
    operator.mailbox(GATEWAY).deliver(receipt_about(message_id))
    await visit(mailing, mail)
    (message,) = await mailing.store.messages(direction="out")
    assert message.state == "read"
    assert not await mailing.store.messages(direction="in", state="aside")


async def test_a_report_that_gives_back_the_envelope_id_alone_is_settled_even_before_sent_is_known(
    gateway: Gateway, operator: Operator, clock: Clock
) -> None:
    mailing, mail = with_mail(gateway, operator)
    _, sending = await asked(mailing)
    operator.faults.lose_after_data, operator.faults.keeps_what_it_loses = 1, False
    await worker(mailing).step()
    report = (
        f"From: <mailer-daemon@operateur.example>\r\nTo: <{GATEWAY}>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; operateur.example\r\nOriginal-Envelope-Id: {sending.id}\r\n\r\n"
        f"Final-Recipient: rfc822;{DOCTOR}\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n--b--\r\n"
    ).encode()
    for _ in range(2):  # told twice by two servers
        operator.mailbox(GATEWAY).deliver(report)
        report = b"Received: from elsewhere\r\n" + report
    await visit(mailing, mail)
    assert state_of(await read(mailing, sending)) == "delivered"
    clock.now += 3600 * SECOND
    await worker(mailing).step()
    assert not operator.accepted


async def test_other_mails_are_kept_and_listed_and_those_too_large_are_named(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    mailbox = operator.mailbox(GATEWAY)
    mailbox.deliver(f"From: <{DOCTOR}>\r\nSubject: Bonjour\r\n\r\nOui.\r\n".encode())
    mailbox.deliver(f"From: <{DOCTOR}>\r\nSubject: XDM/1.0/DDM+CR A B\r\n\r\nOui.\r\n".encode())
    for _ in range(2):
        mailbox.deliver(f"From: <{DOCTOR}>\r\n\r\n".encode() + b"x" * 4000)

    visited = await visit(mailing, mail, size_max_bytes=2000)
    assert (visited.kept, visited.settled) == (4, 2)
    received = await mailing.store.messages(direction="in", state="received")
    assert {message.reason for message in received} == {"mail.ordinary"}
    aside = await mailing.store.messages(direction="in", state="aside")
    assert [message.reason for message in aside] == ["mss.mail-too-large"] * 2


async def test_a_mailbox_restored_with_more_mails_than_one_visit_takes_is_read_to_its_end(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, mail = with_mail(gateway, operator)
    mailbox = operator.mailbox(GATEWAY)
    for number in range(FETCH_MAX + 10):
        mailbox.deliver(f"From: <{DOCTOR}>\r\nSubject: {number}\r\n\r\n.\r\n".encode())
    first = await visit(mailing, mail)
    await visit(mailing, mail, first.position)
    mailbox.renumber(2)
    mailbox.deliver(f"From: <{DOCTOR}>\r\nSubject: nouveau\r\n\r\n.\r\n".encode())
    again = await visit(mailing, mail)  # begun anew, as after a restart
    then = await visit(mailing, mail, again.position)
    assert [(one.fetched, one.kept) for one in (again, then)] == [(FETCH_MAX, 0), (11, 1)]
    # From now on the newest mail kept says where the mailbox has been read to.
    assert (await visit(mailing, mail)).fetched == 0
