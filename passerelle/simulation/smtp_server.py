"""The door of the simulated operator: submission by SMTP, private and recognised.

STARTTLS is mandatory before AUTH, AUTH before MAIL; SIZE, 8BITMIME and DSN are offered.
https://www.rfc-editor.org/rfc/rfc6409 ; DSN: https://www.rfc-editor.org/rfc/rfc3461
"""

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from passerelle.simulation.mailboxes import Mailboxes

COMMAND_MAX = 2048
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


@dataclass(slots=True)
class Faults:
    """What goes wrong at the door, for the next so many mails; counts go down as it happens."""

    defer: int = 0  # 451 at RCPT
    refuse_data: int = 0  # 554 after the final dot
    lose_before_data: int = 0  # the connection is cut instead of 354
    lose_after_data: int = 0  # the connection is cut instead of the final answer
    keeps_what_it_loses: bool = True  # and whether the mail was kept all the same
    delay_seconds: float = 0.0  # before each final answer

    def take(self, name: str) -> bool:
        """Tell whether a fault is due, and count it down."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """One mail for one recipient as the door took it."""

    sender: str
    recipient: str
    raw: bytes = field(repr=False)
    envelope_id: str | None
    original_recipient: str | None
    notify: frozenset[str]
    full: bool


class SubmissionProtocol(SMTP):
    """aiosmtpd's server, which knows no DSN parameters, taught to take them."""

    command_size_limits: ClassVar[Any] = defaultdict(lambda: COMMAND_MAX)  # type: ignore[misc]

    def __init__(self, handler: Any, **settings: Any) -> None:
        super().__init__(handler, **settings)
        self.mail_parameters: dict[str, str] = {}
        self.rcpt_parameters: dict[str, dict[str, str]] = {}

    async def smtp_MAIL(self, arg: str | None) -> None:
        """Keep RET and ENVID aside, then go on as usual."""
        rest, self.mail_parameters = _without(arg, ("RET", "ENVID"))
        self.rcpt_parameters = {}
        await super().smtp_MAIL(rest)

    async def smtp_RCPT(self, arg: str | None) -> None:
        """Keep NOTIFY and ORCPT aside, then go on as usual."""
        rest, found = _without(arg, ("NOTIFY", "ORCPT"))
        address = (rest or "").partition("<")[2].partition(">")[0].lower()
        self.rcpt_parameters[address] = found
        await super().smtp_RCPT(rest)

    async def smtp_DATA(self, arg: str | None) -> None:
        """Go on as usual, unless the connection is to be lost here."""
        if self.event_handler.loses_before_data():
            await self.cut()
        await super().smtp_DATA(arg or "")

    async def cut(self) -> None:
        """Cut the connection without a word; it ends the task that serves it."""
        self.abort()
        await asyncio.get_running_loop().create_future()

    def abort(self) -> None:
        """Let the connection fall."""
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()


