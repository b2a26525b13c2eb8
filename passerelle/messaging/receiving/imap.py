"""Reading a mailbox by IMAP: new mails as raw bytes, nothing marked by reading.

RFC 3501 (UID, UIDVALIDITY, BODY.PEEK), RFC 2595 (STARTTLS). Référentiel socle MSSanté #2,
ECO.1.0.2. https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1

The caller keeps what it has read by (mailbox, UIDVALIDITY, UID); ``\\Seen`` is a courtesy to
people who look at the mailbox, never a state. The library is synchronous, so that each visit
runs in a thread; every wait in it has a time limit.
"""

import asyncio
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from passerelle.errors.refusals import Unavailable
from passerelle.messaging.accounts import Account
from passerelle.messaging.tls import client_context

FETCH_MAX = 100
"""Mails in one visit."""

SIZE_MAX_BYTES = 50_000_000
"""A mail above that is named, not read."""

VISIT_MAX_BYTES = 100_000_000
"""All the mails of one visit; what is left waits for the next one."""

TIMEOUT_SECONDS = 60.0

Reason: TypeAlias = Literal["connection", "tls", "authentication", "protocol"]

_UID = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

_REASONS: tuple[tuple[tuple[type[Exception], ...], Reason], ...] = (
    ((Unavailable, ssl.SSLError), "tls"),
    ((MailboxLoginError,), "authentication"),
    ((imaplib.IMAP4.abort, OSError), "connection"),  # abort: lost, or cut by us
)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mailbox has been read: the last UID, under one UIDVALIDITY."""

    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail of the mailbox; ``raw`` is None when it is larger than may be read."""

    uidvalidity: int
    uid: int
    size: int
    raw: bytes | None = field(repr=False)


class MailboxUnavailable(Exception):
    """The mailbox could not be visited: no connection, no TLS, not recognised, not IMAP.

    ``bounded``: time alone seldom heals it.
    """

    def __init__(self, reason: Reason) -> None:
        """Keep the reason, and nothing of what the server said."""
        super().__init__(reason)
        self.reason = reason

    @property
    def bounded(self) -> bool:
        """Tell whether a person should be called."""
        return self.reason != "connection"


async def fetch_new(
    account: Account,
    *,
    after: Position | None = None,
    folder: str = "INBOX",
    limit: int = FETCH_MAX,
    size_max_bytes: int = SIZE_MAX_BYTES,
) -> list[Fetched]:
    """Give the mails that came after a position, oldest first, ``limit`` at most.

    Under another UIDVALIDITY than the position's, every mail of the mailbox is new again: the
    caller knows the mails it has by their content. Raises MailboxUnavailable.
    """
    visit = _Visit(account, folder)
    return await asyncio.to_thread(visit.fetch_new, after, min(limit, FETCH_MAX), size_max_bytes)


async def mark_seen(
    account: Account, uidvalidity: int, uids: Sequence[int], *, folder: str = "INBOX"
) -> bool:
    """Mark mails as seen, for people who look at the mailbox; True when it was done.

    False when the mailbox has another UIDVALIDITY by now: its numbers mean other mails, so that
    nothing is marked. Raises MailboxUnavailable.
    """
    return await asyncio.to_thread(_Visit(account, folder).mark_seen, uidvalidity, uids)


class _BoundedImap(imaplib.IMAP4):
    """The standard client, with a limit on what a server may make it hold in memory."""

    def read(self, size: int) -> bytes:
        """Read a literal, if it is not larger than any that was asked for."""
        if size > SIZE_MAX_BYTES + 1:
            raise self.abort("literal too large")
        return super().read(size)


class _BoundedImapTls(imaplib.IMAP4_SSL, _BoundedImap):
    """The same from the first byte on TLS."""


class _Mailbox(BaseMailBox):
    """The mailbox of imap-tools over the bounded client, private before anything is said."""

    def __init__(self, account: Account, context: ssl.SSLContext) -> None:
        self._account = account
        self._context = context
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        host, port = self._account.imap_host, self._account.imap_port
        if self._account.security == "tls":
            return _BoundedImapTls(host, port, ssl_context=self._context, timeout=TIMEOUT_SECONDS)
        client = _BoundedImap(host, port, timeout=TIMEOUT_SECONDS)
        try:
            client.starttls(self._context)  # refuses to go on when it is not offered
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
        return client


