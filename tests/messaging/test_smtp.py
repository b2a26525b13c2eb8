"""Sending over real sockets and real TLS: what each ending of a transaction means."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from passerelle.errors.refusals import Unprocessable
from passerelle.messaging.accounts import Account
from passerelle.messaging.sending.mail import Attachment, build
from passerelle.messaging.sending.smtp import Sent, Timeouts, send
from passerelle.messaging.sending.smtp_replies import (
    SendDeferred,
    SendRefused,
    SendUncertain,
    before_mail,
    of_transaction,
    scrubbed,
)
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import DOCTOR, GATEWAY, a_mail, account_at, open_mailboxes

pytestmark = pytest.mark.anyio

CITIZEN = "279035121518989@patient.mssante.fr"


async def sent(account: Account, raw: bytes | None = None, to: str = DOCTOR, **how: object) -> Sent:
    how.setdefault("envelope_id", "envoi-1")
    return await send(account, raw or build(a_mail()), recipient=to, **how)  # type: ignore[arg-type]


async def test_a_mail_reaches_the_mailbox_byte_for_byte(
    operator: Operator, account: Account
) -> None:
    raw = build(a_mail())
    assert await sent(account, raw) == Sent(250, "2.0.0 OK: taken")
    (delivered,) = await operator.mailbox(DOCTOR).holds(1)
    assert delivered.raw.endswith(raw)
    assert delivered.raw.removesuffix(raw).startswith(b"Return-Path: <" + GATEWAY.encode())


async def test_the_envelope_names_one_recipient_and_asks_for_reports(
    operator: Operator, account: Account
) -> None:
    await sent(account, envelope_id="a+b=c d")
    (accepted,) = operator.accepted
    assert accepted.sender == GATEWAY
    assert accepted.recipient == DOCTOR
    assert accepted.envelope_id == "a+b=c d"
    assert accepted.original_recipient == f"rfc822;{DOCTOR}"
    assert accepted.notify == {"SUCCESS", "FAILURE", "DELAY"}
    assert not accepted.full


async def test_implicit_tls_works_as_well(tmp_path: Path) -> None:
    async with Operator(tmp_path, implicit_tls=True) as operator:
        open_mailboxes(operator)
        assert (await sent(account_at(operator))).code == 250


async def test_a_client_certificate_is_shown_when_it_is_asked_for(tmp_path: Path) -> None:
    async with Operator(tmp_path, demands_client=True) as operator:
        open_mailboxes(operator)
        account = account_at(
            operator,
            client_certificate=operator.certificates.client_certificate,
            client_key=operator.certificates.client_key,
        )
        assert (await sent(account)).code == 250
        with pytest.raises(SendDeferred) as fault:
            await sent(account_at(operator))
        assert fault.value.reason == "tls"
        assert fault.value.bounded


@pytest.mark.parametrize("implicit", [False, True])
async def test_an_operator_of_another_authority_is_not_spoken_to(
    tmp_path: Path, implicit: bool
) -> None:
    async with (
        Operator(tmp_path / "one", implicit_tls=implicit) as operator,
        Operator(tmp_path / "other") as other,
    ):
        open_mailboxes(operator)
        account = account_at(operator, ca_file=other.certificates.ca_file)
        with pytest.raises(SendDeferred) as fault:
            await sent(account)
        assert fault.value.reason == "tls"
        assert fault.value.bounded
        assert not operator.accepted


async def test_an_operator_without_starttls_is_not_spoken_to(tmp_path: Path) -> None:
    async with Operator(tmp_path, offers_starttls=False) as operator:
        open_mailboxes(operator)
        with pytest.raises(SendDeferred) as fault:
            await sent(account_at(operator))
        assert fault.value.reason == "tls"
        assert not operator.accepted


async def test_a_name_that_is_not_in_the_certificate_is_not_trusted(
    operator: Operator, account: Account
) -> None:
    with pytest.raises(SendDeferred) as fault:
        await sent(replace(account, smtp_host="127.0.0.2"))
    assert fault.value.reason in ("tls", "connection")  # not every system listens there


async def test_certificate_files_that_cannot_be_read_are_a_fault_of_tls(
    account: Account, tmp_path: Path
) -> None:
    with pytest.raises(SendDeferred) as fault:
        await sent(replace(account, ca_file=tmp_path / "missing.pem"))
    assert fault.value.reason == "tls"


async def test_a_wrong_password_is_not_a_fault_of_the_mail(account: Account) -> None:
    with pytest.raises(SendDeferred) as fault:
        await sent(replace(account, password="wrong"))
    assert (fault.value.code, fault.value.reason) == (535, "authentication")
    assert fault.value.bounded


async def test_no_operator_at_all_is_worth_another_try(
    operator: Operator, account: Account
) -> None:
    await operator.stop()
    with pytest.raises(SendDeferred) as fault:
        await sent(account)
    assert fault.value.reason == "connection"
    assert not fault.value.bounded


async def test_unknown_recipients_are_refused_for_ever(account: Account) -> None:
    for recipient, status in (("x@cabinet.example", "5.1.1"), ("x@nowhere.example", "5.1.2")):
        with pytest.raises(SendRefused) as fault:
            await sent(account, to=recipient)
        assert (fault.value.code, fault.value.enhanced) == (550, status)
        assert fault.value.permanent


async def test_a_full_mailbox_waits_for_a_person(operator: Operator, account: Account) -> None:
    operator.mailbox(DOCTOR).size_max_bytes = 100
    with pytest.raises(SendRefused) as fault:
        await sent(account)
    assert (fault.value.code, fault.value.enhanced) == (552, "5.2.2")
    assert not fault.value.permanent


async def test_a_mail_larger_than_the_operator_takes_is_refused_before_it_leaves(
    tmp_path: Path,
) -> None:
    async with Operator(tmp_path, size_max_bytes=1000) as operator:
        open_mailboxes(operator)
        with pytest.raises(SendRefused) as fault:
            await sent(account_at(operator))
        assert (fault.value.code, fault.value.permanent) == (552, True)


async def test_a_temporary_refusal_is_tried_again_and_passes(
    operator: Operator, account: Account
) -> None:
    operator.faults.defer = 2
    for _ in range(2):
        with pytest.raises(SendDeferred) as fault:
            await sent(account)
        assert (fault.value.code, fault.value.reason) == (451, "temporary")
        assert not fault.value.bounded
    assert (await sent(account)).code == 250


async def test_a_refusal_after_the_final_dot_is_a_refusal(
    operator: Operator, account: Account
) -> None:
    operator.faults.refuse_data = 1
    with pytest.raises(SendRefused) as fault:
        await sent(account)
    assert (fault.value.code, fault.value.permanent) == (554, True)


async def test_a_connection_lost_before_the_mail_is_handed_over_left_nothing(
    operator: Operator, account: Account
) -> None:
    operator.faults.lose_before_data = 1
    with pytest.raises(SendDeferred) as fault:
        await sent(account)
    assert fault.value.reason == "connection"
    assert not operator.mailbox(DOCTOR).messages


@pytest.mark.parametrize("kept", [True, False])
async def test_a_connection_lost_after_the_mail_was_handed_over_leaves_a_doubt(
    operator: Operator, account: Account, kept: bool
) -> None:
    operator.faults.lose_after_data = 1
    operator.faults.keeps_what_it_loses = kept
    with pytest.raises(SendUncertain):
        await sent(account)
    assert len(operator.mailbox(DOCTOR).messages) == kept
    await sent(account)
    copies = [accepted.raw for accepted in operator.accepted]
    assert len(copies) == 1 + kept
    assert len(set(copies)) == 1


async def test_an_answer_that_never_comes_leaves_a_doubt(
    operator: Operator, account: Account
) -> None:
    operator.faults.delay_seconds = 60
    with pytest.raises(SendUncertain):
        await sent(account, timeouts=Timeouts(end_of_data_seconds=0.05))


async def test_dots_and_odd_line_ends_make_one_mail_and_no_more(
    operator: Operator, account: Account
) -> None:
    ends = [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\r\n"]
    for end in ends:
        smuggled = b"Subject: x\r\n\r\nbody" + end + b"MAIL FROM:<x@evil.example>\r\n"
        await sent(account, smuggled)
    assert len(operator.mailbox(DOCTOR).messages) == len(operator.accepted) == len(ends)
    for accepted in operator.accepted:
        assert accepted.raw == b"Subject: x\r\n\r\nbody\r\n.\r\nMAIL FROM:<x@evil.example>\r\n"
    await sent(account, b".\r\n..\r\n")
    assert operator.accepted[-1].raw == b".\r\n..\r\n"


async def test_a_large_mail_passes_and_the_loop_goes_on(
    operator: Operator, account: Account
) -> None:
    raw = build(a_mail(attachments=(Attachment("a.pdf", "application/pdf", bytes(2_000_000)),)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await sent(account, raw)
    counting.cancel()
    assert operator.accepted[0].raw == raw
    assert turns > len(raw) / 65_536


async def test_parallel_sendings_do_not_mix(operator: Operator, account: Account) -> None:
    mails = [build(a_mail(message_id=f"<{n}@chu.example>", text=f"{n}\n")) for n in range(8)]
    await asyncio.gather(*(sent(account, raw) for raw in mails))
    assert {accepted.raw for accepted in operator.accepted} == set(mails)


async def test_what_is_no_address_is_not_sent_to(account: Account) -> None:
    with pytest.raises(Unprocessable, match=r"mss\.address-invalid"):
        await sent(account, to="dr@cabinet.example>\r\nRCPT TO:<x@evil.example")
    with pytest.raises(Unprocessable, match=r"mss\.address-invalid"):
        await sent(replace(account, address="x"))
    with pytest.raises(ValueError, match="envelope id"):
        await sent(account, envelope_id="")
    with pytest.raises(ValueError, match="envelope id"):
        await sent(account, envelope_id="é")


async def test_a_fault_never_names_the_recipient(account: Account) -> None:
    with pytest.raises(SendRefused) as fault:
        await sent(account, to=CITIZEN)
    assert "27903512151" not in str(fault.value) + repr(fault.value)
    assert fault.value.__suppress_context__


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[int]:
    """A server that says these answers, one a command, then leaves; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(answer)
            await writer.drain()
            if not await reader.readline():
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answers", "reason", "code"),
    [
        ([b"421 4.3.2 too busy\r\n"], "temporary", 421),
        ([b"421 4.7.1 no client certificate\r\n"], "authentication", 421),
        ([b"554 nobody is served here\r\n"], "service", 554),
        ([b"hello\r\n"], "protocol", None),
        ([b"220 hi\r\n", b"502 no EHLO\r\n"], "service", 502),
        ([b"220 hi\r\n", b"250 no extensions\r\n"], "tls", None),
        ([b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"454 not now\r\n"], "temporary", 454),
        (
            [b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"],
            "tls",
            None,
        ),
    ],
)
async def test_what_happens_before_the_mail_never_condemns_it(
    account: Account, answers: list[bytes], reason: str, code: int | None
) -> None:
    async with scripted(*answers) as port:
        with pytest.raises(SendDeferred) as fault:
            await sent(replace(account, smtp_port=port))
    assert (fault.value.reason, fault.value.code) == (reason, code)