class Submission:
    """The hooks of the door: who may send, to whom, and what becomes of it."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        faults: Faults,
        deliver: Callable[[Accepted], None],
        *,
        size_max_bytes: int,
    ) -> None:
        self.size_max_bytes = size_max_bytes
        self._mailboxes = mailboxes
        self._faults = faults
        self._deliver = deliver
        self._open: WeakSet[SubmissionProtocol] = WeakSet()

    def protocol(self, context: ssl.SSLContext | None, *, implicit_tls: bool) -> SubmissionProtocol:
        """Make the protocol of one connection; without a context STARTTLS is not offered."""
        upgraded = context is not None and not implicit_tls
        protocol = SubmissionProtocol(
            self,
            loop=asyncio.get_running_loop(),
            hostname="operateur.example",
            ident="ESMTP",
            data_size_limit=self.size_max_bytes,
            tls_context=context if upgraded else None,
            require_starttls=upgraded,
            auth_require_tls=not implicit_tls,
            auth_required=not implicit_tls,  # else asked for in handle_MAIL
            authenticator=self._authenticate,
        )
        self._open.add(protocol)
        return protocol

    def cut_all(self) -> None:
        """Cut every connection that is open."""
        for protocol in list(self._open):
            protocol.abort()

    def loses_before_data(self) -> bool:
        """Tell whether the connection is to be lost at this DATA."""
        return self._faults.take("lose_before_data")

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        mailbox = self._mailboxes.find(data.login.decode("utf-8", "replace"))
        known = mailbox is not None and mailbox.password.encode("utf-8") == data.password
        return AuthResult(success=known, handled=False, auth_data=data)

    async def handle_EHLO(
        self,
        server: Any,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer DSN and enhanced status codes too."""
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender that is the one who logged in, or the empty one of reports."""
        known: Any = session.auth_data  # not typed by the library
        if not isinstance(known, LoginPassword):
            return "530 5.7.0 Authentication required"
        login = known.login.decode("utf-8", "replace")
        if address not in ("", "<>") and address.lower() != login.lower():
            return "553 5.7.1 Sender address is not yours"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient whose mailbox is here."""
        if self._faults.take("defer"):
            return "451 4.3.0 Try again later"
        if address.lower().rpartition("@")[2] not in self._mailboxes.domains():
            return "550 5.1.2 No such domain"
        if self._mailboxes.find(address) is None:
            return f"550 5.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(
        self, server: SubmissionProtocol, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail, for each of its recipients, and deliver it before answering."""
        raw = bytes(envelope.original_content or b"")
        refusal = self._refusal(envelope, raw)
        if refusal:
            return refusal
        loses = self._faults.take("lose_after_data")
        if not loses or self._faults.keeps_what_it_loses:
            for recipient in envelope.rcpt_tos:
                self._deliver(_accepted(server, envelope, recipient, raw))
        if self._faults.delay_seconds:
            await asyncio.sleep(self._faults.delay_seconds)
        if loses:
            await server.cut()
        return "250 2.0.0 OK: taken"

    async def handle_exception(self, error: Exception) -> str:
        """Answer a fault of the simulation itself."""
        return "451 4.3.0 Internal error"

    def _refusal(self, envelope: Envelope, raw: bytes) -> str | None:
        if self._faults.take("refuse_data"):
            return "554 5.7.1 Refused by policy"
        for recipient in envelope.rcpt_tos:
            mailbox = self._mailboxes.find(recipient)
            if mailbox is None or len(raw) > mailbox.size_max_bytes:
                return "552 5.2.2 Mailbox full"
        return None


def _accepted(
    server: SubmissionProtocol, envelope: Envelope, recipient: str, raw: bytes
) -> Accepted:
    asked = server.rcpt_parameters.get(recipient.lower(), {})
    return Accepted(
        sender=(envelope.mail_from or "").strip("<>"),
        recipient=recipient,
        raw=raw,
        envelope_id=_from_xtext(server.mail_parameters.get("ENVID")),
        original_recipient=_from_xtext(asked.get("ORCPT")),
        notify=frozenset(asked.get("NOTIFY", "").upper().split(",")) - {""},
        full=server.mail_parameters.get("RET", "").upper() == "FULL",
    )


def _without(arg: str | None, names: tuple[str, ...]) -> tuple[str | None, dict[str, str]]:
    """Take some parameters out of a command's argument; give the rest and what was found."""
    if arg is None or ">" not in arg:
        return arg, {}
    path, _, options = arg.rpartition(">")
    found: dict[str, str] = {}
    kept: list[str] = []
    for option in options.split():
        name, _, value = option.partition("=")
        if name.upper() in names and value:
            found[name.upper()] = value
        else:
            kept.append(option)
    return " ".join([path + ">", *kept]), found


def _from_xtext(text: str | None) -> str | None:
    if text is None:
        return None
    return _XTEXT.sub(lambda found: chr(int(found.group(1), 16)), text)
