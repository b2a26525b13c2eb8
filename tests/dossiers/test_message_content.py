"""What a message says of its document: the one it replaces, whose it is, whether it can be read."""

import base64
import re
import zipfile
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from passerelle.dossiers.gateway import Gateway
from passerelle.dossiers.mailing import transmission
from passerelle.dossiers.mailing.transmission_sending import key_of
from passerelle.dossiers.repository import Repository
from passerelle.fhir.resource import Key
from passerelle.ins.traits import Traits, differ
from passerelle.mappers.cda import cda_header
from passerelle.mappers.cda.cda_document import CdaDocument
from passerelle.mappers.xdm.xdm_metadata_read import read as read_metadata
from passerelle.simulation.operator import Operator
from passerelle.store.caller import SYSTEM
from tests.dossiers.test_sending_and_receipts import (
    DOCTOR,
    GATEWAY,
    PASSWORD,
    asked,
    read,
    with_mail,
    worker,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with Operator(tmp_path) as running:
        running.create(GATEWAY, PASSWORD)
        running.create(DOCTOR, PASSWORD)
        yield running


def opened(raw: bytes) -> tuple[EmailMessage, bytes, bytes]:
    """Give a mail, and the CDA and the metadata of its archive."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    (packed,) = [p for p in mail.walk() if p.get_content_type() == "application/zip"]
    with zipfile.ZipFile(BytesIO(packed.get_payload(decode=True))) as archive:  # type: ignore[arg-type]
        inner = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    (cda,) = [content for content in inner.values() if b"<ClinicalDocument" in content[:4096]]
    return mail, cda, inner["METADATA.XML"]


async def send_copy(
    gateway: Gateway, operator: Operator, document: Key, **changes: Any
) -> dict[str, Any] | None:
    """Send a document like another one; give its Communication, and None when it left."""
    copy = await read(gateway, document) | {"id": "copy"} | changes
    copy = {name: value for name, value in copy.items() if name != "identifier"}
    del copy["meta"]["profile"]  # of PDSm, which wants more of a document than these say
    key = Key("DocumentReference", "copy")
    await Repository(gateway, SYSTEM).update(key, copy)
    wanted = [{"name": "recipient", "valueString": DOCTOR}]
    parameters = {"resourceType": "Parameters", "parameter": wanted}
    made = await transmission.request(gateway, SYSTEM, key, parameters)
    before = len(operator.accepted)
    await worker(gateway).step()
    sending = key_of(made["parameter"][0]["valueReference"]["reference"])
    return await read(gateway, sending) if len(operator.accepted) == before else None


def as_xml(cda: bytes) -> list[dict[str, Any]]:
    data = base64.b64encode(cda).decode()
    attachment = {"contentType": "text/xml", "data": data, "title": "Lettre"}
    return [{"attachment": attachment}]


def master(number: int) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:1.2.250.1.213.1.4.99.{number}"}


async def test_a_document_that_replaces_another_says_so_in_its_header_and_metadata(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, _ = await asked(mailing)
    await worker(mailing).step()
    first = cda_header.read(opened(operator.accepted[0].raw)[1])
    assert (first.version, first.related) == (1, None)
    relates = [{"code": "replaces", "target": {"reference": str(document)}}]
    failed = await send_copy(
        mailing, operator, document, masterIdentifier=master(2), relatesTo=relates
    )
    assert failed is None
    _, cda, metadata = opened(operator.accepted[1].raw)
    second = cda_header.read(cda)
    assert second.related == ("RPLC", first.id)
    assert (second.set_id, second.version) == (first.set_id, 2)
    (entry,) = read_metadata(metadata).entries
    assert entry.action == "C"


@pytest.mark.parametrize(
    "relates",
    [
        [{"code": "replaces", "target": {"reference": "DocumentReference/absent"}}],
        [{"code": "replaces", "target": {"identifier": {"value": "1"}}}],
        [{"code": "replaces", "target": {"reference": "DocumentReference/copy"}}],
    ],
)
async def test_a_replacement_of_what_is_not_known_is_not_sent_as_a_new_document(
    gateway: Gateway, operator: Operator, relates: list[dict[str, Any]]
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, _ = await asked(mailing)
    await worker(mailing).step()
    failed = await send_copy(
        mailing, operator, document, masterIdentifier=master(2), relatesTo=relates
    )
    assert failed is not None
    assert failed["statusReason"]["text"] == "sending.replacement-unknown"


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        (rb"PAT-TROIS", b"AUTRE"),
        (rb'<birthTime value="\d+', b'<birthTime value="19500101'),
        (rb'<administrativeGenderCode code="F"', b'<administrativeGenderCode code="M"'),
    ],
)
async def test_a_cda_of_another_person_is_refused_though_it_names_no_other_matricule(
    gateway: Gateway, operator: Operator, pattern: bytes, other: bytes
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, _ = await asked(mailing)
    await worker(mailing).step()
    cda = opened(operator.accepted[0].raw)[1]
    changed = re.sub(pattern, other, cda)
    assert changed != cda
    failed = await send_copy(mailing, operator, document, content=as_xml(changed))
    assert failed is not None
    assert failed["statusReason"]["text"] == "sending.cda-of-another"


async def test_a_structured_document_has_no_copy_and_the_message_says_so(
    gateway: Gateway, operator: Operator
) -> None:
    mailing, _ = with_mail(gateway, operator)
    document, _ = await asked(mailing)
    await worker(mailing).step()
    mail, cda, _ = opened(operator.accepted[0].raw)
    body = mail.get_body()
    assert body is not None
    assert "une copie lisible (PDF)" in body.get_content()
    section = b"<structuredBody><component><section/></component></structuredBody>"
    structured = re.sub(rb"<nonXMLBody>.*</nonXMLBody>", section, cda, flags=re.DOTALL)
    read_back: CdaDocument = cda_header.read(structured)
    assert read_back.body == "structured"
    assert await send_copy(mailing, operator, document, content=as_xml(structured)) is None
    mail = opened(operator.accepted[1].raw)[0]
    body = mail.get_body()
    assert body is not None
    assert "pas accompagné d'une copie PDF" in " ".join(body.get_content().split())
    assert [part.get_filename() for part in mail.iter_attachments()] == ["IHE_XDM.ZIP"]


ONE = Traits("D'ŒUVRE", "JEAN", "JEAN PIERRE", "1979-03-28", "male", "51215")


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (Traits("d oeuvre", "Jean", None, "19790328", "M", None), False),
        (Traits("D'OEUVRE", "JEAN-PIERRE", None, "1979", "U", "99999"), False),
        (Traits(), False),
        (Traits("DURAND"), True),
        (Traits(first_given_name="PIERRE"), True),
        (Traits(birth_date="197904"), True),
        (Traits(sex="F"), True),
        (Traits(birth_place="75056"), True),
    ],
)
def test_two_persons_differ_by_a_trait_that_both_have(other: Traits, differs: bool) -> None:
    assert differ(ONE, other) is differs
    assert differ(other, ONE) is differs
