"""Reading a mailbox over real sockets and real TLS."""

import asyncio
import imaplib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passerelle.messaging.accounts import Account
from passerelle.messaging.receiving import imap
from passerelle.messaging.receiving.imap import MailboxUnavailable, Position, fetch_new, mark_seen
from passerelle.messaging.tls import client_context
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import GATEWAY, account_at, open_mailboxes

pytestmark = pytest.mark.anyio


def fill(operator: Operator, count: int) -> list[bytes]:
    raws = [f"Subject: {n}\r\n\r\n)\r\n* BYE\r\n{'é' * n}\r\n".encode() for n in range(count)]
    for raw in raws:
        operator.mailbox(GATEWAY).deliver(raw)
    return raws


async def test_mails_come_byte_for_byte_oldest_first_and_stay_unseen(
    operator: Operator, account: Account
) -> None:
    raws = fill(operator, 3)
    fetched = await fetch_new(account)
    assert [each.raw for each in fetched] == raws
    assert [(each.uidvalidity, each.uid) for each in fetched] == [(1, 1), (1, 2), (1, 3)]
    assert [each.size for each in fetched] == [len(raw) for raw in raws]
    assert all(not m.flags for m in operator.mailbox(GATEWAY).messages.values())


async def test_only_what_came_after_the_position_is_new(
    operator: Operator, account: Account
) -> None:
    raws = fill(operator, 3)
    assert [each.raw for each in await fetch_new(account, after=Position(1, 2))] == raws[2:]
    assert await fetch_new(account, after=Position(1, 3)) == []
    assert await fetch_new(account, after=Position(1, 300)) == []


async def test_an_empty_mailbox_holds_nothing_new(account: Account) -> None:
    assert await fetch_new(account) == []


async def test_numbers_with_holes_are_followed(operator: Operator, account: Account) -> None:
    raws = fill(operator, 5)
    for uid in (1, 3, 5):
        operator.mailbox(GATEWAY).expunge(uid)
    assert [each.uid for each in await fetch_new(account)] == [2, 4]
    operator.mailbox(GATEWAY).deliver(raws[0])
    assert [each.uid for each in await fetch_new(account, after=Position(1, 4))] == [6]


async def test_another_uidvalidity_makes_every_mail_new(
    operator: Operator, account: Account
) -> None:
    raws = fill(operator, 3)
    operator.mailbox(GATEWAY).renumber(77)
    fetched = await fetch_new(account, after=Position(1, 3))
    assert [each.raw for each in fetched] == raws
    assert {each.uidvalidity for each in fetched} == {77}


async def test_a_visit_is_bounded_in_number_and_the_next_goes_on(
    operator: Operator, account: Account
) -> None:
    fill(operator, 5)
    first = await fetch_new(account, limit=2)
    assert [each.uid for each in first] == [1, 2]
    rest = await fetch_new(account, after=Position(1, first[-1].uid), limit=10)
    assert [each.uid for each in rest] == [3, 4, 5]


async def test_a_visit_is_bounded_in_size(
    operator: Operator, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = fill(operator, 5)
    monkeypatch.setattr(imap, "VISIT_MAX_BYTES", len(raws[0] + raws[1]))
    assert [each.uid for each in await fetch_new(account)] == [1, 2]
    monkeypatch.setattr(imap, "VISIT_MAX_BYTES", 1)
    assert [each.uid for each in await fetch_new(account)] == [1]


async def test_a_mail_too_large_is_named_and_not_read(operator: Operator, account: Account) -> None:
    operator.mailbox(GATEWAY).deliver(b"x" * 1000)
    operator.mailbox(GATEWAY).deliver(b"y" * 10)
    large, small = await fetch_new(account, size_max_bytes=999)
    assert (large.raw, large.size) == (None, 1000)
    assert small.raw == b"y" * 10


async def test_seen_is_set_where_it_is_asked_for_and_nothing_is_expunged(
    operator: Operator, account: Account
) -> None:
    fill(operator, 3)
    operator.mailbox(GATEWAY).flag(3, {"\\Deleted"})
    assert await mark_seen(account, 1, [1, 3])
    flags = {uid: m.flags for uid, m in operator.mailbox(GATEWAY).messages.items()}
    assert flags == {1: {"\\Seen"}, 2: set(), 3: {"\\Deleted", "\\Seen"}}
    assert not await mark_seen(account, 2, [2])
    assert not operator.mailbox(GATEWAY).messages[2].flags
    assert await mark_seen(account, 1, [])


async def test_implicit_tls_works_as_well(tmp_path: Path) -> None:
    async with Operator(tmp_path, implicit_tls=True) as operator:
        open_mailboxes(operator)
        raws = fill(operator, 1)
        assert [each.raw for each in await fetch_new(account_at(operator))] == raws


async def reason(account: Account, **how: Any) -> str:
    with pytest.raises(MailboxUnavailable) as fault:
        await fetch_new(account, **how)
    assert fault.value.bounded == (fault.value.reason != "connection")
    return fault.value.reason


async def test_no_private_connection_no_visit(tmp_path: Path) -> None:
    async with (
        Operator(tmp_path / "one") as operator,
        Operator(tmp_path / "two", offers_starttls=False) as clear,
        Operator(tmp_path / "three", implicit_tls=True) as implicit,
    ):
        for each in (operator, clear, implicit):
            open_mailboxes(each)
        assert await reason(account_at(clear)) == "tls"
        wrong = clear.certificates.ca_file
        assert await reason(account_at(operator, ca_file=wrong)) == "tls"
        assert await reason(account_at(implicit, ca_file=wrong)) == "tls"
        assert await reason(account_at(operator, ca_file=tmp_path / "missing")) == "tls"


async def test_other_reasons_are_told_apart(operator: Operator, account: Account) -> None:
    assert await reason(replace(account, password="wrong")) == "authentication"
    assert await reason(account, folder="Nowhere") == "protocol"
    await operator.stop()
    assert await reason(account) == "connection"


async def test_a_server_cannot_make_us_hold_more_than_the_limit(account: Account) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK {99999999999}\r\n")
        while await reader.readline():
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await reason(replace(account, imap_port=port)) in ("connection", "protocol")


async def test_the_standard_client_reads_the_same(operator: Operator, account: Account) -> None:
    raws = fill(operator, 2)

    def visit() -> tuple[list[bytes], list[bytes]]:
        client = imaplib.IMAP4(account.imap_host, account.imap_port)
        try:
            client.starttls(client_context(account))
            client.login(account.username, account.password)
            client.select("INBOX")
            found = client.uid("SEARCH", "UNSEEN")[1][0].split()
            bodies = [client.uid("FETCH", uid.decode(), "(BODY[])")[1][0][1] for uid in found]
            return bodies, client.uid("SEARCH", "UNSEEN")[1][0].split()
        finally:
            client.logout()

    bodies, unseen = await asyncio.to_thread(visit)
    assert bodies == raws
    assert unseen == []
