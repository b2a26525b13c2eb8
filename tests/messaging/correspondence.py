"""The mailboxes, the account and the mail that the tests of this folder write."""

from datetime import UTC, datetime
from typing import Any

from passerelle.messaging.accounts import Account
from passerelle.messaging.sending.mail import Attachment, Correspondent, Mail
from passerelle.simulation.operator import Operator

GATEWAY = "passerelle@chu.example"
DOCTOR = "dr.zoe@cabinet.example"


def open_mailboxes(operator: Operator) -> None:
    operator.create(GATEWAY, "secret de la passerelle")
    operator.create(DOCTOR, "secret du cabinet")


def account_at(operator: Operator, **changes: Any) -> Account:
    settings: dict[str, Any] = {
        "address": GATEWAY,
        "display": "CHU_Passerelle",
        "nil": "DEV000001",
        "smtp_host": operator.host,
        "smtp_port": operator.smtp_port,
        "imap_host": operator.host,
        "imap_port": operator.imap_port,
        "ca_file": operator.certificates.ca_file,
        "security": "tls" if operator.implicit_tls else "starttls",
        "username": GATEWAY,
        "password": "secret de la passerelle",
    }
    return Account(**{**settings, **changes})


def a_mail(**changes: Any) -> Mail:
    parts: dict[str, Any] = {
        "message_id": "<0123456789abcdef@chu.example>",
        "date": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        "sender": Correspondent(GATEWAY, "CHU_Passerelle"),
        "to": Correspondent(DOCTOR, "Docteur Zoé"),
        "subject": "XDM/1.0/DDM+LETTRE DE LIAISON ADRUN ZOE 31/12/1975",
        "text": "Bonjour,\nveuillez trouver ci-joint un document.\n",
        "attachments": (
            Attachment("IHE_XDM.ZIP", "application/zip", b"PK\x03\x04" + bytes(range(256)) * 40),
            Attachment("20260304_LETTRE_ADRUN_ZOE.pdf", "application/pdf", b"%PDF-1.4\n" * 30),
        ),
        "headers": (("X-MSS-NIL", "DEV000001"), ("X-MSS-INS", "O")),
        "receipt": True,
    }
    return Mail(**{**parts, **changes})
