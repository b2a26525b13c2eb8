"""The simulated operator: what it delivers, what it answers, what it keeps."""

import asyncio
import json
import signal
import smtplib
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from passerelle.simulation.mailboxes import Behaviour, Mailbox
from passerelle.simulation.operator import Operator

pytestmark = pytest.mark.anyio

SENDER, DOCTOR = "envoi@chu.example", "zoe@cabinet.example"
RAW = (
    f"From: {SENDER}\r\nTo: {DOCTOR}\r\nSubject: Essai\r\nMessage-ID: <1@chu.example>\r\n"
    f"Disposition-Notification-To: {SENDER}\r\n\r\nCorps\r\n"
).encode()


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        running.create(SENDER, "secret")
        running.create(DOCTOR, "autre")
        yield running


def submitted(operator: Operator, raw: bytes = RAW, options: tuple[str, ...] = ()) -> None:
    context = ssl.create_default_context(cafile=str(operator.certificates.ca_file))
    with smtplib.SMTP(operator.host, operator.smtp_port) as client:
        client.starttls(context=context)
        client.login(SENDER, "secret")
        client.sendmail(SENDER, [DOCTOR], raw, rcpt_options=options)


async def submit(operator: Operator, raw: bytes = RAW, options: tuple[str, ...] = ()) -> None:
    await asyncio.to_thread(submitted, operator, raw, options)


async def test_the_standard_client_submits_a_mail(operator: Operator) -> None:
    await submit(operator)
    (message,) = operator.mailbox(DOCTOR).messages.values()
    assert message.raw.endswith(RAW)
    assert message.raw.startswith(f"Return-Path: <{SENDER}>\r\nReceived: ".encode())
    assert not operator.mailbox(SENDER).messages


async def test_a_delivery_report_comes_only_when_asked_for(operator: Operator) -> None:
    await submit(operator, options=("NOTIFY=FAILURE",))
    assert not operator.mailbox(SENDER).messages
    await submit(operator, options=("NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{DOCTOR}"))
    (report,) = operator.mailbox(SENDER).messages.values()
    assert b"Action: delivered" in report.raw


async def test_a_mail_that_bounces_is_not_in_the_mailbox(operator: Operator) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(bounces="5.2.1")
    await submit(operator)
    await submit(operator, options=("NOTIFY=NEVER",))
    assert not operator.mailbox(DOCTOR).messages
    (report,) = operator.mailbox(SENDER).messages.values()
    assert b"Status: 5.2.1" in report.raw


async def test_a_receipt_goes_to_the_sender_of_the_envelope_and_nobody_else(
    operator: Operator,
) -> None:
    operator.create("tiers@chu.example", "x")
    await submit(operator)
    await submit(operator, RAW.replace(f"To: {SENDER}".encode(), b"To: tiers@chu.example"))
    await submit(operator, RAW.replace(b"Disposition-", b"X-"))
    for uid in (1, 2, 3):
        operator.read(DOCTOR, uid)
    assert len(operator.mailbox(SENDER).messages) == 1
    assert not operator.mailbox("tiers@chu.example").messages
    assert operator.mailbox(DOCTOR).messages[1].flags == {"\\Seen"}


async def test_nobody_answers_an_automatic_mail(operator: Operator) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(is_away=True)
    await submit(operator, b"Auto-Submitted: auto-replied\r\n" + RAW)
    assert not operator.mailbox(SENDER).messages
    await submit(operator)
    assert len(operator.mailbox(SENDER).messages) == 1


async def test_a_mail_is_read_and_integrated_by_itself(operator: Operator) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(reads=True, integrates=True)
    await submit(operator)
    integrated, displayed = await operator.mailbox(SENDER).holds(2)
    assert b"; processed\r\n" in integrated.raw
    assert b"; displayed\r\n" in displayed.raw


