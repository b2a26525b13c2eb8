"""The IMAP server of the simulation, spoken to by the standard client and by hand."""

import asyncio
import imaplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from imap_tools import MailBoxStartTls

from passerelle.simulation.imap_fetch import items
from passerelle.simulation.imap_grammar import SyntaxFault, Word, number_set, search, words
from passerelle.simulation.mailboxes import Mailbox
from passerelle.simulation.operator import Operator

pytestmark = pytest.mark.anyio

ADDRESS = "zoe@cabinet.example"
RAW = b"From: a@b.example\r\nSubject: Un\r\nTo: x@y.example\r\n\r\nCorps 1\r\n"


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        mailbox = running.create(ADDRESS, 'se"cret\\é')
        for n in range(3):
            mailbox.deliver(RAW.replace(b"1", str(n + 1).encode()))
        yield running


def trusting(operator: Operator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(operator.certificates.ca_file))


def logged_in(operator: Operator) -> imaplib.IMAP4:
    client = imaplib.IMAP4(operator.host, operator.imap_port)
    client.starttls(trusting(operator))
    client._encoding = "utf-8"  # type: ignore[attr-defined]
    client.login(ADDRESS, 'se"cret\\é')
    return client


def literal(answer: Any) -> bytes:
    """Give the bytes of a FETCH of one section of one mail."""
    return bytes(answer[1][0][1])


async def test_the_standard_client_does_its_whole_round(operator: Operator) -> None:
    def round_trip() -> None:
        client = logged_in(operator)
        assert client.list()[1] == [b'(\\HasNoChildren) "/" "INBOX"']
        assert client.status("INBOX", "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)")[1] == [
            b'"INBOX" (MESSAGES 3 UNSEEN 3 UIDNEXT 4 UIDVALIDITY 1)'
        ]
        assert client.select("INBOX") == ("OK", [b"3"])
        assert client.response("UIDVALIDITY")[1] == [b"1"]
        assert client.search(None, "ALL")[1] == [b"1 2 3"]
        assert client.uid("SEARCH", "UID", "2:*")[1] == [b"2 3"]
        assert client.uid("SEARCH", "OR", "UID", "1", "NOT", "UID", "1:2")[1] == [b"1 3"]
        assert client.search(None, "SUBJECT", "un", "(1:2 NOT 1)")[1] == [b"2"]
        assert client.search(None, "HEADER", "From", "nobody")[1] == [b""]
        assert client.fetch("1", "(BODY.PEEK[])")[1][0] == (b"1 (BODY[] {%d}" % len(RAW), RAW)
        assert literal(client.fetch("1", "(BODY.PEEK[]<5.4>)")) == b" a@b"
        assert literal(client.fetch("1", "(BODY.PEEK[TEXT])")) == b"Corps 1\r\n"
        fields = literal(client.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])"))
        assert fields == b"From: a@b.example\r\nSubject: Un\r\n\r\n"
        assert client.search(None, "UNSEEN")[1] == [b"1 2 3"]
        client.fetch("2", "(BODY[] FLAGS)")
        assert client.search(None, "UNSEEN")[1] == [b"1 3"]
        assert b"2 (FLAGS (\\Seen) INTERNALDATE " in (client.fetch("2", "FAST")[1][0] or b"")
        client.store("1", "+FLAGS", r"(\Deleted \Flagged)")
        assert client.uid("STORE", "1", "-FLAGS", r"(\Flagged)")[1] == [
            b"1 (UID 1 FLAGS (\\Deleted))"
        ]
        assert client.expunge()[1] == [b"1"]
        assert client.uid("SEARCH", "ALL")[1] == [b"2 3"]
        assert client.close()[0] == "OK"
        assert client.select("INBOX", readonly=True)[0] == "OK"
        assert client.store("1", "+FLAGS", r"(\Seen)")[0] == "NO"
        with pytest.raises(imaplib.IMAP4.error):
            client.fetch("1", "(ENVELOPE)")
        assert client.select("Archive")[0] == "NO"
        assert client.logout()[0] == "BYE"

    await asyncio.to_thread(round_trip)
    assert list(operator.mailbox(ADDRESS).messages) == [2, 3]


async def test_imap_tools_reads_and_waits_for_the_next_mail(operator: Operator) -> None:
    idling = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read_and_wait() -> tuple[list[str], list[bytes]]:
        with MailBoxStartTls(
            operator.host, operator.imap_port, ssl_context=trusting(operator)
        ).login_utf8(ADDRESS, 'se"cret\\é') as mailbox:
            texts = [message.text.strip() for message in mailbox.fetch(mark_seen=False)]
            with mailbox.idle as idle:
                loop.call_soon_threadsafe(idling.set)
                return texts, idle.poll(timeout=60)

    waiting = asyncio.create_task(asyncio.to_thread(read_and_wait))
    await idling.wait()
    operator.mailbox(ADDRESS).deliver(RAW)
    texts, told = await waiting
    assert texts == ["Corps 1", "Corps 2", "Corps 3"]
    assert told == [b"* 4 EXISTS"]


async def talk(operator: Operator, *lines: bytes) -> bytes:
    """Say lines in clear text, and give all that the server says until it is through."""
    reader, writer = await asyncio.open_connection(operator.host, operator.imap_port)
    writer.write(b"".join(lines))
    writer.write_eof()
    said = await reader.read()
    writer.close()
    return said


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"a LOGIN zoe@cabinet.example x\r\n", b"a NO [PRIVACYREQUIRED]"),
        (b"a AUTHENTICATE PLAIN\r\nAGEAYg==\r\n", b"a NO [PRIVACYREQUIRED]"),
        (b"a AUTHENTICATE PLAIN\r\nx\r\n", b"a BAD unreadable answer"),
        (b"a AUTHENTICATE GSSAPI\r\n", b"a BAD PLAIN only"),
        (b"a SELECT INBOX\r\n", b"a BAD log in first"),
        (b"a UID FETCH 1 FLAGS\r\n", b"a BAD select a mailbox first"),
        (b"a UID\r\n", b"a BAD missing argument"),
        (b"a UID EXPUNGE 1\r\n", b"a BAD unknown UID command"),
        (b"a NOOP\r\n", b"a OK"),
        (b"a \r\n", b"a BAD no command"),
        (b"\r\n", b" BAD no command"),
        (b"a LIST (((\r\n", b"a BAD unbalanced parentheses"),
        (b"a LIST " + b"(" * 5000 + b"\r\n", b"a BAD too deep"),
        (b"a LOGIN {3}\r\nzoe {3+}\r\nabc\r\n", b"a NO [PRIVACYREQUIRED]"),
        (b"a CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS\r\na OK"),
    ],
)
async def test_what_may_not_be_said_in_clear_text_is_refused(
    operator: Operator, line: bytes, answer: bytes
) -> None:
    assert answer in await talk(operator, line)


@pytest.mark.parametrize("line", [b"x" * 100_000, b"a LOGIN {999999999}\r\n", b"\x16\x03\x01\0"])
async def test_a_client_that_does_not_speak_imap_is_left(operator: Operator, line: bytes) -> None:
    assert (await talk(operator, line)).startswith(b"* OK")


async def test_a_wrong_password_is_refused(operator: Operator) -> None:
    def try_it() -> None:
        client = imaplib.IMAP4(operator.host, operator.imap_port)
        client.starttls(trusting(operator))
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(ADDRESS, "wrong")
        client.logout()

    await asyncio.to_thread(try_it)


def test_words_are_read_with_their_lists_and_literals() -> None:
    assert words([b'FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (A B)]<0.9>) "a \\"b\\""']) == [
        "FETCH",
        "1:*",
        ["FLAGS", "BODY.PEEK[HEADER.FIELDS (A B)]<0.9>"],
        'a "b"',
    ]
    assert words([b"LOGIN", b"a)b", b"x"]) == ["LOGIN", "a)b", "x"]


def test_what_is_not_grammar_is_told() -> None:
    for text in (b'"open', b")", b"a [b"):
        with pytest.raises(SyntaxFault):
            words([text])
    for numbers in ("", "x", "1:", "1,,2", "12345678901"):
        with pytest.raises(SyntaxFault):
            number_set(numbers, 9)
    wrong: list[list[Word]] = [["UID"], ["NOT"], ["OR", "ALL"], ["WHAT"], ["UID", ["1"]]]
    for keys in wrong:
        with pytest.raises(SyntaxFault):
            search(keys, highest_number=1, highest_uid=1)
    for asked in ([], ["BODY[1.2]"], ["ENVELOPE"], ["FLAGS", "UID"]):
        with pytest.raises(SyntaxFault):
            items(asked)


def test_a_star_is_the_highest_number_there_is() -> None:
    wanted = number_set("2,5:*", 3)
    assert [number for number in range(1, 9) if wanted(number)] == [2, 3, 4, 5]


def test_flags_can_be_searched(tmp_path: Path) -> None:
    mailbox = Mailbox(ADDRESS, "x", clock=lambda: None)  # type: ignore[arg-type, return-value]
    uid = mailbox.deliver(RAW)
    mailbox.flag(uid, {"\\Seen"})
    message = mailbox.messages[uid]
    for key, holds in (("SEEN", True), ("UNSEEN", False), ("DELETED", False), ("RECENT", False)):
        assert search([key], highest_number=1, highest_uid=1)(1, message) is holds
    assert search(["CHARSET", "UTF-8", "ALL"], highest_number=1, highest_uid=1)(1, message)
