"""Mail addresses: one strict grammar, exact domains, no guessing.

The standard library reads ``alice@mssante.fr<evil@x.org>`` as an address of mssante.fr; here an
address is a dot-atom, an at sign and a host name, or nothing.
https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2
"""

import re

import idna

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue

CITIZEN_DOMAIN = "patient.mssante.fr"
"""Domain of the citizens' mailboxes (Mon espace santé)."""

ADDRESS_MAX = 254
LOCAL_PART_MAX = 64
DOMAIN_MAX = 253

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")


def a_label(domain: str) -> str | None:
    """Give a domain in lower-case A-labels (IDNA), or None when it is not a host name.

    A name needs two labels at least; addresses between brackets are not accepted.
    """
    if not domain or len(domain) > DOMAIN_MAX:
        return None
    if not domain.isascii():
        if not domain.isprintable():  # IDNA would drop a zero-width space without a word
            return None
        try:
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    domain = domain.lower()
    return domain if len(domain) <= DOMAIN_MAX and _HOST.fullmatch(domain) else None


def addr_spec(text: str) -> str | None:
    """Give an address with its domain in A-labels, or None when the text is not an address.

    Only a bare address is one: no display name, no comment, no quoted local part, no spaces.
    """
    if len(text) > ADDRESS_MAX:
        return None
    local, at, domain = text.rpartition("@")
    host = a_label(domain)
    if not at or host is None or len(local) > LOCAL_PART_MAX or not _LOCAL_PART.fullmatch(local):
        return None
    address = f"{local}@{host}"
    return address if len(address) <= ADDRESS_MAX else None


def domain_of(address: str) -> str | None:
    """Give the domain of an address in A-labels, or None when it is not an address."""
    canonical = addr_spec(address)
    return None if canonical is None else canonical.rpartition("@")[2]


def is_citizen(address: str) -> bool:
    """Tell whether an address is a citizen's mailbox."""
    return domain_of(address) == CITIZEN_DOMAIN


def same_mailbox(one: str, other: str) -> bool:
    """Tell whether two addresses name the same mailbox (compared without case)."""
    first, second = addr_spec(one), addr_spec(other)
    return first is not None and second is not None and first.lower() == second.lower()


def check_address(text: str, expression: str | None = None) -> list[Issue]:
    """Give the faults of a text that should be an address."""
    return [] if addr_spec(text) else [issue("mss.address-invalid", expression)]
