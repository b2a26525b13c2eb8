"""Telling receipts apart: well made, badly made, and made to hurt."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.messaging.accounts import Account
from passerelle.messaging.receiving import mail_reading
from passerelle.messaging.receiving.imap import fetch_new
from passerelle.messaging.receiving.receipts import Receipt, read
from passerelle.messaging.sending.mail import build
from passerelle.messaging.sending.smtp import send
from passerelle.simulation.mailboxes import Behaviour
from passerelle.simulation.operator import Operator
from tests.messaging.correspondence import DOCTOR, GATEWAY, a_mail

SENT_ID = "<0123456789abcdef@chu.example>"


def a_report(
    kind: str, fields: str, *, head: str = "", tail: str = "", encoding: str | None = None
) -> bytes:
    if encoding == "base64":
        fields = base64.encodebytes(fields.encode()).decode()
    encoded = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    subtype = {"mdn": "disposition-notification", "dsn": "delivery-status"}[kind]
    text = f"""\
From: Cabinet <{DOCTOR}>
To: {GATEWAY}
Subject: Accusé
Message-ID: <receipt-1@cabinet.example>
{head}MIME-Version: 1.0
Content-Type: multipart/report; report-type={subtype}; boundary="b"

--b
Content-Type: text/plain

Some words.
--b
Content-Type: message/{subtype}
{encoded}
{fields}
{tail}--b--
"""
    return text.replace("\n", "\r\n").encode()


def an_mdn(disposition: str, **how: str) -> Receipt:
    fields = (
        "Reporting-UA: cabinet.example; Logiciel\n"
        f"Final-Recipient: rfc822;{DOCTOR}\n"
        f"Original-Message-ID: {SENT_ID}\n"
        f"Disposition: {disposition}\n"
    )
    return read(a_report("mdn", fields, **how))


MANUAL = "manual-action/MDN-sent-manually; "
AUTOMATIC = "automatic-action/MDN-sent-automatically; "


@pytest.mark.parametrize(
    ("disposition", "event", "outcome", "code", "label"),
    [
        (MANUAL + "displayed", "displayed", "read", None, None),
        (MANUAL.upper() + "DISPLAYED", "displayed", "read", None, None),
        (AUTOMATIC + "processed", "processed", "read", None, None),
        (AUTOMATIC + "dispatched", "dispatched", "delivered", None, None),
        (MANUAL + "deleted", "deleted", "delivered", None, None),
        (MANUAL + "denied", "denied", "delivered", None, None),
        (AUTOMATIC + "failed", "failed", "failed", None, None),
        (
            AUTOMATIC + "processed/Error: 902^Patient inconnu",
            "processed",
            "failed",
            "902",
            "Patient inconnu",
        ),
        (
            AUTOMATIC + "processed/error:904^INS différente de l'INS stockée / à vérifier",
            "processed",
            "failed",
            "904",
            "INS différente de l'INS stockée / à vérifier",
        ),
        (AUTOMATIC + "processed/error", "processed", "failed", None, None),
        (AUTOMATIC + "processed/Error: 906", "processed", "failed", "906", None),
        (AUTOMATIC + "processed/\n Error: 900^x\n y", "processed", "failed", "900", "x y"),
    ],
)
def test_a_disposition_says_what_became_of_the_mail(
    disposition: str, event: str, outcome: str, code: str | None, label: str | None
) -> None:
    receipt = an_mdn(disposition)
    assert (receipt.kind, receipt.event, receipt.outcome) == ("mdn", event, outcome)
    assert (receipt.code, receipt.label) == (code, label)
    assert receipt.refused == (outcome == "failed")
    assert receipt.original_message_id == SENT_ID
    assert receipt.final_recipient == receipt.sender == DOCTOR
    assert receipt.message_id == "<receipt-1@cabinet.example>"


def test_the_code_of_a_failure_may_stand_in_a_field_or_in_the_subject() -> None:
    fields = f"Final-Recipient: rfc822;{DOCTOR}\nDisposition: {AUTOMATIC}processed/error\n"
    receipt = read(a_report("mdn", fields + "Error: 903^INS absente\n"))
    assert (receipt.code, receipt.label, receipt.refused) == ("903", "INS absente", True)
    raw = a_report("mdn", fields).replace(
        b"Subject: Accus\xc3\xa9", b"Subject: [KO] [905] XDM/1.0/DDM+CR"
    )
    assert read(raw).code == "905"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_a_report_may_be_encoded(encoding: str) -> None:
    receipt = an_mdn(AUTOMATIC + "processed/Error: 902^Patient inconnu", encoding=encoding)
    assert (receipt.event, receipt.code, receipt.original_message_id) == (
        "processed",
        "902",
        SENT_ID,
    )


def test_the_original_is_found_in_the_report_else_enclosed_else_in_the_headers() -> None:
    fields = f"Final-Recipient: rfc822;{DOCTOR}\nDisposition: {MANUAL}displayed\n"
    whole = f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {SENT_ID}\nSubject: x\n\nbody\n"
    heads = f"--b\nContent-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID:\n {SENT_ID}\n"
    for raw in (
        a_report("mdn", fields + f"Original-Message-ID: {SENT_ID}\n"),
        a_report("mdn", fields + "Original-Message-ID: 0123456789abcdef@chu.example\n"),
        a_report("mdn", fields, tail=whole),
        a_report("mdn", fields, tail=heads),
        a_report("mdn", fields, head=f"In-Reply-To: {SENT_ID}\n"),
        a_report("mdn", fields, head=f"References: <a@b.example>\n {SENT_ID}\n"),
    ):
        assert read(raw).original_message_id == SENT_ID
    assert read(a_report("mdn", fields)).original_message_id is None


DSN = f"""\
Reporting-MTA: dns; mail.cabinet.example
Original-Envelope-Id: envoi-1
Arrival-Date: Wed, 4 Mar 2026 05:06:07 +0000

