"""A simulated MSSanté operator: real SMTP and IMAP on loopback, mailboxes, receipts, faults.

It knows nothing of the gateway. It takes mail by submission (STARTTLS, AUTH), delivers it to its
own mailboxes, sends back the receipts that its correspondents would, and lets mailboxes be read
by IMAP. Référentiel socle MSSanté #1 and #2. https://esante.gouv.fr/produits-services/mssante
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from uuid import uuid4

from passerelle.simulation.certificates import Certificates, make_certificates, server_context
from passerelle.simulation.imap_connection import ImapConnection
from passerelle.simulation.imap_server import ImapSession
from passerelle.simulation.mailboxes import Behaviour, Clock, Mailbox, Mailboxes
from passerelle.simulation.reports import (
    Origin,
    Stamp,
    automatic_reply,
    delivery_report,
    read_report,
)
from passerelle.simulation.smtp_server import Accepted, Faults, Submission
from passerelle.simulation.white_list import white_list_xml

REMEMBERED = 1_000
"""Mails that ``accepted`` remembers."""


def _now() -> datetime:
    return datetime.now(UTC)


class Operator:
    """One operator; ``start`` and ``stop`` it in a running event loop, or use ``async with``.

    ``folder`` holds its certificates and, when ``on_disk``, its mailboxes. Ports of 0 are chosen
    by the system. ``offers_starttls`` and ``demands_client`` are for tests of what is refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        imap_port: int = 0,
        implicit_tls: bool = False,
        offers_starttls: bool = True,
        demands_client: bool = False,
        on_disk: bool = False,
        size_max_bytes: int = 25_000_000,
        clock: Clock = _now,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self.host = host
        self.smtp_port = smtp_port
        self.imap_port = imap_port
        self.implicit_tls = implicit_tls
        self.faults = Faults()
        self.accepted: deque[Accepted] = deque(maxlen=REMEMBERED)
        self.mailboxes = Mailboxes(clock=clock, folder=folder / "mailboxes" if on_disk else None)
        self.certificates: Certificates = make_certificates(folder / "tls", now=clock())
        self._context = server_context(self.certificates, demand_client=demands_client)
        self._offers_starttls = offers_starttls
        self._clock = clock
        self._new_id = new_id
        self._submission = Submission(
            self.mailboxes, self.faults, self._deliver, size_max_bytes=size_max_bytes
        )
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open both doors."""
        loop = asyncio.get_running_loop()
        implicit = self._context if self.implicit_tls else None
        upgrade = self._context if self._offers_starttls else None
        smtp = await loop.create_server(
            lambda: self._submission.protocol(upgrade, implicit_tls=self.implicit_tls),
            self.host,
            self.smtp_port,
            ssl=implicit,
        )
        self._servers.append(smtp)
        imap = await asyncio.start_server(
            lambda reader, writer: self._read_mail(reader, writer, upgrade),
            self.host,
            self.imap_port,
            ssl=implicit,
        )
        self._servers.append(imap)
        self.smtp_port = smtp.sockets[0].getsockname()[1]
        self.imap_port = imap.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the doors and end what is going on."""
        for server in self._servers:
            server.close()
        self._submission.cut_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._servers.clear()

    async def __aenter__(self) -> "Operator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def create(self, address: str, password: str, *, behaviour: Behaviour | None = None) -> Mailbox:
        """Open a mailbox whose owner behaves so; its domain becomes one of the operator's."""
        return self.mailboxes.create(address, password, behaviour=behaviour)

    def mailbox(self, address: str) -> Mailbox:
        """Give a mailbox; raises KeyError when there is none."""
        found = self.mailboxes.find(address)
        if found is None:
            raise KeyError(address)
        return found

    def white_list(self) -> bytes:
        """Give the white list with the operator's domains, as XML."""
        return white_list_xml(sorted(self.mailboxes.domains()), generated_at=self._clock())

    def read(self, address: str, uid: int) -> None:
        """Let the owner of a mailbox open a mail: seen, and the receipt that was asked for."""
        mailbox = self.mailbox(address)
        mailbox.flag(uid, mailbox.messages[uid].flags | {"\\Seen"})
        origin = _origin_of(mailbox, mailbox.messages[uid].raw)
        self._answer_mdn(origin, None)

    def refuse(self, address: str, uid: int, code: str, label: str) -> None:
        """Let the software behind a mailbox refuse a document (codes 900 to 906)."""
        mailbox = self.mailbox(address)
        origin = _origin_of(mailbox, mailbox.messages[uid].raw)
        self._answer_mdn(origin, (code, label))

    def _deliver(self, accepted: Accepted) -> None:
        """Put a taken mail in its mailbox, or send it back, and start the receipts."""
        self.accepted.append(accepted)
        mailbox = self.mailbox(accepted.recipient)
        behaviour = mailbox.behaviour
        origin = Origin(
            accepted.raw,
            accepted.sender,
            mailbox.address,
            accepted.envelope_id,
            accepted.original_recipient,
            accepted.full,
        )
        if behaviour.bounces is not None:
            if "NEVER" not in accepted.notify:
                self._answer(origin, delivery_report, action="failed", status=behaviour.bounces)
            return
        trace = (
            f"Return-Path: <{accepted.sender}>\r\n"
            f"Received: from submission by operateur.example with ESMTPSA id {self._new_id()};\r\n"
            f" {format_datetime(self._clock())}\r\n"
        )
        uid = mailbox.deliver(trace.encode("ascii") + accepted.raw)
        if "SUCCESS" in accepted.notify:
            self._answer(origin, delivery_report, action="delivered", status="2.0.0")
        self._behave(mailbox, uid, origin)

    def _behave(self, mailbox: Mailbox, uid: int, origin: Origin) -> None:
        behaviour = mailbox.behaviour
        if behaviour.is_away and not _is_automatic(origin):
            self._answer(origin, automatic_reply)
        if behaviour.refuses is not None:
            self._answer_mdn(origin, behaviour.refuses)
        if behaviour.integrates:
            self._answer_mdn(origin, None, "automatic-action/MDN-sent-automatically; processed")
        if behaviour.reads:
            task = asyncio.get_running_loop().create_task(self._read_later(mailbox, uid))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _read_later(self, mailbox: Mailbox, uid: int) -> None:
        await asyncio.sleep(mailbox.behaviour.reads_after_seconds)
        if uid in mailbox.messages:
            self.read(mailbox.address, uid)

    def _answer_mdn(
        self,
        origin: Origin,
        failure: tuple[str, str] | None,
        disposition: str = "manual-action/MDN-sent-manually; displayed",
    ) -> None:
        """Send an MDN, if one was asked for by the sender of the envelope and nobody else."""
        asked = origin.header("Disposition-Notification-To").strip("<> ")
        if asked and asked.lower() == origin.sender.lower():
            self._answer(origin, read_report, disposition=disposition, failure=failure)

    def _answer(self, origin: Origin, write: Callable[..., bytes], **how: object) -> None:
        """Deliver a receipt to the sender's mailbox, with the empty return path of receipts."""
        mailbox = self.mailboxes.find(origin.sender) if origin.sender else None
        if mailbox is None:
            return
        domain = origin.recipient.rpartition("@")[2]
        stamp = Stamp(f"<{self._new_id()}@{domain}>", self._clock())
        mailbox.deliver(b"Return-Path: <>\r\n" + write(origin, stamp, **how))

    async def _read_mail(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upgrade: ssl.SSLContext | None,
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = ImapConnection(reader, writer, upgrade, private=self.implicit_tls)
        await ImapSession(connection, self.mailboxes).serve()


def _origin_of(mailbox: Mailbox, raw: bytes) -> Origin:
    """Say what a mail in a mailbox is, from the Return-Path that delivery wrote on top."""
    sender = Origin(raw, "", mailbox.address).header("Return-Path").strip("<> ")
    return Origin(raw, sender, mailbox.address)


def _is_automatic(origin: Origin) -> bool:
    submitted = origin.header("Auto-Submitted")
    return not origin.sender or submitted.lower() not in ("", "no")
