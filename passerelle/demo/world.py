"""The outside world of the demonstration: a simulated MSSanté operator on loopback, and the
gateway's settings to meet it."""

import secrets
from pathlib import Path

from passerelle.demo.samples import DOCTOR, GATEWAY
from passerelle.settings import Settings, load
from passerelle.simulation.mailboxes import Behaviour
from passerelle.simulation.operator import Operator

READS_AFTER_SECONDS = 1.0
POLL_SECONDS = 0.5


async def start_world(folder: Path) -> tuple[Operator, str]:
    """Start the operator with the gateway's mailbox and a doctor's who reads her mail.

    Gives the operator and the password of the gateway's mailbox, made for this run.
    """
    operator = Operator(folder)
    password = secrets.token_urlsafe(16)
    operator.create(GATEWAY, password)
    reads = Behaviour(reads=True, reads_after_seconds=READS_AFTER_SECONDS)
    operator.create(DOCTOR, secrets.token_urlsafe(16), behaviour=reads)
    await operator.start()
    (folder / "liste-blanche.xml").write_bytes(operator.white_list())
    return operator, password


def demo_settings(folder: Path, operator: Operator, password: str, bind: str) -> Settings:
    """Give the settings of a gateway that meets this world; its record is a file of its own."""
    return load(
        database_url=f"sqlite:///{folder / 'passerelle.db'}",
        bind=bind,
        log_level="error",
        ins_allow_test=True,
        emitter_name="DAC du Tarn (démonstration)",
        emitter_finess="810000000",
        mss_address=GATEWAY,
        mss_display="DAC du Tarn",
        mss_nil="DEMO-0001",
        mss_smtp_host=operator.host,
        mss_smtp_port=operator.smtp_port,
        mss_imap_host=operator.host,
        mss_imap_port=operator.imap_port,
        mss_security="starttls",
        mss_username=GATEWAY,
        mss_password=password,
        mss_ca_file=operator.certificates.ca_file,
        mss_white_list=folder / "liste-blanche.xml",
        mss_poll_seconds=POLL_SECONDS,
    )
