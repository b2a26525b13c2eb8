"""Bad input by mail, in archives, in documents to send and on the command line."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from passerelle.cli.main import app
from passerelle.demo import samples
from passerelle.errors.refusals import Invalid, PasserelleError
from passerelle.mappers.xdm import xdm_metadata_read
from passerelle.messaging.xdm.xdm_unpack import unpack
from tests.flows import bad_archives, bad_commands, bad_input, bad_mails, record
from tests.flows.bad_archives import BadArchive, BadDocument
from tests.flows.bad_commands import BadCommand
from tests.flows.gateway_process import until
from tests.flows.operator_process import DOCTOR
from tests.flows.tried import Tried

STATE = "https://passerelle.example/fhir/StructureDefinition/mss-state"
WAITING = "SELECT count(*) FROM message WHERE direction = 'in' AND state = 'kept'"
FATES = "SELECT state, reason FROM message WHERE direction = 'in' ORDER BY id"


def settled(tried: Tried, count: int) -> list[tuple[Any, ...]]:
    """Wait until so many mails have come in and none waits; give what became of them."""
    url = tried.process.database_url

    def done() -> bool:
        return len(record.rows(url, FATES)) >= count and record.rows(url, WAITING) == [(0,)]

    until(done, 60, f"{count} mails are settled")
    return record.rows(url, FATES)


def state_of(communication: dict[str, Any]) -> str:
    (state,) = [e["valueCode"] for e in communication["extension"] if e["url"] == STATE]
    return str(state)


def asked(tried: Tried, document: str) -> str:
    """Ask for a document to be sent; give the reference of its Communication."""
    body = json.dumps(bad_input.parameters(DOCTOR, resend={"valueBoolean": True}))
    headers = {"content-type": bad_input.FHIR_JSON}
    path = f"/fhir/DocumentReference/{document}/$send-mss"
    answer = tried.client.post(path, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    reference: str = answer.json()["parameter"][0]["valueReference"]["reference"]
    return reference


def in_state(tried: Tried, reference: str, *states: str) -> dict[str, Any]:
    """Wait until a Communication is in one of those states, and give it."""

    def found() -> dict[str, Any] | None:
        communication: dict[str, Any] = tried.client.get(f"/fhir/{reference}").json()
        return communication if state_of(communication) in states else None

    communication = until(found, 60, f"the sending is {states}")
    assert communication is not None
    return communication


def test_bad_mails_are_kept_settled_once_and_stop_nothing(tried: Tried) -> None:
    receipt = tried.keep(f"/dossiers/{samples.QUALIFIED}", samples.qualified(b"%PDF-1.4 lettre"))
    (letter,) = [e["reference"] for e in receipt["entries"] if e["section"] == "documents"]
    reference = asked(tried, letter.partition("/")[2])
    in_state(tried, reference, "delivered")
    communication = tried.client.get(f"/fhir/{reference}").json()
    there = len(record.rows(tried.process.database_url, FATES))
    message_id = communication["identifier"][0]["value"]
    stranger = "faux@demo.mssante.fr"
    forged = bad_mails.report("forged", message_id, sender=stranger)
    twice = bad_mails.report("twice", "<nobody@x.example>")
    for mail in [*(bad.raw for bad in bad_mails.MAILS), forged, twice, twice]:
        tried.operator.post(mail)
    fates = settled(tried, there + len(bad_mails.MAILS) + 3)[there:]
    unknown = ("aside", bad_mails.UNKNOWN)
    became = {bad.title: fate for bad, fate in zip(bad_mails.MAILS, fates, strict=False)}
    assert became == {bad.title: (bad.state, bad.reason) for bad in bad_mails.MAILS}
    assert fates[len(bad_mails.MAILS) :] == [unknown, unknown, unknown]
    assert state_of(tried.client.get(f"/fhir/{reference}").json()) == "delivered"
    tried.operator.post(bad_mails.report("true", message_id))
    in_state(tried, reference, "read")


@pytest.mark.parametrize("bad", bad_archives.ARCHIVES, ids=lambda bad: bad.title)
def test_an_archive_at_fault_is_refused(bad: BadArchive) -> None:
    with pytest.raises(PasserelleError) as refused:
        xdm_metadata_read.read(unpack(bad.body()).metadata)
    assert isinstance(refused.value, Invalid) or refused.value.status == 422
    assert bad.rule in [issue.rule for issue in refused.value.issues]
    told = [(issue.text, issue.text_en, issue.expression) for issue in refused.value.issues]
    assert bad_input.CANARY not in str(told)


@pytest.mark.parametrize("bad", bad_archives.DOCUMENTS, ids=lambda bad: bad.title)
def test_a_document_at_fault_fails_without_leaving(tried: Tried, bad: BadDocument) -> None:
    data = base64.b64encode(bad.content).decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "cda",
        "status": "current",
        "subject": {"reference": "Patient/there"},
        "content": [{"attachment": {"contentType": "text/xml", "data": data}}],
    }
    tried.keep("/fhir/DocumentReference/cda", document)
    sent = len(tried.operator.mails(DOCTOR))
    communication = in_state(tried, asked(tried, "cda"), "failed")
    assert bad.rule in communication["statusReason"]["text"]
    assert bad_input.CANARY not in json.dumps(communication)
    assert len(tried.operator.mails(DOCTOR)) == sent


@pytest.mark.parametrize(
    "bad", bad_commands.COMMANDS, ids=lambda bad: f"{bad.arguments[1]} {bad.title}"
)
def test_a_command_given_bad_input_says_so(
    tried: Tried, bad: BadCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_SERVER", tried.process.url)
    monkeypatch.delenv("PASSERELLE_INS_ALLOW_TEST", raising=False)
    before = tried.counts()
    file = tmp_path / "file.json"
    file.write_bytes(bad.body())
    arguments = [one.replace("{file}", str(file)) for one in bad.arguments]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == bad.code, result.output
    assert bad.rule in [issue["rule"] for issue in json.loads(result.stdout)["issues"]]
    assert bad_input.CANARY not in result.output
    assert tried.counts() == before
