"""Secure mail from end to end: a gateway in a process of its own, an operator that misbehaves.

The operator runs in the test, so that its faults and its mailboxes' owners can be told what to do.
"""

import asyncio
import base64
import io
import json
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from passerelle.demo import samples
from passerelle.simulation.mailboxes import Behaviour
from passerelle.simulation.operator import Operator
from tests.flows import record
from tests.flows.gateway_process import GatewayProcess, eventually

pytestmark = pytest.mark.anyio
EXTENSIONS = "https://passerelle.example/fhir/StructureDefinition/"
GATEWAY = samples.GATEWAY
STRANGER = "faux@autre.mssante.fr"
PASSWORD = "mot de passe d'essai"
MATRICULE = "279035121518989"
LETTER = b"%PDF-1.4\n% lettre de liaison\n"
SECONDS = 30.0


@dataclass(frozen=True)
class Outside:
    """The gateway, a client of it, the operator, and a doctor whom nobody wrote to before."""

    process: GatewayProcess
    client: httpx.AsyncClient
    operator: Operator
    doctor: str

    def dossier(self) -> dict[str, Any]:
        """Give a dossier of a qualified identity that was never pushed before."""
        made = samples.qualified(LETTER)
        made["id"]["value"] = made["person"]["identifiers"][0]["value"] = self.doctor
        return made

    async def push(self, dossier: dict[str, Any] | None = None) -> str:
        """Push a dossier; give the reference of its one document."""
        content = dossier or self.dossier()
        name = f"{content['id']['system']}|{content['id']['value']}"
        answer = await self.client.put(f"/dossiers/{name}", json=content)
        assert answer.status_code == 201, answer.text
        entries = answer.json()["entries"]
        (reference,) = [e["reference"] for e in entries if e["section"] == "documents"]
        return str(reference)

    async def ask(self, document: str, *recipients: str, **more: Any) -> httpx.Response:
        """Ask for a document to be sent, to the doctor when nobody is named."""
        named = recipients or (self.doctor,)
        listed = [{"name": "recipient", "valueString": one} for one in named]
        others = [{"name": name, **value} for name, value in more.items()]
        body = {"resourceType": "Parameters", "parameter": [*listed, *others]}
        return await self.client.post(f"/fhir/{document}/$send-mss", json=body)

    async def send(self, document: str, *recipients: str, **more: Any) -> str:
        """Ask for a document to be sent, which must be accepted; give its Communication."""
        answer = await self.ask(document, *recipients, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["parameter"][0]["valueReference"]["reference"])

    async def read(self, reference: str) -> dict[str, Any]:
        """Read a resource."""
        found: dict[str, Any] = (await self.client.get(f"/fhir/{reference}")).json()
        return found

    async def until(self, reference: str, *events: str) -> dict[str, Any]:
        """Wait until all those events stand on a Communication, and give it."""

        async def seen() -> dict[str, Any] | None:
            communication = await self.read(reference)
            known = {event for event, _ in events_of(communication)}
            return communication if known >= set(events) else None

        communication = await eventually(seen, SECONDS, f"{reference} is {events}")
        assert communication is not None
        return communication

    async def mails(self, count: int = 1) -> list[bytes]:
        """Wait for so many mails in the doctor's mailbox, and give them."""
        found = await asyncio.wait_for(self.operator.mailbox(self.doctor).holds(count), SECONDS)
        return [message.raw for message in found]

    def accepted(self) -> list[bytes]:
        """Give the mails to the doctor that the operator has taken."""
        taken = self.operator.accepted
        return [one.raw for one in taken if one.recipient.lower() == self.doctor]


@pytest.fixture(scope="module")
async def world(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[tuple[GatewayProcess, Operator]]:
    folder = tmp_path_factory.mktemp("mail")
    async with Operator(folder) as operator:
        operator.create(GATEWAY, PASSWORD)
        operator.create(STRANGER, PASSWORD)
        (folder / "white-list.xml").write_bytes(operator.white_list())
        process = GatewayProcess(module_database_url, folder, **settings_of(operator, folder))
        try:
            await asyncio.to_thread(process.start().wait_ready)
            yield process, operator
        finally:  # in a thread: the operator still answers, so that what is in hand ends
            await asyncio.to_thread(process.end)
    assert '"fault"' not in process.told()
    assert MATRICULE not in process.told()


def settings_of(operator: Operator, folder: Path) -> dict[str, str]:
    return {
        "mss_address": GATEWAY,
        "mss_nil": "DEMO-0001",
        "mss_smtp_host": operator.host,
        "mss_smtp_port": str(operator.smtp_port),
        "mss_imap_host": operator.host,
        "mss_imap_port": str(operator.imap_port),
        "mss_username": GATEWAY,
        "mss_password": PASSWORD,
        "mss_ca_file": str(operator.certificates.ca_file),
        "mss_white_list": str(folder / "white-list.xml"),
        "mss_poll_seconds": "0.1",
        "job_retry_seconds": "[0.2, 0.2, 0.2]",
    }


NUMBERS = count(1)


@pytest.fixture
async def outside(world: tuple[GatewayProcess, Operator]) -> AsyncIterator[Outside]:
    process, operator = world
    doctor = f"dr{next(NUMBERS)}@demo.mssante.fr"
    operator.create(doctor, PASSWORD)
    operator.faults.keeps_what_it_loses = True
    async with httpx.AsyncClient(base_url=process.url, timeout=60) as client:
        yield Outside(process, client, operator, doctor)


def events_of(communication: dict[str, Any]) -> list[tuple[str, str]]:
    """Give (state, code) of every event of a sending, in order."""
    found = []
    for extension in communication.get("extension", ()):
        if extension["url"] == EXTENSIONS + "mss-event":
            parts = {part["url"]: part for part in extension["extension"]}
            code = parts.get("code", {}).get("valueString", "")
            found.append((parts["state"]["valueCode"], code))
    return found


def state_of(communication: dict[str, Any]) -> str:
    (state,) = [
        e["valueCode"] for e in communication["extension"] if e["url"] == EXTENSIONS + "mss-state"
    ]
    return str(state)


def message_id_of(communication: dict[str, Any]) -> str:
    return str(communication["identifier"][0]["value"])


def opened(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def archive_of(raw: bytes) -> dict[str, bytes]:
    """Give the members of the archive in a mail."""
    (part,) = [p for p in opened(raw).iter_attachments() if p.get_filename() == "IHE_XDM.ZIP"]
    with zipfile.ZipFile(io.BytesIO(part.get_content())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def cda_of(raw: bytes) -> bytes:
    (content,) = [c for name, c in archive_of(raw).items() if name.endswith("DOC0001.XML")]
    return content


def everything_in(raw: bytes) -> bytes:
    """Give the bytes of a mail, of its decoded parts and of the members of its archive."""
    decoded = (part.get_payload(decode=True) for part in opened(raw).walk())
    parts = [part for part in decoded if isinstance(part, bytes)]
    return b"\n".join([raw, *parts, *archive_of(raw).values()])


async def test_a_document_is_sent_delivered_and_read(outside: Outside) -> None:
    document = await outside.push()
    first = await outside.send(document)
    communication = await outside.until(first, "queued", "sending", "sent", "delivered")
    assert communication["status"] == "in-progress"
    (uid,) = outside.operator.mailbox(outside.doctor).messages
    outside.operator.read(outside.doctor, uid)
    communication = await outside.until(first, "read")
    states = [state for state, _ in events_of(communication)]
    assert [state for state in states if state not in ("sent", "delivered")] == [
        "queued",
        "sending",
        "read",
    ]
    assert (state_of(communication), communication["status"]) == ("read", "completed")
    (raw,) = await outside.mails()
    mail = opened(raw)
    assert (mail["X-MSS-INS"], mail["X-MSS-NIL"]) == ("O", "DEMO-0001")
    assert mail["Message-ID"] == message_id_of(communication)
    assert MATRICULE.encode() in cda_of(raw)
    assert LETTER in everything_in(raw)


async def test_asking_twice_sends_once_and_resend_sends_again(outside: Outside) -> None:
    document = await outside.push()
    asked = await asyncio.gather(*(outside.ask(document) for _ in range(32)))
    assert Counter(answer.status_code for answer in asked) == {202: 32}
    (first,) = {a.json()["parameter"][0]["valueReference"]["reference"] for a in asked}
    await outside.until(first, "sent")
    assert await outside.send(document, outside.doctor.upper()) == first
    again = await outside.send(document, resend={"valueBoolean": True})
    assert again != first
    await outside.until(again, "sent")
    ids = {opened(raw)["Message-ID"] for raw in await outside.mails(2)}
    communications = [await outside.read(first), await outside.read(again)]
    assert ids == {message_id_of(one) for one in communications}
    assert len(outside.accepted()) == 2


@pytest.mark.parametrize("status", ["provisional", "retrieved", "validated"])
async def test_an_identity_that_is_not_qualified_leaves_without_its_matricule(
    outside: Outside, status: str
) -> None:
    dossier = outside.dossier()
    identity = dossier["person"]["identity"]
    identity["status"] = status
    if status in ("provisional", "retrieved"):
        del identity["proof"]
    if status in ("provisional", "validated"):
        del identity["ins"]["obtainedAt"]
    reference = await outside.send(await outside.push(dossier))
    await outside.until(reference, "sent")
    (raw,) = await outside.mails()
    assert opened(raw)["X-MSS-INS"] == "N"
    whole = everything_in(raw)
    assert MATRICULE[:13].encode() not in whole
    assert MATRICULE[:13].encode() not in whole.replace(b" ", b"")
    assert b"1.2.250.1.213.1.4.10" not in whole
    communication = await outside.read(reference)
    person = await outside.read(communication["subject"]["reference"])
    assert MATRICULE[:13] not in json.dumps([communication, person])


async def test_an_address_off_the_white_list_is_refused_and_nothing_is_written(
    outside: Outside,
) -> None:
    document = await outside.push()
    # Receipts of earlier sendings may still come in: they make versions, neither of these.
    made = ("resource", "job")

    async def counted() -> list[int]:
        counts = await asyncio.to_thread(record.counts, outside.process.database_url)
        return [counts[table] for table in made]

    before = await counted()
    answer = await outside.ask(document, outside.doctor, samples.OUTSIDE)
    assert answer.status_code == 422
    (issue,) = answer.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "mss.recipient-not-listed"
    assert issue["expression"] == ["Parameters.parameter[1]"]
    assert await counted() == before


async def test_a_refused_recipient_fails(outside: Outside) -> None:
    document = await outside.push()
    reference = await outside.send(document, "personne@demo.mssante.fr")
    communication = await outside.until(reference, "failed")
    assert communication["status"] == "not-done"
    assert "550 5.1.1" in communication["statusReason"]["text"]
    assert "sent" not in communication


async def test_a_deferred_mail_is_tried_again(outside: Outside) -> None:
    outside.operator.faults.defer = 2
    document = await outside.push()
    reference = await outside.send(document)
    communication = await outside.until(reference, "delivered")
    codes = [code for state, code in events_of(communication) if state == "sending" and code]
    assert len(codes) == 2
    assert all("451 4.3.0" in code for code in codes)
    assert len(outside.accepted()) == 1


@pytest.mark.parametrize("fault", ["lose_before_data", "refuse_data", "bounces"])
async def test_what_becomes_of_a_mail_at_the_door_is_told(outside: Outside, fault: str) -> None:
    document = await outside.push()
    if fault == "bounces":
        outside.operator.mailbox(outside.doctor).behaviour = Behaviour(bounces="5.2.1")
    else:
        setattr(outside.operator.faults, fault, 1)
    reference = await outside.send(document)
    if fault == "lose_before_data":
        communication = await outside.until(reference, "delivered")
        assert len(outside.accepted()) == 1
        return
    communication = await outside.until(reference, "failed")
    text = communication["statusReason"]["text"]
    assert ("5.7.1" if fault == "refuse_data" else "5.2.1") in text
    assert state_of(communication) == "failed"


async def test_a_mail_lost_on_the_way_is_uncertain_then_sent_the_same(outside: Outside) -> None:
    outside.operator.faults.lose_after_data = 1
    outside.operator.faults.keeps_what_it_loses = False
    document = await outside.push()
    reference = await outside.send(document)
    communication = await outside.until(reference, "uncertain", "delivered")
    (accepted,) = outside.accepted()
    assert opened(accepted)["Message-ID"] == message_id_of(communication)


async def test_a_mail_whose_answer_is_lost_may_come_twice_but_always_the_same(
    outside: Outside,
) -> None:
    outside.operator.faults.lose_after_data = 1
    document = await outside.push()
    reference = await outside.send(document)
    communication = await outside.until(reference, "uncertain", "delivered")
    assert state_of(communication) == "delivered"
    assert len(set(outside.accepted())) == 1
    assert len(outside.accepted()) in (1, 2)


async def test_a_document_that_could_not_be_integrated_is_failed_with_its_code(
    outside: Outside,
) -> None:
    refuses = Behaviour(refuses=("904", "Document non conforme"))
    outside.operator.mailbox(outside.doctor).behaviour = refuses
    document = await outside.push()
    communication = await outside.until(await outside.send(document), "failed")
    assert (state_of(communication), communication["status"]) == ("failed", "not-done")
    assert communication["statusReason"]["text"] == "904"


@pytest.mark.parametrize("forged", ["all of it", "the author only"])
async def test_a_receipt_from_another_sender_is_put_aside(outside: Outside, forged: str) -> None:
    document = await outside.push()
    reference = await outside.send(document)
    communication = await outside.until(reference, "delivered")
    recipient = outside.doctor if forged == "the author only" else STRANGER
    receipt = (
        f"From: <{STRANGER}>\r\nTo: <{GATEWAY}>\r\nSubject: Lu\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{recipient}\r\n"
        f"Original-Message-ID: {message_id_of(communication)}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()
    trace = f"Return-Path: <{STRANGER}>\r\n".encode()
    uid = outside.operator.mailbox(GATEWAY).deliver(trace + receipt)

    statement = f"SELECT state, reason FROM message WHERE place = '1/{uid}' AND direction = 'in'"

    async def settled() -> bool:
        url = outside.process.database_url
        found = await asyncio.to_thread(record.rows, url, statement)
        return found == [("aside", "mail.unknown-original")]

    await eventually(settled, SECONDS, "the receipt is put aside")
    assert state_of(await outside.read(reference)) == "delivered"


async def test_a_cda_leaves_as_it_is(outside: Outside) -> None:
    document = await outside.push()
    await outside.until(await outside.send(document), "sent")
    (raw,) = await outside.mails()
    cda = cda_of(raw)
    reference = await outside.read(document)
    data = base64.b64encode(cda).decode()
    cda_id = f"DocumentReference/cda-{outside.doctor.partition('@')[0]}"
    reference |= {
        "id": cda_id.partition("/")[2],
        "content": [{"attachment": {"contentType": "text/xml", "data": data}}],
    }
    reference.pop("identifier", None)
    reference["meta"].pop("profile")  # PDSm wants an address, and no bytes inside
    answer = await outside.client.put(
        f"/fhir/{cda_id}",
        content=json.dumps(reference),
        headers={"content-type": "application/fhir+json"},
    )
    assert answer.status_code == 201, answer.text
    await outside.until(await outside.send(cda_id), "sent")
    assert cda_of((await outside.mails(2))[1]) == cda