Original-Recipient: rfc822;{DOCTOR}
Final-Recipient: rfc822; {DOCTOR}
Action: %s
Status: %s
Remote-MTA: dns; x.example
Diagnostic-Code: smtp; 550 5.1.1 <{DOCTOR}>: Recipient
    address rejected
"""


@pytest.mark.parametrize(
    ("action", "status", "outcome"),
    [
        ("delivered", "2.0.0", "delivered"),
        ("Relayed", "2.1.9", "relayed"),
        ("expanded", "2.0.0", "delivered"),
        ("delayed", "4.4.1 (slow)", None),
        ("failed", "5.1.1", "failed"),
    ],
)
def test_a_delivery_report_says_what_became_of_the_mail(
    action: str, status: str, outcome: str | None
) -> None:
    tail = f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {SENT_ID}\n"
    receipt = read(a_report("dsn", DSN % (action, status), tail=tail))
    assert (receipt.kind, receipt.event, receipt.outcome) == ("dsn", action.lower(), outcome)
    assert receipt.status == status[:5]
    assert receipt.envelope_id == "envoi-1"
    assert receipt.final_recipient == DOCTOR
    assert receipt.original_message_id == SENT_ID


def test_the_worst_of_several_recipients_counts() -> None:
    fields = DSN % ("delivered", "2.0.0") + "\n" + "Action: failed\nStatus: 5.2.2\n"
    receipt = read(a_report("dsn", fields))
    assert (receipt.event, receipt.status) == ("failed", "5.2.2")


@pytest.mark.parametrize(
    ("head", "kind", "outcome"),
    [
        ("Subject: Bonjour\n", "ordinary", None),
        ("Subject: Bonjour\nAuto-Submitted: no\n", "ordinary", None),
        ("Subject: Absence\nAuto-Submitted: auto-replied; owner=x\n", "automatic", None),
        ("Subject: x\nAuto-Submitted: auto-generated\n", "automatic", None),
        ("Subject: x\nPrecedence: auto_reply\n", "automatic", None),
        ("Subject: x\nX-Autoreply: yes\n", "automatic", None),
        ("Return-Path: <>\nSubject: x\n", "automatic", None),
        ("Subject: [KO Int=?utf-8?Q?=C3=A9?=gration] [902] XDM/1.0/DDM+x\n", "ko", "failed"),
        (
            "Subject: =?utf-8?B?"
            + base64.b64encode("[Erreur d’intégration !][902] XDM/1.0/DDM+x".encode()).decode()
            + "?=\n",
            "ko",
            "failed",
        ),
        ("Return-Path: <>\nSubject: Undelivered Mail Returned to Sender\n", "dsn", "failed"),
        ("Return-Path: <>\nSubject: Non remis : CR\n", "dsn", "failed"),
        ("Subject: Undelivered Mail Returned to Sender\n", "ordinary", None),
        ("Subject: =?x-unknown?B?4pyT?= =?utf-8?B?!!!?=\n", "ordinary", None),
    ],
)
def test_other_mails_are_told_apart(head: str, kind: str, outcome: str | None) -> None:
    head = f"From: {DOCTOR}\n{head}In-Reply-To: {SENT_ID}\n\nbody\n"
    receipt = read(head.replace("\n", "\r\n").encode())
    assert (receipt.kind, receipt.outcome) == (kind, outcome)
    assert receipt.original_message_id == SENT_ID
    assert receipt.sender == DOCTOR
    if kind == "ko":
        assert receipt.code == "902"


def test_a_mail_that_encloses_a_receipt_is_not_one() -> None:
    inner = an_mdn_bytes()
    raw = b"From: x@y.example\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    assert read(raw).kind == "ordinary"
    raw = (
        b"From: x@y.example\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        b"--c\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--c--\r\n"
    )
    assert read(raw).kind == "ordinary"


def an_mdn_bytes() -> bytes:
    fields = f"Final-Recipient: rfc822;{DOCTOR}\nDisposition: {MANUAL}displayed\n"
    return a_report("mdn", fields)


@pytest.mark.parametrize(
    "author", ["a@b.example <x@y.example> <z@y.example>", "x", "<>", "a@b.example, c@d.example"]
)
def test_an_author_that_is_not_clear_is_nobody(author: str) -> None:
    assert read(f"From: {author}\r\n\r\n".encode()).sender is None


def nested(depth: int) -> bytes:
    lines = [b"From: x@y.example"]
    for n in range(depth):
        lines += [b"Content-Type: multipart/mixed; boundary=b%d" % n, b"", b"--b%d" % n]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"just text",
        nested(17),
        nested(20_000),
        b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1000,
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\n" * 1000,
        b'From: a@b.example\r\nContent-Type: a/b; c="' + b';\\"' * 60_000 + b"\r\n\r\n",
        b'From: a@b.example\r\nCONTENT-TYPE:\r\n a/b;\r\n\tc="' + b';\\"\r\n ' * 60_000,
        an_mdn_bytes().replace(b"displayed", b"eaten"),
        an_mdn_bytes().replace(b"Disposition: ", b"X: "),
        a_report("dsn", DSN % ("lost", "5.0.0")),
        a_report("dsn", "\n"),
        a_report("mdn", "\n"),
    ],
)
def test_what_cannot_be_read_is_unreadable(raw: bytes) -> None:
    receipt = read(raw)
    assert receipt.kind == "unreadable"
    assert receipt.outcome is None


def test_a_large_mail_is_read_by_its_beginning() -> None:
    raw = an_mdn_bytes().removesuffix(b"--b--\r\n") + b"--b\r\n\r\n" + b"x\r\n" * 1_000_000
    assert read(raw).event == "displayed"
    assert len(raw) > 10 * mail_reading.READ_MAX_BYTES


def test_what_names_people_does_not_show_in_the_repr() -> None:
    shown = repr(an_mdn(AUTOMATIC + "processed/Error: 902^ZOE ADRUN"))
    assert DOCTOR not in shown
    assert "ADRUN" not in shown


PIECES = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"From: ", b"a@b.example", b"<", b">", b"Subject: ",
        b"=?utf-8?B?", b"=?x?Q?", b"?=", b"Content-Type: ", b"multipart/report", b"; boundary=b",
        b"; boundary*0*=utf-8''%62", b"message/disposition-notification", b"message/rfc822",
        b"message/delivery-status", b"text/rfc822-headers", b"--b", b"--b--", b"Disposition: ",
        b"automatic-action/MDN-sent-automatically; ", b"processed/Error: 902^", b"Action: failed",
        b"Status: 5.1.1", b"Message-ID: <a@b.example>", b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x", b"\0", b"\xff\xfe", b"\xc3\xa9",
        b" ", b"\t", b";", b":", b"[KO][9", b"charset*=", b"Original-Message-ID: ", b'"',
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=5), max_size=80).map(b"".join))
def test_no_bytes_make_the_reader_raise(raw: bytes) -> None:
    assert isinstance(read(raw), Receipt)


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=20), max_size=200).map(b"".join))
def test_no_bytes_make_the_reader_raise_all_night(raw: bytes) -> None:
    assert isinstance(read(raw), Receipt)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1200), st.binary(max_size=4))
def test_no_damage_makes_the_reader_raise(place: int, damage: bytes) -> None:
    raw = an_mdn_bytes()
    receipt = read(raw[:place] + damage + raw[place + len(damage) :])
    assert receipt.kind in ("mdn", "ordinary", "unreadable", "automatic")


async def receipts_of(operator: Operator, account: Account, count: int) -> list[Receipt]:
    raw = build(a_mail())
    await send(account, raw, recipient=DOCTOR, envelope_id="envoi-1")
    await operator.mailbox(GATEWAY).holds(count)
    return [read(each.raw or b"") for each in await fetch_new(account)]


@pytest.mark.anyio
async def test_delivered_and_read_come_back_from_the_operator(
    operator: Operator, account: Account
) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(reads=True)
    delivered, seen = await receipts_of(operator, account, 2)
    assert (delivered.kind, delivered.outcome, delivered.status) == ("dsn", "delivered", "2.0.0")
    assert delivered.envelope_id == "envoi-1"
    assert (seen.kind, seen.event, seen.outcome) == ("mdn", "displayed", "read")
    for receipt in (delivered, seen):
        assert receipt.original_message_id == SENT_ID
        assert receipt.final_recipient == DOCTOR


@pytest.mark.anyio
async def test_a_refused_document_comes_back_with_its_code(
    operator: Operator, account: Account
) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(refuses=("902", "Patient inconnu"))
    _, refusal = await receipts_of(operator, account, 2)
    assert (refusal.kind, refusal.event, refusal.outcome) == ("mdn", "processed", "failed")
    assert (refusal.code, refusal.label) == ("902", "Patient inconnu")
    assert refusal.original_message_id == SENT_ID


@pytest.mark.anyio
async def test_a_bounce_and_an_absence_come_back(operator: Operator, account: Account) -> None:
    operator.mailbox(DOCTOR).behaviour = Behaviour(bounces="5.2.1")
    (bounce,) = await receipts_of(operator, account, 1)
    assert (bounce.kind, bounce.outcome, bounce.status) == ("dsn", "failed", "5.2.1")
    assert bounce.original_message_id == SENT_ID
    operator.mailbox(DOCTOR).behaviour = Behaviour(is_away=True)
    absence = (await receipts_of(operator, account, 3))[1:]
    assert {receipt.kind for receipt in absence} == {"dsn", "automatic"}
    assert {receipt.original_message_id for receipt in absence} == {SENT_ID}
