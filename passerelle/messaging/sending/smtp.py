"""Sending one mail to one recipient by SMTP, and telling exactly what became of it.

RFC 5321 (transaction; section 4.5.3.2 for the timeouts), RFC 3207 (STARTTLS), RFC 3461 (DSN
parameters), RFC 1870 (SIZE). Référentiel socle MSSanté #2, ECO.1.0.1, ECO.2.3.1.
https://www.rfc-editor.org/rfc/rfc5321#section-3.3

Four endings, and no other: ``Sent``; ``SendRefused`` (this mail will not pass, or not until a
person has acted); ``SendDeferred`` (nothing was taken, try later); ``SendUncertain`` (the bytes
were handed over and the answer never came).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiosmtplib

from passerelle.errors.refusals import Unavailable, Unprocessable
from passerelle.messaging.accounts import Account
from passerelle.messaging.addresses import addr_spec, check_address
from passerelle.messaging.sending.smtp_replies import (
    Phase,
    SendDeferred,
    SendRefused,
    SendUncertain,
    before_mail,
    of_transaction,
    scrubbed,
)
from passerelle.messaging.tls import client_context

SLICE_BYTES = 65_536
"""Written at a time, so that a large mail does not hold the event loop."""

ENVELOPE_ID_MAX = 100
QUIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each step may take, after RFC 5321 section 4.5.3.2."""

    connect_seconds: float = 60.0
    command_seconds: float = 300.0
    data_seconds: float = 120.0
    end_of_data_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken the mail and answers for it: its code, and its text scrubbed."""

    code: int
    text: str


DEFAULT_TIMEOUTS = Timeouts()


async def send(
    account: Account,
    raw: bytes,
    *,
    recipient: str,
    envelope_id: str,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> Sent:
    """Send written bytes to one recipient, in a connection of their own.

    ``envelope_id`` comes back in delivery reports (ENVID). Raises SendRefused, SendDeferred or
    SendUncertain; Unprocessable (mss.address-invalid) when the recipient or the account's
    address is not an address. A task cancelled while the bytes are handed over is uncertain too.
    """
    faults = check_address(recipient, "recipient") + check_address(account.address, "account")
    if faults:
        raise Unprocessable(*faults)
    if not (0 < len(envelope_id) <= ENVELOPE_ID_MAX and envelope_id.isascii()):
        raise ValueError("an envelope id has 1 to 100 ASCII characters")
    wire = await asyncio.to_thread(_on_the_wire, raw)
    async with _session(account, timeouts) as client:
        await _envelope(client, account, recipient, envelope_id, len(wire), timeouts)
        sent = await _hand_over(client, wire, timeouts)
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=QUIT_SECONDS)  # polite only: the mail is theirs by now
        return sent


@asynccontextmanager
async def _session(account: Account, timeouts: Timeouts) -> AsyncIterator[aiosmtplib.SMTP]:
    """Give a private, recognised connection, closed on the way out; raises SendDeferred."""
    try:
        context = await asyncio.to_thread(client_context, account)
    except Unavailable:
        raise SendDeferred(None, "tls") from None
    client = aiosmtplib.SMTP(
        hostname=account.smtp_host,
        port=account.smtp_port,
        local_hostname=account.address.rpartition("@")[2],
        timeout=timeouts.command_seconds,
        use_tls=account.security == "tls",
        start_tls=False,  # asked for below, where its absence can be told from its failure
        tls_context=context,
    )
    try:
        try:
            await _open(client, account, timeouts)
        except (aiosmtplib.SMTPException, OSError) as error:
            # "from None" here and below: what the library raises quotes addresses and replies,
            # and would follow ours into a log.
            raise _opening_fault(error) from None
        yield client
    finally:
        client.close()


async def _open(client: aiosmtplib.SMTP, account: Account, timeouts: Timeouts) -> None:
    await client.connect(timeout=timeouts.connect_seconds)
    await client.ehlo()
    if account.security == "starttls":
        if not client.supports_extension("starttls"):
            raise SendDeferred(None, "tls")  # never in clear text
        try:
            await client.starttls()
            # In TLS 1.3 a server that misses our certificate cuts us after the handshake.
            await client.ehlo()
        except aiosmtplib.SMTPServerDisconnected:
            raise SendDeferred(None, "tls") from None
    if account.username:
        await client.login(account.username, account.password)


def _opening_fault(error: Exception) -> SendDeferred:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return before_mail(error.code, error.message)
    if _is_tls(error):
        return SendDeferred(None, "tls")
    if isinstance(error, OSError):  # timeouts and disconnections of the library are OSErrors
        return SendDeferred(None, "connection")
    return SendDeferred(None, "authentication")  # no AUTH offered, or none that we speak


def _is_tls(error: BaseException | None) -> bool:
    """Tell whether TLS is at the root: an alert comes wrapped in a lost connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__
    return False