@dataclass(frozen=True, slots=True)
class _Visit:
    """One visit of a folder: connect, log in, look, leave."""

    account: Account
    folder: str

    def fetch_new(self, after: Position | None, limit: int, size_max_bytes: int) -> list[Fetched]:
        with self._open(readonly=True) as (mailbox, uidvalidity):
            first = after.uid + 1 if after and after.uidvalidity == uidvalidity else 1
            found = mailbox.uids(f"UID {first}:*", charset=None)
            # "n:*" always names the last mail too, even when its number is below n.
            uids = sorted(uid for uid in map(int, found) if uid >= first)[:limit]
            fetched: list[Fetched] = []
            weight = 0
            for uid, size in _sizes(mailbox, uids):
                weight += size
                if fetched and weight > VISIT_MAX_BYTES:
                    break
                raw = _raw(mailbox, uid, size_max_bytes) if size <= size_max_bytes else None
                if raw is not None or size > size_max_bytes:  # neither: gone since the search
                    fetched.append(Fetched(uidvalidity, uid, size, raw))
            return fetched

    def mark_seen(self, uidvalidity: int, uids: Sequence[int]) -> bool:
        with self._open(readonly=False) as (mailbox, current):
            if current != uidvalidity:
                return False
            # Not the library's flag(): it expunges, and mails stay on the server.
            for start in range(0, len(uids), FETCH_MAX):
                chosen = ",".join(str(uid) for uid in uids[start : start + FETCH_MAX])
                _demand_ok(mailbox.client.uid("STORE", chosen, "+FLAGS.SILENT", r"(\Seen)"))
            return True

    @contextmanager
    def _open(self, *, readonly: bool) -> Iterator[tuple[Any, int]]:
        """Give the mailbox with its folder selected, and its UIDVALIDITY."""
        try:
            with _logged_in(self.account) as mailbox:
                mailbox.folder.set(self.folder, readonly=readonly)
                yield mailbox, _uidvalidity(mailbox.client)
        except (OSError, ValueError, Unavailable, imaplib.IMAP4.error, ImapToolsError) as error:
            # "from None": replies of a server are nothing for a log.
            raise MailboxUnavailable(_reason(error)) from None


def _reason(error: Exception) -> Reason:
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return "protocol"


@contextmanager
def _logged_in(account: Account) -> Iterator[Any]:
    try:
        mailbox = _Mailbox(account, client_context(account))
    except imaplib.IMAP4.error as error:
        if "TLS" in str(error):  # "TLS not supported by server": never in clear text
            raise ssl.SSLError("STARTTLS not offered") from None
        raise
    try:
        plain = (account.username + account.password).isascii()
        login = mailbox.login if plain else mailbox.login_utf8  # LOGIN takes ASCII only
        login(account.username, account.password, initial_folder=None)
        yield mailbox
    finally:
        try:
            mailbox.logout()
        except (imaplib.IMAP4.error, ImapToolsError, OSError):
            with suppress(OSError):
                mailbox.client.shutdown()  # a goodbye that failed leaves the socket open


def _uidvalidity(client: imaplib.IMAP4) -> int:
    answers = client.response("UIDVALIDITY")[1]
    if not answers or not answers[-1]:
        raise ValueError("no UIDVALIDITY")
    return int(answers[-1])


def _sizes(mailbox: Any, uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give each UID that is still there with its size, in order."""
    if not uids:
        return
    lines = _demand_ok(mailbox.client.uid("FETCH", ",".join(map(str, uids)), "(RFC822.SIZE)"))
    sizes = {}
    for line in lines:
        if not isinstance(line, bytes):
            continue
        uid, size = _UID.search(line), _SIZE.search(line)
        if uid and size:
            sizes[int(uid.group(1))] = int(size.group(1))
    for uid_wanted in uids:
        if uid_wanted in sizes:
            yield uid_wanted, sizes[uid_wanted]


def _raw(mailbox: Any, uid: int, size_max_bytes: int) -> bytes | None:
    """Give a mail's bytes as the server has them, or None when it is gone or grew too large."""
    span = f"(BODY.PEEK[]<0.{size_max_bytes + 1}>)"
    for part in _demand_ok(mailbox.client.uid("FETCH", str(uid), span)):
        if isinstance(part, tuple) and _is_of(part[0], uid) and len(part[1]) <= size_max_bytes:
            return bytes(part[1])
    return None


def _is_of(head: bytes, uid: int) -> bool:
    found = _UID.search(head)
    return found is None or int(found.group(1)) == uid


def _demand_ok(result: tuple[str, list[Any]]) -> list[Any]:
    if result[0] != "OK":
        raise imaplib.IMAP4.error("command refused")
    return result[1]
