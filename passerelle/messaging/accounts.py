"""The account that the gateway sends and reads mail with, at an MSSanté operator.

Référentiel socle MSSanté #2, ECO.1.0.1, ECO.1.0.2, ECO.1.1.10: SMTP and IMAP with STARTTLS and
a dedicated authority; the ports are the operator's own. https://esante.gouv.fr/produits-services/mssante
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

Security: TypeAlias = Literal["starttls", "tls"]
"""How the connection becomes private: upgraded before any command, or from the first byte."""

SIZE_MAX_BYTES = 10_000_000
"""Size of an encoded message that operators are seen to accept when they say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One mailbox at one operator; made from the settings, never changed.

    ``display`` is the From label (see ``sender_labels``), ``nil`` the product reference number
    for X-MSS-NIL. An empty ``username`` means that the client certificate alone tells who we
    are; ``ciphers`` (an OpenSSL cipher string) narrows what TLS 1.2 may use.
    Nothing secret shows in the repr.
    """

    address: str
    display: str
    nil: str
    smtp_host: str
    imap_host: str
    ca_file: Path
    smtp_port: int = 587
    imap_port: int = 143
    security: Security = "starttls"
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    client_certificate: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    crl_file: Path | None = None
    ciphers: str | None = None
    size_max_bytes: int = SIZE_MAX_BYTES
