"""What a reply of an SMTP server means for the mail: one table by phase and class of code.

RFC 5321 section 4.2.1 (classes), RFC 3463 (enhanced status codes), RFC 4954 section 6 (AUTH).
https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1

Replies name the recipient as they please; a citizen's address is a matricule. So a fault keeps
codes only, and what is kept of a text is scrubbed first.
"""

import re
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "temporary", "connection", "tls", "authentication", "service", "protocol"
]
"""Why a mail waits: the server said so; no connection; no private connection; not recognised;
the server serves nobody; it does not speak SMTP."""

BOUNDED: frozenset[Reason] = frozenset({"tls", "authentication", "service", "protocol"})
"""Reasons that time alone seldom heals: a person is called long before the last attempt."""

Phase: TypeAlias = Literal["mail", "rcpt", "data", "end-of-data"]

AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
TEXT_MAX = 200

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|\Z)")
_ADDRESS = re.compile(r"(?<!\S)\S*@\S*")
_MATRICULE = re.compile(r"[1-8]\d{4}(?:\d{2}|2[AB])\d{6}(?:\d{2})?")


class SendFault(Exception):
    """A mail that was not taken, or not surely: never raised itself, always one of the below.

    ``code`` is the server's reply code if it gave one, ``enhanced`` its status (``5.1.1``).
    """

    def __init__(self, code: int | None, enhanced: str | None) -> None:
        """Keep the codes; the message is made of nothing else, so that it can be logged."""
        self.code = code if code and code > 0 else None  # the library says -1 for nonsense
        super().__init__(f"{type(self).__name__} {self.code or '-'} {enhanced or '-'}")
        self.enhanced = enhanced


class SendRefused(SendFault):
    """The server will not take this mail; unless ``permanent``, a person may heal it (quota)."""

    def __init__(self, permanent: bool, code: int | None, enhanced: str | None = None) -> None:
        """Keep whether the refusal is for ever."""
        super().__init__(code, enhanced)
        self.permanent = permanent


class SendDeferred(SendFault):
    """Nothing was taken: try again later, and not for ever when ``bounded``."""

    def __init__(
        self, code: int | None, reason: Reason = "temporary", enhanced: str | None = None
    ) -> None:
        """Keep the reason."""
        super().__init__(code, enhanced)
        self.reason = reason

    @property
    def bounded(self) -> bool:
        """Tell whether time alone seldom heals it."""
        return self.reason in BOUNDED


class SendUncertain(SendFault):
    """The mail was handed over and the answer never came: it may have arrived.

    The same bytes under the same Message-ID may be sent again.
    """

    def __init__(self, code: int | None = None, enhanced: str | None = None) -> None:
        """Keep the code of an answer that could not be understood."""
        super().__init__(code, enhanced)


def before_mail(code: int, text: str) -> SendDeferred:
    """Judge a refusal at the greeting, EHLO, STARTTLS or AUTH: it never condemns the mail.

    A client certificate that is missing or not trusted comes back as 421 4.7.1 after the
    handshake, so the enhanced code counts for more than the class.
    """
    status = enhanced_status(text)
    if code in AUTHENTICATION_CODES or (status or "")[1:4] == ".7.":
        return SendDeferred(code, "authentication", status)
    if 400 <= code <= 499:
        return SendDeferred(code, "temporary", status)
    return SendDeferred(code, "service" if 500 <= code <= 599 else "protocol", status)


def of_transaction(phase: Phase, code: int, text: str) -> SendFault:
    """Judge a refusal at MAIL, RCPT, DATA or after the final dot."""
    status = enhanced_status(text)
    if 400 <= code <= 499:
        return SendDeferred(code, "temporary", status)
    if code in AUTHENTICATION_CODES:
        return SendDeferred(code, "authentication", status)
    if 500 <= code <= 599:
        return SendRefused(not _is_quota(phase, code, status), code, status)
    if phase == "end-of-data":
        return SendUncertain(code, status)
    return SendDeferred(code, "protocol", status)


def _is_quota(phase: Phase, code: int, status: str | None) -> bool:
    """Tell a full mailbox from a mail too large; 552 at MAIL answers SIZE, so it is the mail."""
    return status == "5.2.2" or (code == 552 and status is None and phase != "mail")


def enhanced_status(text: str) -> str | None:
    """Give the enhanced status code that a reply begins with, or None."""
    found = _ENHANCED.match(text)
    return found.group() if found else None


def scrubbed(text: str) -> str:
    """Give what may be kept of a reply: one short line without addresses nor matricules."""
    line = " ".join(text.split())
    line = _MATRICULE.sub("…", _ADDRESS.sub("…", line))
    return "".join(each for each in line if each.isprintable())[:TEXT_MAX]