@pytest.mark.parametrize(
    ("phase", "code", "text", "ending"),
    [
        ("mail", 451, "4.3.0 later", ("deferred", "temporary")),
        ("mail", 552, "message size exceeds", ("refused", True)),
        ("mail", 530, "5.7.0 log in", ("deferred", "authentication")),
        ("mail", 553, "5.7.1 not yours", ("refused", True)),
        ("rcpt", 421, "4.4.2 bye", ("deferred", "temporary")),
        ("rcpt", 450, "greylisted", ("deferred", "temporary")),
        ("rcpt", 550, "5.1.1 unknown", ("refused", True)),
        ("rcpt", 552, "over quota", ("refused", False)),
        ("rcpt", 554, "5.2.2 over quota", ("refused", False)),
        ("rcpt", 550, "5.2.2 over quota", ("refused", False)),
        ("rcpt", 554, "5.7.1 no", ("refused", True)),
        ("data", 250, "not 354", ("deferred", "protocol")),
        ("data", -1, "nonsense", ("deferred", "protocol")),
        ("end-of-data", 552, "5.3.4 too large", ("refused", True)),
        ("end-of-data", 452, "4.2.2 full", ("deferred", "temporary")),
        ("end-of-data", 354, "again?", ("uncertain",)),
        ("end-of-data", -1, "nonsense", ("uncertain",)),
    ],
)
async def test_each_reply_has_its_meaning(
    phase: str, code: int, text: str, ending: tuple[object, ...]
) -> None:
    fault = of_transaction(phase, code, text)  # type: ignore[arg-type]
    match fault:
        case SendRefused():
            assert ending == ("refused", fault.permanent)
        case SendDeferred():
            assert ending == ("deferred", fault.reason)
        case _:
            assert ending == ("uncertain",)


async def test_authentication_is_told_from_trouble() -> None:
    assert before_mail(535, "5.7.8 no").reason == "authentication"
    assert before_mail(454, "4.7.0 later").reason == "authentication"
    assert before_mail(454, "later").reason == "temporary"
    assert before_mail(500, "what").reason == "service"
    assert before_mail(-1, "what").reason == "protocol"


async def test_what_is_kept_of_a_reply_names_nobody() -> None:
    text = scrubbed(
        f"2.0.0 <{CITIZEN}> queued\r\nas 279035121518989 180032B02040123 id=4F1\x07 {'x' * 300}"
    )
    assert text.startswith("2.0.0 … queued as … … id=4F1 xxx")
    assert len(text) == 200
