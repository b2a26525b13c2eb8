"""The simulated operator in a process of its own: what it keeps survives the gateway's death."""

import json
import smtplib
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.flows.gateway_process import CLEAN, END_SECONDS

GATEWAY = "dac81@demo.mssante.fr"
DOCTOR = "sophie.martin@demo.mssante.fr"
PASSWORD = "mot de passe d'essai"


class OperatorProcess:
    """One operator with the gateway's mailbox and a doctor's, on disk below a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        mailboxes = [f"--mailbox={address}={PASSWORD}" for address in (GATEWAY, DOCTOR)]
        command = [sys.executable, "-m", "passerelle.simulation", f"--folder={folder}"]
        self.process = subprocess.Popen(
            [*command, *mailboxes, *arguments], env=CLEAN, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.doors: dict[str, Any] = json.loads(self.process.stdout.readline())

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a gateway that meets this operator."""
        return {
            "mss_address": GATEWAY,
            "mss_display": "DAC du Tarn",
            "mss_nil": "DEMO-0001",
            "mss_smtp_host": self.doors["host"],
            "mss_smtp_port": str(self.doors["smtp_port"]),
            "mss_imap_host": self.doors["host"],
            "mss_imap_port": str(self.doors["imap_port"]),
            "mss_security": "starttls",
            "mss_username": GATEWAY,
            "mss_password": PASSWORD,
            "mss_ca_file": self.doors["ca_file"],
            "mss_white_list": self.doors["white_list"],
            "mss_poll_seconds": "0.1",
            "emitter_name": "DAC du Tarn (essai)",
            "emitter_finess": "810000000",
        }

    def post(self, raw: bytes, *, sender: str = DOCTOR, recipient: str = GATEWAY) -> None:
        """Submit a mail, as the software of a correspondent does."""
        context = ssl.create_default_context(cafile=self.doors["ca_file"])
        with smtplib.SMTP(self.doors["host"], self.doors["smtp_port"], timeout=30) as server:
            server.starttls(context=context)
            server.login(sender, PASSWORD)
            server.sendmail(sender, [recipient], raw)

    def mails(self, address: str) -> list[bytes]:
        """Give the mails of a mailbox, in the order in which they came."""
        folder = self.folder / "mailboxes" / address
        files = sorted(folder.glob("*.eml"), key=lambda file: int(file.stem))
        return [file.read_bytes() for file in files]

    def __enter__(self) -> "OperatorProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Leave no process behind."""
        self.process.terminate()
        self.process.wait(END_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
