"""The same on uvloop, which the server runs on: its transports are not those of asyncio."""

from pathlib import Path
from typing import Any

import pytest

from passerelle.messaging.receiving.imap import fetch_new
from passerelle.messaging.receiving.receipts import read
from passerelle.messaging.sending.mail import build
from passerelle.messaging.sending.smtp import send
from passerelle.messaging.sending.smtp_replies import SendDeferred, SendUncertain
from passerelle.simulation.mailboxes import Behaviour
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import DOCTOR, GATEWAY, a_mail, account_at, open_mailboxes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return ("asyncio", {"use_uvloop": True})


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_mail_leaves_and_its_receipts_come_back(tmp_path: Path, implicit: bool) -> None:
    async with (
        Operator(tmp_path / "one", implicit_tls=implicit) as operator,
        Operator(tmp_path / "other") as other,
    ):
        open_mailboxes(operator)
        operator.mailbox(DOCTOR).behaviour = Behaviour(reads=True)
        account = account_at(operator)
        raw = build(a_mail())
        assert (await send(account, raw, recipient=DOCTOR, envelope_id="1")).code == 250
        assert operator.accepted[0].raw == raw
        await operator.mailbox(GATEWAY).holds(2)
        receipts = [read(each.raw or b"") for each in await fetch_new(account)]
        assert [receipt.outcome for receipt in receipts] == ["delivered", "read"]

        operator.faults.lose_after_data = 1
        with pytest.raises(SendUncertain):
            await send(account, raw, recipient=DOCTOR, envelope_id="1")
        operator.faults.lose_before_data = 1
        with pytest.raises(SendDeferred) as lost:
            await send(account, raw, recipient=DOCTOR, envelope_id="1")
        assert lost.value.reason == "connection"
        distrustful = account_at(operator, ca_file=other.certificates.ca_file)
        with pytest.raises(SendDeferred) as untrusted:
            await send(distrustful, raw, recipient=DOCTOR, envelope_id="1")
        assert untrusted.value.reason == "tls"