async def test_a_refusal_gives_the_mail_back(operator: Operator) -> None:
    await submit(operator)
    operator.refuse(DOCTOR, 1, "904", "INS différente")
    (refusal,) = operator.mailbox(SENDER).messages.values()
    assert "processed/Error: 904^INS différente\r\n".encode() in refusal.raw
    assert RAW in refusal.raw


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ([b"MAIL FROM:<envoi@chu.example>"], b"530"),
        ([b"AUTH PLAIN AAAA"], b"530"),
        ([b"EHLO x", b"RCPT TO:<zoe@cabinet.example>"], b"530"),
    ],
)
async def test_nothing_is_done_in_clear_text(
    operator: Operator, commands: list[bytes], code: bytes
) -> None:
    reader, writer = await asyncio.open_connection(operator.host, operator.smtp_port)
    writer.write(b"".join(command + b"\r\n" for command in commands))
    writer.write(b"QUIT\r\n")
    said = await reader.read()
    writer.close()
    assert b"\r\n" + code in said
    assert b"250-STARTTLS" in said or b"EHLO x" not in commands


async def test_nobody_sends_in_the_name_of_another(operator: Operator) -> None:
    def try_it() -> tuple[int, bytes]:
        context = ssl.create_default_context(cafile=str(operator.certificates.ca_file))
        with smtplib.SMTP(operator.host, operator.smtp_port) as client:
            client.starttls(context=context)
            before = client.docmd("MAIL", f"FROM:<{SENDER}>")
            assert before[0] == 503  # EHLO again after STARTTLS
            client.ehlo()
            assert client.docmd("MAIL", f"FROM:<{SENDER}>")[0] == 530
            client.login(SENDER, "secret")
            assert client.docmd("MAIL", "FROM:<>")[0] == 250
            client.rset()
            return client.docmd("MAIL", f"FROM:<{DOCTOR}>")

    assert (await asyncio.to_thread(try_it))[0] == 553


async def test_the_white_list_names_the_domains(operator: Operator) -> None:
    xml = operator.white_list().decode()
    assert "<Nom>cabinet.example</Nom>" in xml
    assert "<Nom>chu.example</Nom>" in xml
    with pytest.raises(KeyError):
        operator.mailbox("nobody@chu.example")


async def test_mailboxes_on_disk_outlive_the_operator(tmp_path: Path) -> None:
    async with Operator(tmp_path, on_disk=True) as first:
        first.create(SENDER, "secret")
        first.create(DOCTOR, "autre")
        await submit(first)
        await submit(first, RAW.replace(b"Corps", b"Deux"))
        first.mailbox(DOCTOR).flag(1, {"\\Seen"})
        first.mailbox(DOCTOR).expunge(2)
    second = Operator(tmp_path, on_disk=True)
    mailbox = second.create(DOCTOR, "autre")
    assert [m.uid for m in mailbox.messages.values()] == [1]
    assert mailbox.messages[1].raw.endswith(RAW)
    assert mailbox.messages[1].flags == {"\\Seen"}
    assert mailbox.uidnext == 3


def test_a_mail_half_written_is_not_in_the_mailbox(tmp_path: Path) -> None:
    (tmp_path / "4.draft").write_bytes(b"half")
    (tmp_path / "3.eml").write_bytes(b"whole")
    mailbox = Mailbox(DOCTOR, "x", clock=lambda: datetime.now(UTC), folder=tmp_path)
    assert [m.raw for m in mailbox.messages.values()] == [b"whole"]
    assert mailbox.uidnext == 4


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "passerelle.simulation",
        "--folder",
        str(tmp_path),
        "--mailbox",
        f"{SENDER}=secret",
        "--mailbox",
        f"{DOCTOR}=autre",
        "--reads",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())

        def submit_there() -> None:
            assert Path(ready["white_list"]).read_bytes().count(b"<Nom>") == 2
            context = ssl.create_default_context(cafile=ready["ca_file"])
            with smtplib.SMTP(ready["host"], ready["smtp_port"]) as client:
                client.starttls(context=context)
                client.login(SENDER, "secret")
                client.sendmail(SENDER, [DOCTOR], RAW)

        await asyncio.to_thread(submit_there)
        assert (tmp_path / "mailboxes" / DOCTOR / "1.eml").read_bytes().endswith(RAW)
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