async def _envelope(
    client: aiosmtplib.SMTP,
    account: Account,
    recipient: str,
    envelope_id: str,
    size: int,
    timeouts: Timeouts,
) -> None:
    """Say who sends, to whom, how large; ask for delivery reports where they are offered."""
    mail_options, rcpt_options = [], []
    if client.supports_extension("size"):
        limit = client.esmtp_extensions.get("size", "")
        if limit.isdigit() and 0 < int(limit) < size:
            raise SendRefused(True, 552, "5.3.4")
        mail_options.append(f"SIZE={size}")
    to = addr_spec(recipient) or recipient
    if client.supports_extension("dsn"):
        mail_options += ["RET=HDRS", f"ENVID={_xtext(envelope_id)}"]
        rcpt_options += ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(to)}"]
    timeout = timeouts.command_seconds
    async with _translated("mail"):
        await client.mail(account.address, options=mail_options, timeout=timeout)
    async with _translated("rcpt"):
        await client.rcpt(to, options=rcpt_options, timeout=timeout)


async def _hand_over(client: aiosmtplib.SMTP, wire: bytes, timeouts: Timeouts) -> Sent:
    """Give the bytes, and the server's answer after the final dot."""
    async with _translated("data"):
        reply = await client.execute_command(b"DATA", timeout=timeouts.data_seconds)
        if reply.code != 354:
            raise of_transaction("data", reply.code, reply.message)
    async with _translated("end-of-data"):
        reply = await _answer_to(client, wire, timeouts.end_of_data_seconds)
        if not 200 <= reply.code <= 299:
            raise of_transaction("end-of-data", reply.code, reply.message)
    return Sent(reply.code, scrubbed(reply.message))


async def _answer_to(
    client: aiosmtplib.SMTP, wire: bytes, timeout_seconds: float
) -> aiosmtplib.SMTPResponse:
    protocol = client.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    # The answer is awaited from before the first byte: a server may refuse half way.
    answer = asyncio.create_task(protocol.read_response(timeout=timeout_seconds))
    try:
        await asyncio.sleep(0)
        for start in range(0, len(wire), SLICE_BYTES):
            if answer.done() or not protocol.is_connected:
                break
            protocol.write(wire[start : start + SLICE_BYTES])
            await asyncio.sleep(0)
        return await answer
    finally:
        answer.cancel()


@asynccontextmanager
async def _translated(phase: Phase) -> AsyncIterator[None]:
    """Turn what the library raises in a phase into one of our faults."""
    try:
        yield
    except aiosmtplib.SMTPResponseException as error:
        raise of_transaction(phase, error.code, error.message) from None
    except (aiosmtplib.SMTPException, OSError):
        if phase == "end-of-data":
            raise SendUncertain from None
        raise SendDeferred(None, "connection") from None


def _on_the_wire(raw: bytes) -> bytes:
    """Give the bytes between DATA and its answer: CRLF line ends only, dots stuffed, the end.

    Line ends that are not CRLF could be read as the end of the mail by one server and not by
    the next (CVE-2023-51764), so none leaves.
    """
    lines = raw.count(b"\r\n")
    if raw.count(b"\n") != lines or raw.count(b"\r") != lines:
        raw = b"\r\n".join(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    if not raw.endswith(b"\r\n"):
        raw += b"\r\n"
    if raw.startswith(b"."):
        raw = b"." + raw
    return raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _xtext(text: str) -> str:
    """Write ASCII text as a DSN parameter's value (RFC 3461 section 4)."""
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )
